//! Printed documents: PDF from a template and data, tagged for screen readers (PDF/UA-1).
//!
//! In scope: setting pages. Out of scope: what stands on them; whoever prints gathers that. Templates read
//! their data as JSON: nothing that is printed is ever read as part of a template.
//!
//! The server runs this as a program of its own, once for each document: what sets pages is large, and what
//! goes wrong in it harms nothing else.

mod world;

use serde::Deserialize;
use serde_json::Value;
use typst::diag::SourceDiagnostic;
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards};

use world::Desk;

/// A document that can be printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Template {
    /// Everything that is held on a person.
    Record,
    /// Tables, each with a picture of its numbers.
    Report,
}

impl Template {
    fn text(self) -> &'static str {
        match self {
            Self::Record => include_str!("../templates/record.typ"),
            Self::Report => include_str!("../templates/report.typ"),
        }
    }
}

/// What is to be printed.
#[derive(Debug, Deserialize)]
pub struct Order {
    /// Which document.
    pub template: Template,
    /// What stands in it.
    pub data: Value,
}

/// Why nothing was printed.
#[derive(Debug, thiserror::Error)]
pub enum PrintError {
    /// The order cannot be read.
    #[error("the order cannot be read: {0}")]
    Order(#[from] serde_json::Error),
    /// The template and the data do not go together.
    #[error("the document cannot be set: {0}")]
    Template(String),
}

/// Prints what an order asks for.
///
/// # Errors
/// [`PrintError`].
pub fn pdf(order: &Order) -> Result<Vec<u8>, PrintError> {
    let desk = Desk::new(order.template.text(), serde_json::to_vec(&order.data)?);
    let document = typst::compile::<PagedDocument>(&desk).output.map_err(|errors| said(&errors))?;
    let standards = PdfStandards::new(&[PdfStandard::Ua_1])
        .map_err(|error| PrintError::Template(format!("{error:?}")))?;
    let accessible = PdfOptions { standards, ..PdfOptions::default() };
    // The standard allows no sign that the fonts here lack. A document with a box in place of one is better
    // than none; it is tagged all the same.
    typst_pdf::pdf(&document, &accessible)
        .or_else(|_| typst_pdf::pdf(&document, &PdfOptions::default()))
        .map_err(|errors| said(&errors))
}

/// What is wrong, without what was printed: messages quote it, and end up in a log.
fn said<'a>(errors: impl IntoIterator<Item = &'a SourceDiagnostic>) -> PrintError {
    let first = |error: &SourceDiagnostic| {
        error.message.split(['`', '"', '\'']).next().unwrap_or_default().trim().to_owned()
    };
    let all: Vec<String> = errors.into_iter().map(first).collect();
    PrintError::Template(all.join("; "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(sections: Value) -> Order {
        Order {
            template: Template::Record,
            data: json!({
                "lang": "pt-BR", "title": "What we know about you", "lead": "All of it.", "made": "today",
                "fact": "Fact", "says": "Says", "nothing": "Nothing", "purpose": "What for:", "kept": "Kept:",
                "sections": sections, "looks_title": "Who looked", "looks_none": "Nobody",
                "looks_head": ["Who", "When", "What for", "Entry"],
                "looks": [{ "who": "Sasha", "at": "today", "purpose": "help", "entry": "7" }],
                "ledger_title": "In the ledger", "ledger": "Number 1.",
            }),
        }
    }

    #[test]
    fn what_is_printed_is_text_and_never_a_template() {
        let held =
            json!([{ "name": "#panic()", "value": "$x^2 #read(\"/etc/passwd\") ] *", "origin": "<a>" }]);
        let section = json!([{ "title": "#let x", "purpose": "= p", "kept": "// k", "held": held }]);
        let printed = pdf(&record(section)).unwrap();
        assert!(printed.starts_with(b"%PDF-1.7"));
        let xml = String::from_utf8_lossy(&printed).into_owned();
        assert!(xml.contains("pdfuaid:part"), "it says that it is tagged");
    }

    /// The fonts that ship know the scripts of Europe. Whatever else stands in a name, its owner gets the
    /// document.
    #[test]
    fn a_name_in_any_script_prints() {
        for name in ["Żółć Ελλάς Привет", "李雷 محمد", "🚀", "a\u{0}b\u{202e}c\u{fffe}", "\u{e000}"]
        {
            let held = json!([{ "name": name, "value": name, "origin": "" }]);
            let section = json!([{ "title": name, "purpose": name, "kept": "", "held": held }]);
            let printed = pdf(&record(section)).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(String::from_utf8_lossy(&printed).contains("/MarkInfo"), "{name}: tagged");
        }
    }

    #[test]
    fn a_report_prints_its_tables_and_bars() {
        let chart = json!({ "key": [["good", "Good"], ["due", "Due"]], "whole": 10,
            "bars": [{ "label": "Sales", "parts": [["good", 7], ["due", 3]] }] });
        let rows = json!([["Sales", "7", "3"], ["= panic()", "#1", ""]]);
        let sections = json!([
            { "title": "By unit", "about": "", "chart": chart, "head": ["Unit", "Good", "Due"], "rows": rows },
            { "title": "None", "about": "Nothing.", "head": ["Unit"], "rows": [] },
        ]);
        let data = json!({ "lang": "en", "title": "How devices stand", "lead": "All.", "made": "today",
            "stale": "", "sections": sections });
        let printed = pdf(&Order { template: Template::Report, data }).unwrap();
        assert!(String::from_utf8_lossy(&printed).contains("pdfuaid:part"), "it says that it is tagged");
    }

    #[test]
    fn data_without_what_the_template_needs_prints_nothing() {
        let order = Order { template: Template::Record, data: json!({}) };
        assert!(matches!(pdf(&order), Err(PrintError::Template(_))));
    }
}
