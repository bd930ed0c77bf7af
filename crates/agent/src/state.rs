//! The agent's folder: who this device is, its key, and what it must remember from one message to the
//! next. Only its owner may look into it.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use stead_model::{
    DeviceId, Millis,
    message::Answer,
    seal::{self, Envelope, Seed, SigningKey, VerifyingKey},
};
use zeroize::Zeroizing;

use crate::{
    certificate::Held,
    files,
    lost::Gone,
    notices::KeptNotice,
    place::Places,
    tunnel::{Became, Wish},
};

/// The server's last answer of all.
const LATEST: &str = "latest.json";

/// That this computer was reported lost.
const GONE: &str = "lost.json";
/// The device's key.
const KEY: &str = "device.key";
/// The key and certificate for connections, and what is known of them.
const CERTIFICATE: [&str; 2] = ["certificate.pem", "certificate.json"];

/// Who this device is, as the server wrote it down.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The device's id.
    pub device: DeviceId,
    /// Where the server is.
    pub server: String,
    /// The key that the server signs its answers with, base64.
    pub answer_key: String,
    /// The person it is enrolled for.
    pub person: String,
    /// Who owns it.
    pub owner: String,
    /// A file of certificates to trust beside the system's, where the server's is not among them.
    #[serde(default)]
    pub trust: Option<PathBuf>,
}

/// What changes from one message to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Number of the last message that was made.
    pub seq: i64,
    /// Digest of the facts in the last report that the server took.
    pub facts_digest: String,
    /// When that report was made.
    pub reported_at: Millis,
}

/// The agent's folder.
#[derive(Clone, Debug)]
pub struct State {
    folder: PathBuf,
}

/// The folder of an agent that is a service of the system.
pub const SYSTEM: &str = "/var/lib/stead";

/// The folder used when none is named: the system's for root, else the person's own. None where there is no home:
/// a folder that everyone can write to is no place for a key.
pub fn default_folder() -> Option<PathBuf> {
    if rustix::process::geteuid().is_root() {
        return Some(PathBuf::from(SYSTEM));
    }
    let named = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let own = named("XDG_STATE_HOME").or_else(|| Some(named("HOME")?.join(".local/state")))?;
    Some(own.join("stead"))
}

impl State {
    /// The folder at `path`; made when it is first written to.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes the folder.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn make(&self) -> io::Result<()> {
        files::private_folder(&self.folder)
    }

    /// A file in the folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Who this device is, once it is enrolled.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn identity(&self) -> io::Result<Option<Identity>> {
        self.read("identity.json")
    }

    /// Writes down who this device is and its key. The key first: an identity without one is no use.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn set_identity(&self, identity: &Identity, seed: &Seed) -> io::Result<()> {
        self.make()?;
        // A certificate that was made for another device, as which this one was enrolled before, shows nothing any more.
        for name in CERTIFICATE {
            self.take_away(name)?;
        }
        let text = Zeroizing::new(seal::hex(seed.as_ref()));
        files::write_whole(&self.file(KEY), text.as_bytes(), 0o600)?;
        self.write("progress.json", &Progress::default())?;
        self.write("identity.json", identity)
    }

    /// The device's key.
    ///
    /// # Errors
    /// When it cannot be read or is no key.
    pub fn key(&self) -> io::Result<SigningKey> {
        let text = Zeroizing::new(fs::read_to_string(self.file(KEY))?);
        let bytes = Zeroizing::new(seal::unhex(text.trim()).unwrap_or_default());
        let seed: [u8; 32] = bytes.as_slice().try_into().map_err(|_| damaged(KEY))?;
        SigningKey::from_seed(&Zeroizing::new(seed)).map_err(|_| damaged(KEY))
    }

    /// What changes from one message to the next.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn progress(&self) -> io::Result<Progress> {
        Ok(self.read("progress.json")?.unwrap_or_default())
    }

    /// Remembers it. Written before a message is sent, so that a number is never used twice.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn set_progress(&self, progress: &Progress) -> io::Result<()> {
        self.write("progress.json", progress)
    }

    /// Keeps the server's last answer as it was sealed.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_answer(&self, answer: &Envelope) -> io::Result<()> {
        self.write("answer.json", answer)
    }

    /// Keeps the server's last answer of all, which may be without findings.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_latest(&self, answer: &Envelope) -> io::Result<()> {
        self.write(LATEST, answer)
    }

    /// The server's last answer with all findings, its seal checked.
    ///
    /// # Errors
    /// When it cannot be read, or its seal does not fit.
    pub fn answer(&self, identity: &Identity) -> io::Result<Option<Answer>> {
        self.sealed("answer.json", identity)
    }

    /// The server's last answer of all, its seal checked.
    ///
    /// # Errors
    /// When it cannot be read, or its seal does not fit.
    pub fn latest(&self, identity: &Identity) -> io::Result<Option<Answer>> {
        self.sealed(LATEST, identity)
    }

    fn sealed(&self, name: &str, identity: &Identity) -> io::Result<Option<Answer>> {
        let Some(envelope) = self.read::<Envelope>(name)? else { return Ok(None) };
        let key = VerifyingKey::from_text(&identity.answer_key).map_err(|_| damaged("identity.json"))?;
        let opened = envelope.open(stead_model::message::ANSWER, &key).map_err(|_| damaged(name))?;
        Ok(Some(serde_json::from_slice(opened.bytes())?))
    }

    /// The file with the places that the person has named.
    pub fn places_file(&self) -> PathBuf {
        self.file("places.json")
    }

    /// The places that the person has named.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn places(&self) -> io::Result<Places> {
        Places::load(&self.places_file())
    }

    /// The file with the tunnel that the person wants.
    pub fn tunnel_wish_file(&self) -> PathBuf {
        self.file("tunnel.json")
    }

    /// The tunnel that the person wants; none where they want none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn tunnel_wish(&self) -> io::Result<Option<Wish>> {
        Ok(self.read::<Option<Wish>>("tunnel.json")?.flatten())
    }

    /// Writes down what they want.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn set_tunnel_wish(&self, wish: Option<&Wish>) -> io::Result<()> {
        self.write("tunnel.json", &wish)
    }

    /// What became of their wish.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn tunnel(&self) -> io::Result<Option<Became>> {
        Ok(self.read::<Option<Became>>("tunnel-now.json")?.flatten())
    }

    /// Writes down what became of it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn set_tunnel(&self, became: Option<&Became>) -> io::Result<()> {
        self.write("tunnel-now.json", &became)
    }

    /// What the person was told on this screen, oldest first.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn notices(&self) -> io::Result<Vec<KeptNotice>> {
        Ok(self.read("notices.json")?.unwrap_or_default())
    }

    /// Keeps it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn set_notices(&self, notices: &[KeptNotice]) -> io::Result<()> {
        self.write("notices.json", &notices)
    }

    /// That this computer was reported lost, where it was.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn gone(&self) -> io::Result<Option<Gone>> {
        self.read(GONE)
    }

    /// Writes down that it was reported lost.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn set_gone(&self, gone: &Gone) -> io::Result<()> {
        self.write(GONE, gone)
    }

    /// Takes away that it was reported lost: it was enrolled anew.
    ///
    /// # Errors
    /// When it cannot be taken away.
    pub fn no_more_gone(&self) -> io::Result<()> {
        self.take_away(GONE)
    }

    /// What is known of the certificate for connections; none where there is none. One of which that cannot be told is
    /// taken for as old as can be.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn certificate(&self) -> io::Result<Option<Held>> {
        match self.read(CERTIFICATE[1]) {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Ok(Some(Held { made_at: Millis(0), until: Millis(0) }))
            }
            read => read,
        }
    }

    /// Writes down the certificate with its key, and then what is known of it.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn set_certificate(&self, held: &Held, both: &str) -> io::Result<()> {
        files::write_whole(&self.file(CERTIFICATE[0]), both.as_bytes(), 0o600)?;
        self.write(CERTIFICATE[1], held)
    }

    fn take_away(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.file(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Forgets everything but that it was reported lost: first the key, then the rest.
    ///
    /// # Errors
    /// When something could not be taken away; the rest is all the same.
    pub fn forget(&self) -> io::Result<()> {
        let mut done = wipe(&self.file(KEY)).and(wipe(&self.file(CERTIFICATE[0])));
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if entry.file_name() == GONE {
                continue;
            }
            let gone = match entry.file_type()?.is_dir() {
                true => fs::remove_dir_all(entry.path()),
                false => fs::remove_file(entry.path()),
            };
            done = done.and(gone);
        }
        done
    }

    fn read<T: for<'a> Deserialize<'a>>(&self, name: &str) -> io::Result<Option<T>> {
        match fs::read(self.file(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|_| damaged(name)),
        }
    }

    fn write<T: Serialize>(&self, name: &str, value: &T) -> io::Result<()> {
        files::write_whole(&self.file(name), &serde_json::to_vec_pretty(value)?, 0o600)
    }
}

/// Takes away a file after its bytes were written over.
fn wipe(file: &Path) -> io::Result<()> {
    match fs::metadata(file) {
        Ok(found) => {
            let nothing = vec![0; usize::try_from(found.len()).unwrap_or(64)];
            // Over what is there, not beside it.
            let over = fs::OpenOptions::new()
                .write(true)
                .open(file)
                .and_then(|mut file| file.write_all(&nothing).and_then(|()| file.sync_all()));
            over.and(fs::remove_file(file))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn damaged(name: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{name} is damaged; enrol this device again"))
}
