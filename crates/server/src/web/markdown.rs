//! Rule texts as HTML. Raw HTML in them is left out.

use comrak::{Options, markdown_to_html};

use super::parts::Html;

/// Markdown as HTML.
pub fn html(markdown: &str) -> Html {
    let html = markdown_to_html(markdown, &Options::default());
    Html::trusted(
        html.replace("<ol>", "<ol class=\"steps\">")
            .replace("<li>", "<li><div>")
            .replace("</li>", "</div></li>"),
    )
}

#[cfg(test)]
mod tests {
    use super::html;

    #[test]
    fn raw_html_is_left_out() {
        let shown = html("a <script>alert(1)</script> [b](javascript:alert(1))").to_string();
        assert!(!shown.contains("<script") && !shown.contains("javascript:"), "{shown}");
    }
}
