//! What is wrong with a pack, said so that it can be mended: file, line, column, a caret, what to do.

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};

/// One thing that is wrong with a file of a pack.
#[derive(Debug)]
pub struct Lint(Box<Wrong>);

#[derive(Debug)]
struct Wrong {
    message: String,
    help: String,
    source: NamedSource<String>,
    span: std::ops::Range<usize>,
}

impl Lint {
    /// A thing that is wrong at `span` (bytes) of the text of `path`, and what to do about it.
    pub fn new(
        path: &str,
        text: &str,
        span: std::ops::Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        // Places are worked out from texts with escapes: one inside a letter moves to its beginning.
        let letter = |place: usize| {
            (0..=place.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
        };
        let (start, end) = (letter(span.start), letter(span.end));
        Self(Box::new(Wrong {
            message: message.into(),
            help: help.into(),
            source: NamedSource::new(path, shown(text)),
            span: start.min(end)..end,
        }))
    }

    /// What is wrong.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do.
    pub fn advice(&self) -> &str {
        &self.0.help
    }

    /// The file.
    pub fn path(&self) -> &str {
        self.0.source.name()
    }

    /// Line and column, counted from one.
    pub fn at(&self) -> (usize, usize) {
        let before = &self.0.source.inner()[..self.0.span.start];
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (before.matches('\n').count() + 1, column)
    }

    /// `file:line:column`.
    pub fn place(&self) -> String {
        let (line, column) = self.at();
        format!("{}:{line}:{column}", self.path())
    }
}

impl std::fmt::Display for Lint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Lint {}

impl Diagnostic for Lint {
    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        Some(Box::new(&self.0.help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.0.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = LabeledSpan::new(Some("here".to_owned()), self.0.span.start, self.0.span.len());
        Some(Box::new(std::iter::once(label)))
    }
}

/// A file's text as a terminal may show it: signs that would move the cursor or color the screen become question marks,
/// as many as they have bytes, so that places stay where they are (S24).
fn shown(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, sign| {
        if sign != '\n' && sign != '\t' && sign != '\r' && stead_model::text::is_invisible(sign) {
            out.extend(std::iter::repeat_n('?', sign.len_utf8()));
        } else {
            out.push(sign);
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::Lint;

    #[test]
    fn a_place_inside_a_letter_is_where_the_letter_begins() {
        let lint = Lint::new("a.md", "x\né", 3..99, "wrong", "mend it");
        assert_eq!(lint.place(), "a.md:2:1");
    }

    #[test]
    fn s24_escapes_of_a_file_are_not_shown_and_places_stay() {
        let text = "a\u{1b}[2J\u{9b}2J\u{202e}b\n\tc";
        let shown = super::shown(text);
        assert_eq!(shown, "a?[2J??2J???b\n\tc");
        assert_eq!(shown.len(), text.len());
    }
}
