//! What pages are made of besides words: one stylesheet, one sprite of icons, one script. Each has its
//! digest in its address, so that browsers keep it until it changes.

use std::sync::LazyLock;

use axum::{
    extract::Path,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use stead_model::seal;

#[derive(rust_embed::RustEmbed)]
#[folder = "assets"]
#[exclude = "*.md"]
struct Assets;

/// The first digits of the digest over all assets.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut all = Vec::new();
    for name in Assets::iter() {
        all.extend(Assets::get(&name).map(|file| file.metadata.sha256_hash()).unwrap_or_default());
    }
    seal::hex(&seal::sha256(&all))[..12].to_owned()
});

/// The address of an asset.
pub fn address(name: &str) -> String {
    format!("/assets/{}/{name}", *VERSION)
}

/// `GET /assets/{version}/{name}`.
pub async fn get(Path((_, name)): Path<(String, String)>) -> Response {
    let Some(file) = Assets::get(&name) else { return StatusCode::NOT_FOUND.into_response() };
    let kind = match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        _ => "application/octet-stream",
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
    ];
    (headers, file.data.into_owned()).into_response()
}
