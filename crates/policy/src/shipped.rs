//! The packs that ship with Stead, inside its programs.

use crate::pack::Files;

#[derive(rust_embed::RustEmbed)]
#[folder = "../../packs/remote-work"]
struct RemoteWork;

/// The files of the pack `remote-work`.
pub fn remote_work() -> Files {
    RemoteWork::iter()
        .filter_map(|path| {
            let file = RemoteWork::get(&path)?;
            Some((path.into_owned(), String::from_utf8(file.data.into_owned()).ok()?))
        })
        .collect()
}
