//! Checking in: collect, seal, send; spool while the server is away.

use std::{
    sync::mpsc::{Receiver, Sender},
    time::Duration,
};

use anyhow::Context;
use stead_model::{
    Millis,
    loss::{LOST, Lost},
    message::{ANSWER, Answer, DELIVERY, Delivery, VERSION},
    problem::Kind,
    seal::{self, Envelope, SigningKey, VerifyingKey},
    time::{HOUR, SECOND},
};

use stead_transport::{SendError, Transport};

use crate::{
    certificate, facts,
    host::Host,
    kept::Kept,
    lost::{self, Gone},
    notices::{self, ASK_EVERY},
    reporting::Prepared,
    spool::Spool,
    state::{Identity, Progress, State},
    tunnel::{self, Asker},
    wake::{self, Wake},
};

/// Facts travel whole at least this often, so that there is a recent sealed report.
const WHOLE_EVERY: i64 = 12 * HOUR;

/// How long to wait when no server has said how long.
const FIRST_INTERVAL: i64 = 60 * SECOND;

/// How long nothing must have changed for a change to count as one by itself.
const CALM: i64 = 3 * SECOND;

/// What a check-in came to.
#[derive(Debug)]
pub enum CheckedIn {
    /// The server answered.
    Answered(Box<Answer>),
    /// The server is away; why. What has changed waits in the spool.
    Away(String),
    /// This computer was reported lost.
    Lost(Lost),
}

/// Why a message got no answer, or another one.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Send(#[from] SendError),
    #[error("this computer was reported lost")]
    Lost(Lost),
}

/// An enrolled agent.
#[derive(Debug)]
pub struct CheckIns<'a> {
    state: &'a State,
    identity: Identity,
    key: SigningKey,
    answer_key: VerifyingKey,
    transport: Transport,
    spool: Spool,
    host: Host,
    kept: Kept,
}

impl<'a> CheckIns<'a> {
    /// Opens the state of an enrolled agent.
    ///
    /// # Errors
    /// When this device is not enrolled or its state cannot be read.
    pub fn open(state: &'a State) -> anyhow::Result<Self> {
        let identity = state.identity()?.context(
            "this device is not enrolled; ask your coordinator for a code and run `stead enroll SERVER CODE`",
        )?;
        Ok(Self {
            key: state.key().context("the device's key cannot be read")?,
            answer_key: VerifyingKey::from_text(&identity.answer_key)?,
            transport: Transport::new(&identity.server, identity.trust.as_deref())?,
            spool: Spool::new(state.file("spool")),
            host: Host::real(),
            kept: Kept::load(&state.file("kept.json")),
            state,
            identity,
        })
    }

    /// Collects and checks in once.
    ///
    /// # Errors
    /// When the server refuses, or the state cannot be written.
    pub fn once(&self, now: &dyn Fn() -> Millis) -> anyhow::Result<CheckedIn> {
        let prepared = Prepared::new(facts::collect(&self.host, &self.kept, &self.state.places(), now()))?;
        self.kept.save(&self.state.file("kept.json"))?;
        if let Err(came_to) = self.deliver_spool(now)? {
            if matches!(came_to, CheckedIn::Away(_)) {
                self.wait_in_spool(&prepared, now())?;
            }
            return Ok(came_to);
        }
        let progress = self.state.progress()?;
        let whole =
            prepared.digest != progress.facts_digest || now().since(progress.reported_at) >= WHOLE_EVERY;
        if whole {
            return self.report(&prepared, now());
        }
        let seq = self.next_seq()?;
        let heartbeat = prepared.seal_heartbeat(&self.key, self.identity.device, seq, now())?;
        match self.send(&heartbeat) {
            Ok(answer) => self.answered(answer),
            Err(Failed::Send(SendError::Refused(problem)))
                if problem.kind.ends_with(Kind::FactsNeeded.slug()) =>
            {
                self.report(&prepared, now())
            }
            Err(Failed::Send(SendError::Away(why))) => Ok(CheckedIn::Away(why)),
            Err(Failed::Lost(order)) => Ok(CheckedIn::Lost(order)),
            Err(other) => Err(other.into()),
        }
    }

    fn report(&self, prepared: &Prepared, now: Millis) -> anyhow::Result<CheckedIn> {
        let seq = self.next_seq()?;
        let report = prepared.seal_report(&self.key, self.identity.device, seq, now)?;
        match self.send(&report) {
            Ok(answer) => {
                self.reported(prepared, now)?;
                self.answered(answer)
            }
            Err(Failed::Send(SendError::Away(why))) => {
                self.spool.add(seq, &report)?;
                self.reported(prepared, now)?;
                Ok(CheckedIn::Away(why))
            }
            Err(Failed::Lost(order)) => Ok(CheckedIn::Lost(order)),
            Err(other) => Err(other.into()),
        }
    }

    /// The server is away: what has changed since the last report waits; what has not needs no waiting.
    fn wait_in_spool(&self, prepared: &Prepared, now: Millis) -> anyhow::Result<()> {
        if prepared.digest == self.state.progress()?.facts_digest {
            return Ok(());
        }
        let seq = self.next_seq()?;
        self.spool.add(seq, &prepared.seal_report(&self.key, self.identity.device, seq, now)?)?;
        self.reported(prepared, now)
    }

    fn reported(&self, prepared: &Prepared, now: Millis) -> anyhow::Result<()> {
        let progress = self.state.progress()?;
        Ok(self.state.set_progress(&Progress {
            facts_digest: prepared.digest.clone(),
            reported_at: now,
            ..progress
        })?)
    }

    /// Sends what waits, oldest first. The inner error is what the check-in comes to where it ends here.
    fn deliver_spool(&self, now: &dyn Fn() -> Millis) -> anyhow::Result<Result<(), CheckedIn>> {
        while let Some((name, late)) = self.spool.oldest()? {
            let delivery = Delivery { v: VERSION, device: self.identity.device, sent_at: now(), late };
            let device = self.identity.device.to_string();
            let envelope = self.key.seal(DELIVERY, &serde_json::to_vec(&delivery)?, &device);
            match self.send(&envelope) {
                Ok(_) => {}
                Err(Failed::Send(SendError::Away(why))) => return Ok(Err(CheckedIn::Away(why))),
                Err(Failed::Lost(order)) => return Ok(Err(CheckedIn::Lost(order))),
                // The server has a later one, or will never take this one: it must not block the rest.
                Err(error) => eprintln!("stead: a report that waited was not taken: {error}"),
            }
            self.spool.remove(&name)?;
        }
        Ok(Ok(()))
    }

    fn next_seq(&self) -> anyhow::Result<i64> {
        let progress = self.state.progress()?;
        let seq = progress.seq + 1;
        self.state.set_progress(&Progress { seq, ..progress })?;
        Ok(seq)
    }

    fn send(&self, envelope: &Envelope) -> Result<(Envelope, Answer), Failed> {
        let text = self.transport.post("/api/v1/check-ins", envelope)?;
        let unreadable = |why: &str| SendError::Away(format!("its answer {why}"));
        let sealed: Envelope = serde_json::from_str(&text).map_err(|_| unreadable("cannot be read"))?;
        if let Ok(opened) = sealed.open(LOST, &self.answer_key) {
            let order: Lost =
                serde_json::from_slice(opened.bytes()).map_err(|_| unreadable("cannot be read"))?;
            let sent = serde_json::to_string(envelope).map_err(|_| unreadable("cannot be read"))?;
            // An order that somebody kept from another time is none.
            return Err(match order.answers == seal::digest(sent.as_bytes()) {
                true if order.device == self.identity.device => Failed::Lost(order),
                true | false => unreadable("is to another message").into(),
            });
        }
        let opened = sealed
            .open(ANSWER, &self.answer_key)
            .map_err(|_| unreadable("is not sealed by the server this device enrolled at"))?;
        let answer: Answer =
            serde_json::from_slice(opened.bytes()).map_err(|_| unreadable("cannot be read"))?;
        if answer.device != self.identity.device {
            return Err(unreadable("is for another device").into());
        }
        Ok((sealed, answer))
    }

    fn answered(&self, (sealed, answer): (Envelope, Answer)) -> anyhow::Result<CheckedIn> {
        if answer.findings.is_some() {
            self.state.keep_answer(&sealed)?;
        }
        self.state.keep_latest(&sealed)?;
        Ok(CheckedIn::Answered(Box::new(answer)))
    }

    /// This computer was reported lost: it locks itself and forgets what it holds.
    ///
    /// # Errors
    /// When something could not be forgotten.
    pub fn obey(&self, order: &Lost, now: Millis) -> anyhow::Result<Gone> {
        lost::obey(self.state, &self.host, (&self.identity, &self.key), order, now)
    }

    /// Asks what the person at this computer is to be told, and shows it; how much was shown.
    ///
    /// # Errors
    /// When the server refuses or is away, or the state cannot be written.
    pub fn ask_notices(&self, now: Millis) -> anyhow::Result<usize> {
        notices::ask(
            self.state,
            &self.identity,
            (&self.key, &self.answer_key),
            &self.transport,
            &self.host,
            now,
        )
    }

    /// By what other questions than check-ins are asked.
    pub fn asker(&self) -> Asker<'_> {
        Asker {
            state: self.state,
            identity: &self.identity,
            key: &self.key,
            answer_key: &self.answer_key,
            transport: &self.transport,
        }
    }

    /// Checks in again and again at the interval that the server tells, give or take a tenth, so that
    /// devices that started together do not stay together; and at once when something wakes it.
    ///
    /// # Errors
    /// When the state cannot be written, or no randomness is to be had.
    pub fn keep_on(
        &self,
        now: &dyn Fn() -> Millis,
        say: &dyn Fn(&str),
        woken: &Receiver<Wake>,
    ) -> anyhow::Result<()> {
        let mut interval = FIRST_INTERVAL;
        let mut asked_at = None;
        let mut tunnel = tunnel::Held::default();
        let mut certificate = certificate::Keeper::default();
        let (mut clearance, mut certified) = (None, None);
        let mut waiting = Vec::new();
        let mut changed_at = Millis(0);
        loop {
            let checked_in = self.once(now);
            for done in waiting {
                // Whoever waited may have gone away meanwhile.
                let _: Result<(), _> = Sender::send(&done, ());
            }
            match checked_in {
                Ok(CheckedIn::Answered(answer)) => {
                    interval = answer.next_in.clamp(SECOND, 24 * HOUR);
                    say(&format!("checked in, number {}: {}", answer.seq, answer.standing));
                    (clearance, certified) = (answer.clearance, answer.certified);
                }
                Ok(CheckedIn::Away(why)) => say(&format!("{why}; trying again")),
                Ok(CheckedIn::Lost(order)) => {
                    drop(tunnel);
                    return self.obey(&order, now()).map(|_| ());
                }
                Err(error) => say(&format!("{error:#}")),
            }
            let asker = self.asker();
            if let Err(error) = tunnel.settle(&asker, clearance.as_ref(), now()) {
                say(&format!("the tunnel could not be settled: {error:#}"));
            }
            if let Err(error) = certificate.renew(&asker, certified, now()) {
                say(&format!("the certificate for connections could not be renewed: {error:#}"));
            }
            if asked_at.is_none_or(|at| now().since(at) >= ASK_EVERY) {
                asked_at = Some(now());
                if let Err(error) = self.ask_notices(now()) {
                    say(&format!("messages could not be asked for: {error:#}"));
                }
            }
            let interval = Duration::from_millis(jittered(interval)?);
            let changed;
            (waiting, changed) = wake::wait(woken, interval, || {
                let lately = now().since(changed_at) < CALM;
                if lately { wake::GOES_ON } else { wake::SETTLES }
            });
            if !changed.is_empty() {
                changed_at = now();
                say(&format!("something has changed: {}", changed.join(", ")));
            }
        }
    }
}

fn jittered(interval: i64) -> anyhow::Result<u64> {
    let mut random = [0; 8];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| anyhow::anyhow!("the system gave no randomness"))?;
    let interval = u64::try_from(interval)?;
    let tenth = interval / 10;
    Ok(interval - tenth + u64::from_le_bytes(random) % (2 * tenth + 1))
}
