//! Text from outside: what it may hold before it is stored, shown or printed.

/// Whether a sign shows nothing of its own: a control character, a mark that turns the direction of writing, a space
/// without width, a separator of lines.
pub fn is_invisible(sign: char) -> bool {
    sign.is_control()
        || matches!(sign, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Cuts `text` to `max` characters and replaces what could move a cursor or hide text: what [`is_invisible`], but for the
/// joiners that some scripts are written with. Devices and people choose these words; terminals, pages and logs must
/// survive them.
pub fn plain(text: &str, max: usize) -> String {
    text.chars()
        .take(max)
        .map(|c| {
            let joins = matches!(c, '\u{200c}' | '\u{200d}');
            if is_invisible(c) && !joins { '\u{fffd}' } else { c }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn escapes_are_taken_out() {
        assert_eq!(plain("a\u{1b}[2Jb\u{202e}c\n", 20), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}");
        assert_eq!(plain("äöü", 2), "äö");
        // S30: these were let through.
        for hidden in ['\u{61c}', '\u{2028}', '\u{2029}', '\u{200b}', '\u{2060}', '\u{feff}', '\u{e0041}'] {
            assert_eq!(plain(&format!("a{hidden}b"), 9), "a\u{fffd}b", "{hidden:?}");
        }
        assert_eq!(plain("می‌خواهم", 20), "می‌خواهم", "Persian is written with a joiner");
    }
}
