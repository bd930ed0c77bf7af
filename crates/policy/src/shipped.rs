//! The packs that ship with Stead, inside its programs.

use crate::pack::{BASE, Files};

/// All of it where the feature `whole` is on. Without it, what a device needs to judge itself: a device has
/// no room for what it never shows.
#[derive(rust_embed::RustEmbed)]
#[folder = "../../packs/remote-work"]
#[cfg_attr(not(feature = "whole"), exclude = "*.pt-BR.md")]
#[cfg_attr(not(feature = "whole"), exclude = "tests/*")]
struct RemoteWork;

#[cfg(feature = "whole")]
#[derive(rust_embed::RustEmbed)]
#[folder = "../../packs/telework-government"]
struct TeleworkGovernment;

fn all<Pack: rust_embed::RustEmbed>() -> Files {
    Pack::iter()
        .filter_map(|path| {
            let file = Pack::get(&path)?;
            Some((path.into_owned(), String::from_utf8(file.data.into_owned()).ok()?))
        })
        .collect()
}

/// The files of the pack `remote-work`.
pub fn remote_work() -> Files {
    all::<RemoteWork>()
}

/// The files of the pack `telework-government`, with those of `remote-work`, on which it builds.
#[cfg(feature = "whole")]
pub fn telework_government() -> Files {
    on(all::<TeleworkGovernment>(), remote_work())
}

/// A pack with the one that it builds on.
pub fn on(mut files: Files, base: Files) -> Files {
    files.extend(base.into_iter().map(|(path, text)| (format!("{BASE}{path}"), text)));
    files
}

/// The name of the pack that another one builds on.
pub fn base_of(files: &Files) -> Option<String> {
    let manifest: toml::Table = toml::from_str(files.get("pack.toml")?).ok()?;
    let name = manifest.get("extends")?.as_str()?;
    // It is a name, and becomes no way to another folder.
    let plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    (plain && !name.is_empty()).then(|| name.to_owned())
}

/// The pack of this name that ships, without what it builds on.
#[cfg(feature = "whole")]
pub fn named(name: &str) -> Option<Files> {
    match name {
        "remote-work" => Some(remote_work()),
        "telework-government" => Some(all::<TeleworkGovernment>()),
        _ => None,
    }
}

/// The packs that ship.
#[cfg(feature = "whole")]
pub const NAMES: [&str; 2] = ["remote-work", "telework-government"];
