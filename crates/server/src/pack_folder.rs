//! Reading a pack from a folder, with the pack that it builds on.

use std::{fs, path::Path};

use anyhow::{Context, bail};
use stead_policy::{pack::Files, shipped};

/// The largest file of a pack.
const MAX_FILE: u64 = 1024 * 1024;

/// Every file of a pack, by its path within it. What it builds on is the folder of that name beside it, or
/// else the pack of that name that ships.
///
/// # Errors
/// When a folder or a file in it cannot be read as text.
pub fn read(folder: &Path) -> anyhow::Result<Files> {
    let files = read_one(folder)?;
    let Some(base) = shipped::base_of(&files) else { return Ok(files) };
    let beside = folder.join("..").join(&base);
    let base = if beside.is_dir() { Some(read_one(&beside)?) } else { shipped::named(&base) };
    // Without it, reading the pack says what is missing.
    Ok(shipped::on(files, base.unwrap_or_default()))
}

fn read_one(folder: &Path) -> anyhow::Result<Files> {
    let mut files = Files::new();
    for below in ["", "rules", "tests", "data"] {
        let path = folder.join(below);
        if !path.is_dir() {
            if below.is_empty() {
                bail!("{} is no folder", folder.display());
            }
            continue;
        }
        for entry in fs::read_dir(&path).with_context(|| format!("{} cannot be read", path.display()))? {
            let entry = entry?;
            let seen = entry.metadata()?;
            // What editors and systems leave behind, hidden, is nobody's rule.
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            if !seen.is_file() {
                if !below.is_empty() {
                    bail!("{} is a folder, and nothing reads what's in it", entry.path().display());
                }
                continue;
            }
            if seen.len() > MAX_FILE {
                bail!("{} is larger than {MAX_FILE} bytes", entry.path().display());
            }
            let name = entry.file_name().to_string_lossy().into_owned();
            let text = fs::read_to_string(entry.path())
                .with_context(|| format!("{} is no text", entry.path().display()))?;
            files.insert(if below.is_empty() { name } else { format!("{below}/{name}") }, text);
        }
    }
    Ok(files)
}
