//! Reports that wait while the server is away: one file each, with a digest in its first line, in a
//! folder that holds a bounded number of them.

use std::{fs, io, path::PathBuf};

use stead_model::seal::{self, Envelope};

use crate::files;

/// The most reports that wait. Only reports with changed facts do, so this is far more than a long
/// absence brings; beyond it the oldest goes.
pub const MOST: usize = 200;

/// The folder.
#[derive(Clone, Debug)]
pub struct Spool {
    folder: PathBuf,
}

impl Spool {
    /// The spool in this folder; made when it is first written to.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Adds a report.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(&self, seq: i64, report: &Envelope) -> io::Result<()> {
        files::private_folder(&self.folder)?;
        let text = serde_json::to_string(report)?;
        let whole = format!("{}\n{text}", seal::digest(text.as_bytes()));
        files::write_whole(&self.folder.join(format!("{seq:019}.report")), whole.as_bytes(), 0o600)?;
        let waiting = self.names()?;
        for name in waiting.iter().take(waiting.len().saturating_sub(MOST)) {
            fs::remove_file(self.folder.join(name))?;
        }
        Ok(())
    }

    /// The oldest report, and the name to [`Spool::remove`] it by. One whose digest does not fit is set
    /// aside, as `.damaged`, and passed over.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn oldest(&self) -> io::Result<Option<(String, Envelope)>> {
        for name in self.names()? {
            let path = self.folder.join(&name);
            let text = fs::read_to_string(&path)?;
            let whole =
                text.split_once('\n').filter(|(digest, text)| seal::digest(text.as_bytes()) == *digest);
            match whole.and_then(|(_, text)| serde_json::from_str(text).ok()) {
                Some(envelope) => return Ok(Some((name, envelope))),
                None => fs::rename(&path, path.with_extension("damaged"))?,
            }
        }
        Ok(None)
    }

    /// Takes a report out.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.folder.join(name))
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other?,
        };
        let mut names: Vec<String> = entries
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| name.ends_with(".report"))
            .collect();
        names.sort();
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use stead_model::seal::{Seed, SigningKey};

    use super::*;

    fn report(n: i64) -> Envelope {
        SigningKey::from_seed(&Seed::new([1; 32])).unwrap().seal("t", n.to_string().as_bytes(), "d")
    }

    #[test]
    fn reports_come_out_in_order_and_damaged_ones_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::new(folder.path().join("spool"));
        assert!(spool.oldest().unwrap().is_none());
        for n in [10, 9, 11] {
            spool.add(n, &report(n)).unwrap();
        }
        let first = folder.path().join("spool").join(format!("{:019}.report", 9));
        let text = fs::read_to_string(&first).unwrap();
        fs::write(&first, text.replace("\"keyid\":\"d\"", "\"keyid\":\"e\"")).unwrap();
        let (name, envelope) = spool.oldest().unwrap().unwrap();
        assert_eq!(envelope, report(10));
        spool.remove(&name).unwrap();
        assert_eq!(spool.oldest().unwrap().unwrap().1, report(11));
        assert!(first.with_extension("damaged").exists());
    }

    #[test]
    fn the_spool_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::new(folder.path().to_owned());
        for n in 0..i64::try_from(MOST).unwrap() + 3 {
            spool.add(n, &report(n)).unwrap();
        }
        assert_eq!(spool.names().unwrap().len(), MOST);
        assert_eq!(spool.oldest().unwrap().unwrap().1, report(3));
    }
}
