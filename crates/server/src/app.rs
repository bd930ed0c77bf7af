//! What every flow is given: the store, the policy in force, the keys, time and randomness.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
};

use stead_model::{
    Millis, seal,
    time::{MINUTE, SECOND},
};
use stead_policy::{Pack, pack::Files, shipped};
use stead_store::Store;
use zeroize::Zeroizing;

use crate::{
    auth::access::Access,
    channels::{
        mail::{self, Mail},
        post::Post,
    },
    error::Refusal,
    flows::{
        check_in::Known,
        glass, identity,
        notices::follow,
        policy::{
            self,
            terms::{self, Index},
            trying::Runs,
        },
        sign_in::{
            hashing::Hashing,
            outside::{self, Outside},
            passkey,
            throttle::Throttle,
        },
        writer::Writer,
    },
    gate::{self, Gate, certificate::Authority},
    keys::Keys,
    printing::Printer,
    source::{Clock, Randomness},
    words::Language,
};

/// The name under which the store keeps that it holds a sample.
const SAMPLE: &str = "sample";

/// What an operator may set.
#[derive(Clone, Debug)]
pub struct Config {
    /// Milliseconds between a device's messages.
    pub check_in_every: i64,
    /// The address that browsers use. Passkeys are bound to its host.
    pub base_url: String,
    /// Whether something in front speaks for those who connect.
    pub behind_proxy: bool,
    /// Where people may sign in elsewhere.
    pub outside: Option<outside::Settings>,
    /// How mail goes out, where it does.
    pub mail: Option<mail::Settings>,
    /// Milliseconds between two messages to the same person.
    pub apart: i64,
    /// The program that prints; the one beside this one, when none is named.
    pub printer: Option<PathBuf>,
    /// What stands behind the gate.
    pub gate: gate::Settings,
    /// Where a backup is made each day, and how many are kept.
    pub backups: Option<(PathBuf, usize)>,
    /// The language for those who have chosen none, where no browser says one.
    pub language: Language,
    /// Whether webhooks may go to private addresses, such as a chat in the organization's own network.
    pub private_hooks: bool,
    /// Whether to go on with keys and database that don't belong together.
    pub adopt: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            check_in_every: 60 * SECOND,
            base_url: "http://localhost:8787".to_owned(),
            behind_proxy: false,
            outside: None,
            mail: None,
            apart: 15 * MINUTE,
            printer: None,
            gate: gate::Settings::default(),
            backups: None,
            language: Language::English,
            private_hooks: false,
            adopt: false,
        }
    }
}

/// The server's state. It keeps nothing that the store does not: any number may share one store.
pub struct App {
    /// The folder with the keys.
    pub data: PathBuf,
    /// The store.
    pub store: Store,
    /// The store's address, with its password where there is one.
    pub(crate) store_url: Zeroizing<String>,
    /// The policy in force.
    in_force: RwLock<Arc<Pack>>,
    /// How it applies to each person and device.
    terms: RwLock<Arc<Index>>,
    /// Held while that is read anew.
    pub(crate) reading_terms: tokio::sync::Mutex<()>,
    /// The keys.
    pub keys: Keys,
    /// Settings.
    pub config: Config,
    /// Who may do what.
    pub access: Access,
    /// Slows guesses down.
    pub throttle: Throttle,
    /// How the jobs went.
    pub jobs: crate::jobs::Jobs,
    /// Whether this server can do its work.
    pub health: crate::health::Health,
    /// Does the costly work on passwords.
    pub hashing: Hashing,
    /// Where people may sign in elsewhere.
    pub outside: Option<Outside>,
    /// How mail goes out, where it does.
    pub mail: Option<Mail>,
    /// Prints documents.
    pub printer: Printer,
    /// How messages go to other systems.
    pub post: Post,
    /// What passkeys are bound to; none where browsers bind none.
    pub passkeys: Option<webauthn_rs::Webauthn>,
    /// Whether the store holds a sample organisation, which every page says.
    sample: AtomicBool,
    /// When the policy is to be reviewed next, as this server knows it; the end of time where nobody knows.
    review_due: AtomicI64,
    /// Whether something has lapsed or been mended since cases were last looked at.
    moved: AtomicBool,
    /// The gate.
    pub gate: Gate,
    /// What was written down of broken glass while the store was away.
    pub(crate) glass: glass::Waiting,
    /// Held by whoever brings people in from a file.
    pub(crate) importing: Arc<tokio::sync::Semaphore>,
    /// Policies that are being tried out.
    pub(crate) trying: Runs,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Randomness>,
    pub(crate) known: Known,
    pub(crate) writer: Writer,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "App({})", self.pack().label())
    }
}

/// The name under which the store keeps by what devices are certified.
const AUTHORITY: &str = "authority of certificates";

/// What certifies devices, the same for every server that shares the store.
async fn authority(store: &Store, keys: &Keys, data: &Path, now: Millis) -> anyhow::Result<Authority> {
    let known = store.meta(AUTHORITY).await?;
    let authority = Authority::open(data, known.as_deref(), now)?;
    if known.is_none() {
        let mut write = store.write().await?;
        write.set_meta(AUTHORITY, &authority.fingerprint()).await?;
        write.commit(&keys.ledger).await?;
    }
    Ok(authority)
}

/// Where the store is when none is named: a file in the data folder.
pub fn store_url(data: &Path, named: Option<&str>) -> String {
    named.map_or_else(|| stead_store::sqlite_url(&data.join("stead.db")), str::to_owned)
}

impl App {
    /// Opens everything. `pack` is the policy, or none for the one that ships.
    ///
    /// # Errors
    /// When the data folder, the store, the keys or the pack cannot be used.
    pub async fn open(
        data: &Path,
        store: Option<&str>,
        pack: Option<&Files>,
        config: Config,
        sources: (Arc<dyn Clock>, Arc<dyn Randomness>),
    ) -> anyhow::Result<Arc<Self>> {
        identity::prepare_folder(data)?;
        // One provider of cryptography for all of TLS; a second one is never installed.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let (clock, random) = sources;
        let store_url = Zeroizing::new(store_url(data, store));
        let store = Store::open(&store_url).await?;
        let keys = identity::open(&store, data, config.adopt, clock.now(), &*random).await?;
        let shipped = shipped::remote_work();
        let given = pack;
        let pack = policy::at_start(&store, given, &shipped).await?;
        let sample = store.meta(SAMPLE).await?.is_some();
        let (writer, queue) = Writer::new();
        let authority = match config.gate.asks_for_certificates() {
            true => Some(authority(&store, &keys, data, clock.now()).await?),
            false => None,
        };
        let mut run = [0; 8];
        anyhow::ensure!(random.fill(&mut run), "the system gave no randomness");
        let app = Arc::new(Self {
            data: data.to_owned(),
            store,
            store_url,
            in_force: RwLock::new(Arc::new(pack)),
            terms: RwLock::default(),
            reading_terms: tokio::sync::Mutex::default(),
            keys,
            access: Access::load()?,
            throttle: Throttle::default(),
            jobs: crate::jobs::Jobs::default(),
            health: crate::health::Health::default(),
            hashing: Hashing::start()?,
            outside: config.outside.clone().map(Outside::new).transpose()?,
            mail: config.mail.as_ref().map(Mail::new).transpose()?,
            printer: Printer::new(config.printer.clone()),
            post: Post::new(config.private_hooks)?,
            passkeys: passkey::relying_party(&config.base_url),
            gate: Gate::new(config.gate.clone(), authority, seal::hex(&run)),
            config,
            sample: AtomicBool::new(sample),
            review_due: AtomicI64::new(i64::MAX),
            moved: AtomicBool::new(true),
            glass: glass::Waiting::new(data),
            importing: Arc::new(tokio::sync::Semaphore::new(1)),
            trying: Runs::default(),
            clock,
            random,
            known: Known::default(),
            writer,
        });
        // The writer ends when the last App that could send to it is gone.
        tokio::spawn(queue.run(Arc::downgrade(&app)));
        let begun = async {
            policy::begin(&app, given.unwrap_or(&shipped)).await?;
            terms::refresh(&app).await?;
            follow::begin(&app).await?;
            gate::follow::begin(&app);
            identity::keep(&app).await?;
            // What was just begun is in the main file from the first moment, not in its log alone.
            app.store.settle().await?;
            Ok::<(), Refusal>(())
        };
        begun.await.map_err(|refusal| {
            anyhow::anyhow!(
                "the store cannot be written: {}",
                refusal.problem(&crate::words::Words::english())
            )
        })?;
        Ok(app)
    }

    /// Marks an empty store as that of a sample organisation. The mark stays.
    ///
    /// # Errors
    /// [`Refusal`] when there is something in the store already, or it is away.
    pub async fn mark_as_sample(&self) -> Result<(), Refusal> {
        if self.store.ledger_head().await?.size > policy::FIRST_ENTRIES {
            return Err(Refusal::new(
                stead_model::problem::Kind::Conflict,
                "A sample organisation goes into an empty store alone.",
            ));
        }
        let mut write = self.store.write().await?;
        write.set_meta(SAMPLE, "1").await?;
        write.commit(&self.keys.ledger).await?;
        self.sample.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Whether the store holds a sample organisation.
    pub fn is_sample(&self) -> bool {
        self.sample.load(Ordering::Relaxed)
    }

    /// The policy in force. Whoever does one thing asks once: it may change meanwhile.
    pub fn pack(&self) -> Arc<Pack> {
        Arc::clone(&self.in_force.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another policy in force. What is remembered of devices was judged by the one before.
    pub(crate) fn put_in_force(&self, pack: Pack) {
        *self.in_force.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(pack);
        self.known.clear();
    }

    /// Takes over when the policy is to be reviewed next.
    pub(crate) fn put_review_due(&self, due: Option<Millis>) {
        self.review_due.store(due.map_or(i64::MAX, |due| due.0), Ordering::Relaxed);
    }

    /// Whether the policy should have been reviewed by now. Every page says so.
    pub fn is_stale(&self) -> bool {
        self.review_due.load(Ordering::Relaxed) <= self.now().0
    }

    /// Says that a standing has changed: a case may follow, or be over.
    pub(crate) fn note_moved(&self) {
        self.moved.store(true, Ordering::Relaxed);
    }

    /// Whether a standing has changed since this was asked last.
    pub(crate) fn has_moved(&self) -> bool {
        self.moved.swap(false, Ordering::Relaxed)
    }

    /// How the policy in force applies to each person and device, as this server knows it.
    pub fn terms(&self) -> Arc<Index> {
        Arc::clone(&self.terms.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes over how the policy applies.
    pub(crate) fn put_terms(&self, terms: Arc<Index>) {
        *self.terms.write().unwrap_or_else(PoisonError::into_inner) = terms;
    }

    /// The time.
    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    /// Random bytes.
    ///
    /// # Errors
    /// When the system gives none, in which case nothing that needs them may be done.
    pub fn random<const N: usize>(&self) -> Result<[u8; N], Refusal> {
        let mut out = [0; N];
        if self.random.fill(&mut out) {
            Ok(out)
        } else {
            Err(Refusal::new(
                stead_model::problem::Kind::Unavailable,
                "The system gives no randomness; try again.",
            ))
        }
    }
}
