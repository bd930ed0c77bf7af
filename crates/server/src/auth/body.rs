//! What a request may hold before any handler sees it: so many bytes as its route takes, and no NUL in its text, which
//! one database keeps and another refuses.

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::Request,
    http::{Method, Uri, header},
};
use stead_model::problem::Kind;

use crate::{
    connections::{Connection, Underway},
    error::Refusal,
};

/// Whether an address holds no NUL.
///
/// # Errors
/// [`Refusal`] when it does.
pub fn address(uri: &Uri) -> Result<(), Refusal> {
    match [uri.path(), uri.query().unwrap_or_default()].iter().any(|part| has_nul(part.as_bytes(), b"%00")) {
        true => Err(Refusal::said(Kind::Malformed, "text-nul")),
        false => Ok(()),
    }
}

/// A request with its whole body read, and that its connection is being answered from now on.
///
/// # Errors
/// [`Refusal`] when it is larger than that, does not arrive, or holds a NUL.
pub async fn taken(request: Request, largest: usize) -> Result<(Request, Option<Underway>), Refusal> {
    let connection = request.extensions().get::<Connection>().cloned();
    let request = read(request, largest).await?;
    Ok((request, connection.map(|connection| connection.answering())))
}

async fn read(request: Request, largest: usize) -> Result<Request, Refusal> {
    if *request.method() == Method::GET {
        return Ok(request);
    }
    let (parts, body) = request.into_parts();
    let too_large = || Refusal::said(Kind::TooLarge, "body-large").with("kilobytes", largest / 1024);
    let said = parts.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    // Somewhat more is read and thrown away, so that whoever sends it reads why instead of a broken connection.
    let at_most = 4 * largest;
    if said.and_then(|length| length.parse().ok()).is_some_and(|length: usize| length > at_most) {
        return Err(too_large());
    }
    let bytes = to_bytes(body, at_most).await.map_err(|_| too_large())?;
    if bytes.len() > largest {
        return Err(too_large());
    }
    let kind =
        parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let nul = match kind.split(';').next().map(str::trim) {
        Some("application/json") => has_escaped_nul(&bytes),
        Some("application/x-www-form-urlencoded") => has_nul(&bytes, b"%00"),
        // A file is what it is; whoever reads it as text looks.
        _ => false,
    };
    if nul {
        return Err(Refusal::said(Kind::Malformed, "text-nul"));
    }
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

fn has_nul(bytes: &[u8], written: &[u8]) -> bool {
    bytes.contains(&0) || bytes.windows(written.len()).any(|part| part == written)
}

/// Whether JSON holds a NUL, written as such or as `\u0000`. After an escaped backslash the letters are letters.
fn has_escaped_nul(bytes: &Bytes) -> bool {
    let mut rest = bytes.iter();
    while let Some(byte) = rest.next() {
        match byte {
            0 => return true,
            b'\\' => {
                if rest.as_slice().starts_with(b"u0000") {
                    return true;
                }
                rest.next();
            }
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_is_found_however_it_is_written() {
        let json = |text: &'static str| has_escaped_nul(&Bytes::from_static(text.as_bytes()));
        for bad in ["{\"a\":\"x\\u0000\"}", "\"\\\\\\u0000\"", "\0", "\"\\u0000\"", "\"a\0b\""] {
            assert!(json(bad), "{bad:?}");
        }
        for good in ["\"\\\\u0000\"", "\"\\u0001\"", "u0000", "\"\\", "", "\"%00\""] {
            assert!(!json(good), "{good:?}");
        }
        assert!(has_nul(b"a=%00", b"%00") && has_nul(b"a\0", b"%00") && !has_nul(b"a=%0", b"%00"));
    }
}
