//! Two texts beside each other, line by line, with what differs marked.

use std::time::Duration;

use similar::{DiffTag, TextDiff};

/// Lines of context around what differs.
const AROUND: usize = 3;
/// Most rows that are shown.
const MOST: usize = 5000;
/// How long lines may be compared.
const LONGEST: Duration = Duration::from_millis(200);

/// A line of one of the texts.
pub struct Line {
    /// Its number, counted from one.
    pub number: usize,
    /// What it says.
    pub text: String,
}

/// Two lines beside each other.
#[derive(Default)]
pub struct Row {
    /// Of the first text.
    pub left: Option<Line>,
    /// Of the second.
    pub right: Option<Line>,
    /// Whether they differ.
    pub differs: bool,
    /// Whether lines that are the same are left out before this one.
    pub cut: bool,
}

/// Whether a comparison shows the beginning alone.
pub fn is_cut(rows: &[Row]) -> bool {
    rows.len() == MOST
}

/// Compares two texts.
pub fn compare(left: &str, right: &str) -> Vec<Row> {
    // What takes longer is told line by line without looking for what moved.
    let diff = TextDiff::configure().timeout(LONGEST).diff_lines(left, right);
    let line = |all: &[&str], at: usize| {
        all.get(at).map(|text| Line { number: at + 1, text: text.trim_end_matches('\n').to_owned() })
    };
    let mut rows = Vec::new();
    for group in diff.grouped_ops(AROUND) {
        let mut cut = group.first().is_some_and(|op| op.old_range().start > 0 || op.new_range().start > 0);
        for op in group {
            let (old, new) = (op.old_range(), op.new_range());
            for at in 0..old.len().max(new.len()) {
                rows.push(Row {
                    left: (at < old.len()).then(|| line(diff.old_slices(), old.start + at)).flatten(),
                    right: (at < new.len()).then(|| line(diff.new_slices(), new.start + at)).flatten(),
                    differs: op.tag() != DiffTag::Equal,
                    cut: std::mem::take(&mut cut),
                });
            }
        }
    }
    rows.truncate(MOST);
    rows
}

#[cfg(test)]
mod tests {
    use super::compare;

    #[test]
    fn what_differs_stands_beside_what_it_was() {
        let rows = compare("a\nb\nc\n", "a\nB\nc\nd\n");
        let told: Vec<_> = rows
            .iter()
            .map(|row| {
                let text =
                    |line: &Option<super::Line>| line.as_ref().map_or("", |l| l.text.as_str()).to_owned();
                (text(&row.left), text(&row.right), row.differs)
            })
            .collect();
        let want = [("a", "a", false), ("b", "B", true), ("c", "c", false), ("", "d", true)];
        assert_eq!(told, want.map(|(l, r, d)| (l.to_owned(), r.to_owned(), d)));
        assert!(compare("same\n", "same\n").is_empty());
    }

    #[test]
    fn far_lines_are_left_out_and_the_place_is_marked() {
        let long: String = (0..40).map(|n| format!("{n}\n")).collect();
        let rows = compare(&long, &long.replace("30\n", "thirty\n"));
        assert!(rows.len() == 7 && rows[0].cut, "{}", rows.len());
        assert_eq!(rows[3].right.as_ref().map(|line| line.number), Some(31));
    }
}
