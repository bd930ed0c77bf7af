//! Fuzz targets: files of people and what forms and programs send. `cargo xtask fuzz` runs them at length.
#![expect(clippy::unwrap_used, reason = "whatever goes wrong must stop the fuzzer")]

use axum::{
    extract::{FromRequest, Request},
    http::{HeaderMap, HeaderValue, Method, header},
};
use futures_util::FutureExt;
use stead_model::Millis;

use crate::{
    auth,
    flows::directory::{self, import},
    reports, then,
};

const NOW: Millis = Millis(1_773_305_091_000);

/// A file of people, and a cell of a file that we write.
pub fn csv(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Ok(preview) = import::preview_of(text, NOW) {
        assert!(preview.rows.len() <= import::MOST_ROWS);
        assert_eq!(
            preview.adds() + preview.changes() + preview.wrong(),
            preview.rows.len(),
            "nobody is there yet"
        );
    }
    // What we write ourselves, read by a spreadsheet, whatever parts cells there.
    let cell = reports::plain(text);
    for parted_by in [',', ';', '\t', '|', '\n', '\r', '"'] {
        for cell in cell.split(parted_by) {
            assert!(!cell.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']), "{cell:?}");
        }
    }
    assert_eq!(cell.replace('\'', ""), text.replace('\'', ""), "the words are kept");
}

/// The body of a request, a field of it, and what stands in headers.
pub fn forms(input: &[u8]) {
    for kind in ["application/x-www-form-urlencoded", "application/json"] {
        let request = || {
            Request::builder()
                .method(Method::POST)
                .header(header::CONTENT_TYPE, kind)
                .body(axum::body::Body::from(input.to_vec()))
                .unwrap()
        };
        // A body is at hand: nothing here waits.
        let Some(Ok((request, _))) = auth::body::taken(request(), 64 * 1024).now_or_never() else {
            continue;
        };
        if kind == "application/json" {
            let sent = axum::Json::<serde_json::Value>::from_request(request, &()).now_or_never().unwrap();
            assert!(!sent.is_ok_and(|sent| has_nul(&sent.0)), "a NUL came in");
        } else {
            let sent =
                axum::Form::<Vec<(String, String)>>::from_request(request, &()).now_or_never().unwrap();
            for (name, value) in sent.map(|sent| sent.0).unwrap_or_default() {
                assert!(!name.contains('\0') && !value.contains('\0'), "a NUL came in");
                field(&value);
            }
        }
    }
    if let Ok(text) = std::str::from_utf8(input) {
        field(text);
    }
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(input) {
        for name in [header::COOKIE, header::AUTHORIZATION] {
            headers.insert(name, value.clone());
        }
    }
    let _ = (auth::session_secret(&headers), auth::bearer(&headers), auth::known_browser(&headers));
}

/// What becomes of a field, wherever it is one.
fn field(text: &str) {
    if let Some(path) = auth::local_path(text) {
        assert!(
            path.starts_with('/') && !path.starts_with("//") && !path.contains('\\'),
            "{path} leads elsewhere"
        );
    }
    let plain = stead_model::text::plain(text, 200);
    assert!(!plain.chars().any(char::is_control) && plain.chars().count() <= 200);
    if let Ok(day) = then::Day::read(text, NOW) {
        assert!(day.end() < NOW);
    }
    if directory::is_address(text) {
        assert!(text.contains('@') && !text.contains(['\r', '\n', ' ', ',', ';', '<', '>']), "{text:?}");
    }
    let _ = stead_policy::rule::duration(text);
}

fn has_nul(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::String(text) => text.contains('\0'),
        serde_json::Value::Array(all) => all.iter().any(has_nul),
        serde_json::Value::Object(all) => {
            all.iter().any(|(name, value)| name.contains('\0') || has_nul(value))
        }
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use stead_testkit::made_up::each;

    #[test]
    fn fuzz_csv() {
        each("csv", super::csv);
    }

    #[test]
    fn fuzz_forms() {
        each("forms", super::forms);
    }
}
