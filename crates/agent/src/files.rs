//! Files that are there whole or not at all.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

/// Writes a file beside its place, makes it durable and moves it there.
///
/// # Errors
/// When it cannot be written.
pub fn write_whole(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let beside = path.with_extension("new");
    // One that was left half written by an earlier run must not lend its mode or owner.
    let _ = fs::remove_file(&beside);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    if let Some(folder) = path.parent() {
        fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Makes a folder that only its owner may look into, or makes one that is there so.
///
/// # Errors
/// When it can't be made, or belongs to another user, who could read and replace what is in it.
pub fn private_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    let there = fs::metadata(path)?;
    if there.uid() != rustix::process::geteuid().as_raw() {
        let why = format!("{} belongs to another user. Name another folder with --state.", path.display());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    }
    if there.mode() & 0o077 != 0 {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S30: a folder that was there already stayed as open as it was.
    #[test]
    fn s30_a_folder_that_is_there_is_made_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        fs::create_dir(&state).unwrap();
        fs::set_permissions(&state, fs::Permissions::from_mode(0o777)).unwrap();
        private_folder(&state).unwrap();
        assert_eq!(fs::metadata(&state).unwrap().mode() & 0o777, 0o700);
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(&state, Some(65_534), None).unwrap();
            let refused = private_folder(&state).unwrap_err();
            assert!(refused.to_string().contains("belongs to another user"), "{refused}");
        }
    }
}
