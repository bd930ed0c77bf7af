//! Losses, with a clock of the test's own: doors, who may do what, clocks, practice, what comes back.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot go on must stop")]

mod support;

use std::sync::Arc;

use serde_json::Value;
use stead_model::{
    DeviceId, Millis, PersonId, Role, Standing, UnitId,
    loss::{
        FAREWELL, Farewell, LOSS_ANSWERED, LOSS_ASKED, LOST, LossAnswered, LossAsked, LossTold, Lost, Thing,
    },
    message::{ANSWER, Enrolled, VERSION},
    seal::{self, Envelope, VerifyingKey},
    time::{DAY, HOUR, MINUTE},
};
use stead_server::{
    App, Config,
    flows::{
        check_in,
        loss::{
            self, Teller,
            back::{self, Return},
            card,
            desk::{self, Taken},
            doors::{self, Door, Is},
            evidence::{Encrypted, Evidence},
        },
        revoke,
    },
    gate::decide,
    jobs,
    source::{SystemClock, SystemRandomness},
};
use stead_store::loss::{Loss, State};
use stead_testkit::{
    SimDevice,
    device::{good_facts_at, text},
};
use support::TestServer;

struct World {
    server: TestServer,
    sam: PersonId,
    security: PersonId,
    laptop: SimDevice,
}

async fn world() -> World {
    let server = TestServer::start().await;
    let sam = server.person("Sam Sample", UnitId::ORGANISATION).await;
    let security = server.person("Sasha Security", UnitId::ORGANISATION).await;
    server.give(security, Role::Security, UnitId::ORGANISATION).await;
    let laptop = server.sim_device(sam, 1).await;
    World { server, sam, security, laptop }
}

fn told(device: Option<DeviceId>, thing: Thing) -> LossTold {
    let label = if device.is_some() { String::new() } else { "file P-0417".to_owned() };
    LossTold { device, thing, label, stolen: false, noticed: 0, words: String::new(), practice: false }
}

impl World {
    async fn tell(&self, told: &LossTold) -> Loss {
        let person = self.server.app.store.person(self.sam).await.unwrap().unwrap();
        loss::tell(&self.server.app, &person, told, Teller::on_page(self.sam, None)).await.unwrap()
    }

    async fn lose_laptop(&self) -> Loss {
        self.tell(&told(Some(self.laptop.id), Thing::Computer)).await
    }

    async fn loss(&self, loss: &Loss) -> Loss {
        self.server.app.store.loss(loss.id).await.unwrap().unwrap()
    }

    async fn step(&self, by: (PersonId, bool), loss: &Loss, step: &str, risk: &str) -> Result<(), String> {
        let words = "It was done as it should be".to_owned();
        let taken = Taken { step: step.to_owned(), words, risk: risk.to_owned() };
        let done = desk::take(&self.server.app, by, loss.id, taken).await;
        done.map_err(|refusal| refusal.problem(&stead_server::words::Words::english()).kind)
    }

    /// What is told to somebody, by the names of messages.
    async fn notices(&self, person: PersonId) -> Vec<String> {
        jobs::notices(&self.server.app).await;
        self.server.app.store.notices(person, 100).await.unwrap().into_iter().map(|n| n.say).collect()
    }

    /// What stands against the laptop at the gate.
    async fn gate(&self) -> Vec<&'static str> {
        let app = &self.server.app;
        app.gate.settled().await;
        let why = decide::against(&app.gate.index, &app.pack(), (self.sam, self.laptop.id), 0, app.now());
        why.iter().map(decide::Why::word).collect()
    }

    /// What the server says to the next heartbeat of the laptop.
    async fn speaks(&mut self) -> Result<(Envelope, String), String> {
        let now = self.server.app.now();
        let message = text(&self.laptop.report(&good_facts_at(now), now));
        let answer = check_in::check_in(&self.server.app, &message).await;
        let said = answer.map_err(|refusal| refusal.problem(&stead_server::words::Words::english()).kind);
        said.map(|envelope| (envelope, message))
    }

    fn order(&self, (envelope, message): &(Envelope, String)) -> Lost {
        let key = VerifyingKey::from_text(&self.laptop.answer_key).unwrap();
        let order: Lost = serde_json::from_slice(envelope.open(LOST, &key).unwrap().bytes()).unwrap();
        assert_eq!(order.answers, seal::digest(message.as_bytes()), "it answers this message and no other");
        order
    }

    fn farewell(&self, lost_at: Millis) -> Envelope {
        let at = self.server.app.now();
        let said =
            Farewell { v: VERSION, device: self.laptop.id, at, lost_at, locked: true, why: String::new() };
        self.laptop.seal(FAREWELL, &serde_json::to_vec(&said).unwrap())
    }

    async fn says_farewell(&self, farewell: &Envelope) -> u16 {
        let headers = [("content-type", "application/json")];
        self.server.send_with("POST", "/api/v1/farewells", &headers, &text(farewell)).await.status
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_door_is_shut_in_one_step_and_the_session_that_tells_stays() {
    let mut w = world().await;
    let app = w.server.app.clone();
    let (here, elsewhere) = (w.server.sign_in(w.sam).await, w.server.sign_in(w.sam).await);
    let token = w.server.token(w.sam, &["read"]).await;
    assert!(w.gate().await.is_empty(), "it is let in before");
    let tallies = app.store.tallies().await.unwrap();

    w.server.pass(MINUTE);
    let form = format!("what=device%3A{}&stolen=stolen&noticed=hour&words=On+the+train", w.laptop.id);
    let reply = w.server.post("/lost", &here, &form).await;
    assert_eq!(reply.status, 303, "{}", reply.body);
    let page = reply.location.clone();
    assert_eq!(w.gate().await, ["revoked"]);
    assert_eq!(w.server.get("/home", &here).await.status, 200, "who tells goes on");
    assert_eq!(w.server.get("/home", &elsewhere).await.status, 303, "everywhere else is signed out");
    assert_eq!(w.server.ask("GET", "/api/v1/me", &token, &[], "").await.status, 401);
    let shown = w.server.get(&page, &here).await;
    assert!(shown.status == 200 && shown.body.contains("laptop-1 was taken"), "{}", shown.body);
    assert!(shown.body.contains("Yes, every disk") && shown.body.contains("5 of 6 shut"), "{}", shown.body);
    assert!(shown.body.contains("On the train") && shown.body.contains("Report the theft to the police"));

    let loss = app.store.losses_of(w.sam).await.unwrap().remove(0);
    assert_eq!(
        (loss.state, loss.stolen, loss.told_at.since(loss.noticed_at)),
        (State::Open, true, 30 * MINUTE)
    );
    let known = Evidence::read(&loss.evidence);
    assert_eq!(known.encrypted, Encrypted::Yes);
    for door in Door::ALL {
        let is = doors::is(&app, &loss, door, loss.told_at).await.unwrap();
        assert_eq!(is, if door == Door::Agent { Is::Waits } else { Is::Shut }, "{door:?}");
    }
    let after = app.store.tallies().await.unwrap();
    assert_eq!(after["standing/good"], tallies["standing/good"] - 1, "it counts among devices no more");
    // The entry commits to what was known, and names nothing.
    let entries =
        app.store.ledger_mentioning(&format!("person:{}", w.sam), &loss.id.to_string()).await.unwrap();
    assert_eq!(entries[0].kind, "loss.told");
    let entry: Value = serde_json::from_str(&entries[0].text).unwrap();
    assert!(loss::is_as_committed(&loss, entry["data"]["evidence"].as_str().unwrap()));
    assert!(!entries[0].text.contains("laptop-1") && !entries[0].text.contains("train"));

    // Telling again leads to the same, and whoever speaks with its key is told what to do and nothing else.
    assert_eq!(w.lose_laptop().await.id, loss.id);
    let said = w.speaks().await.unwrap();
    assert_eq!(
        w.order(&said).lost_at,
        app.store.device(w.laptop.id).await.unwrap().unwrap().lost_at.unwrap()
    );
    let notice = w.notices(w.security).await;
    assert!(notice.contains(&"notice-loss-of".to_owned()), "security hears: {notice:?}");
    assert!(w.notices(w.security).await.contains(&"notice-loss-heard".to_owned()));
    assert!(
        w.notices(w.sam).await.contains(&"notice-loss".to_owned()),
        "it may have been somebody in their name"
    );
    // Told again, by card: whoever told before keeps nothing.
    assert_eq!(w.server.get("/home", &here).await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_device_says_farewell_once_and_does_not_come_back_by_itself() {
    let mut w = world().await;
    let loss = w.lose_laptop().await;
    let said = w.speaks().await.unwrap();
    let order = w.order(&said);
    let another = w.farewell(order.lost_at.plus(1));
    assert_eq!(w.says_farewell(&another).await, 409, "an answer to another order");
    let enrolled = Enrolled {
        device: w.laptop.id,
        answer_key: w.laptop.answer_key.clone(),
        person: String::new(),
        owner: String::new(),
    };
    let mut stranger = SimDevice::with_identity([9; 32], enrolled);
    assert_eq!(w.says_farewell(&stranger.seal(FAREWELL, b"{}")).await, 401, "another key");
    let farewell = w.farewell(order.lost_at);
    assert_eq!(w.says_farewell(&farewell).await, 204);
    let obeyed = w.loss(&loss).await.obeyed_at;
    assert!(obeyed.is_some());
    w.server.pass(MINUTE);
    assert_eq!(w.says_farewell(&farewell).await, 204, "sent again, it changes nothing");
    assert_eq!(w.loss(&loss).await.obeyed_at, obeyed);

    // What has forgotten its keys is enrolled anew; that it was no loss opens nothing, and is not for its person to say of
    // what was heard of.
    assert!(back::bring(&w.server.app, (w.sam, false), loss.id, Return::Mistaken, "").await.is_err());
    back::bring(&w.server.app, (w.security, true), loss.id, Return::Mistaken, "").await.unwrap();
    assert_eq!(w.loss(&loss).await.state, State::Mistaken);
    assert_eq!(w.gate().await, ["revoked"]);
    let report = stranger.report(&good_facts_at(w.server.app.now()), w.server.app.now());
    assert!(check_in::check_in(&w.server.app, &text(&report)).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_false_alarm_is_undone_by_its_person_and_what_was_found_by_security() {
    let mut w = world().await;
    let app = w.server.app.clone();
    let before = app.store.tallies().await.unwrap();
    let loss = w.lose_laptop().await;
    assert_eq!(w.gate().await, ["revoked"]);
    // Undoing asks who one is.
    let session = w.server.sign_in(w.sam).await;
    w.server.pass(11 * MINUTE);
    let refused = w.server.post(&format!("/losses/{}/back", loss.id), &session, "how=mistaken").await;
    assert_eq!(refused.status, 403, "{}", refused.body);
    assert_eq!(w.gate().await, ["revoked"]);
    let session = w.server.sign_in(w.sam).await;
    let done = w.server.post(&format!("/losses/{}/back", loss.id), &session, "how=mistaken").await;
    assert_eq!(done.status, 303, "{}", done.body);
    assert!(w.gate().await.is_empty(), "it works again");
    assert_eq!(app.store.tallies().await.unwrap(), before, "and counts again as before");
    w.server.pass(MINUTE);
    assert!(w.speaks().await.is_ok());
    let device = app.store.device(w.laptop.id).await.unwrap().unwrap();
    assert_eq!((device.standing, device.lost_at, device.revoked_at), (Standing::Good, None, None));
    assert_eq!(
        w.step((w.security, true), &loss, "look", "").await,
        Ok(()),
        "its steps can still be written down"
    );

    // Lost in earnest, and found: its person does not let it in.
    let loss = w.lose_laptop().await;
    let by_sam = (w.sam, false);
    back::bring(&app, by_sam, loss.id, Return::Found, "Under the sofa").await.unwrap();
    assert_eq!(w.gate().await, ["revoked"]);
    assert!(back::bring(&app, by_sam, loss.id, Return::LetIn, "It looks fine to me").await.is_err());
    assert!(
        back::bring(&app, (w.security, true), loss.id, Return::LetIn, "").await.is_err(),
        "say what was looked at"
    );
    back::bring(&app, (w.security, true), loss.id, Return::LetIn, "Seal and screws looked at").await.unwrap();
    assert!(w.gate().await.is_empty());
    let said = w.notices(w.sam).await;
    assert!(said.contains(&"notice-loss-let-in".to_owned()), "{said:?}");
    assert!(
        back::bring(&app, (w.security, true), loss.id, Return::LetIn, "Once more, please").await.is_err()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_are_taken_by_whom_they_belong_to_and_the_last_one_closes() {
    let w = world().await;
    let loss = w.lose_laptop().await;
    let (sam, security) = ((w.sam, false), (w.security, true));
    assert_eq!(w.step(sam, &loss, "look", "").await, Err("/problems/forbidden".to_owned()));
    assert_eq!(
        w.step(sam, &loss, "police", "").await,
        Err("/problems/not-found".to_owned()),
        "nothing was stolen"
    );
    assert_eq!(w.step(sam, &loss, "passkeys", "").await, Ok(()));
    assert_eq!(w.step(sam, &loss, "passkeys", "").await, Err("/problems/conflict".to_owned()));
    assert_eq!(
        w.step(security, &loss, "review", "").await,
        Err("/problems/conflict".to_owned()),
        "others are open"
    );
    assert_eq!(w.step(security, &loss, "triage", "").await, Err("/problems/invalid".to_owned()));
    for step in ["look", "incident", "authority", "insurer", "replacement"] {
        assert_eq!(w.step(security, &loss, step, "").await, Ok(()), "{step}");
    }
    assert_eq!(w.step(security, &loss, "triage", "none").await, Ok(()));
    assert_eq!(w.step(security, &loss, "review", "").await, Ok(()));
    let closed = w.loss(&loss).await;
    assert_eq!((closed.state, closed.risk.as_str()), (State::Closed, "none"));
    assert_eq!(w.step(security, &loss, "look", "").await, Err("/problems/conflict".to_owned()));
    assert!(desk::note(&w.server.app, w.sam, loss.id, "Too late").await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn clocks_run_and_whoever_is_to_act_hears() {
    let w = world().await;
    w.lose_laptop().await;
    let clocks = |said: &[String], name: &str| said.iter().filter(|say| *say == name).count();
    assert_eq!(clocks(&w.notices(w.security).await, "notice-loss-clock"), 0);
    w.server.pass(12 * MINUTE);
    assert_eq!(
        clocks(&w.notices(w.security).await, "notice-loss-clock"),
        1,
        "a quarter of an hour is nearly over"
    );
    w.server.pass(MINUTE);
    assert_eq!(clocks(&w.notices(w.security).await, "notice-loss-clock"), 1, "once");
    w.server.pass(HOUR);
    let said = w.notices(w.security).await;
    assert_eq!(clocks(&said, "notice-loss-late"), 2, "both are over: {said:?}");
    w.server.pass(3 * DAY);
    let said = w.notices(w.sam).await;
    assert_eq!(clocks(&said, "notice-loss-late"), 1, "their own step: {said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn practice_shuts_nothing_and_tells_nobody() {
    let mut w = world().await;
    let practice = LossTold { practice: true, ..told(Some(w.laptop.id), Thing::Computer) };
    let loss = w.tell(&practice).await;
    assert!(w.gate().await.is_empty());
    assert!(w.speaks().await.is_ok());
    assert!(w.server.app.store.loss_steps(loss.id).await.unwrap().is_empty());
    assert!(w.notices(w.security).await.iter().all(|say| !say.starts_with("notice-loss")));
    assert!(desk::note(&w.server.app, w.sam, loss.id, "Nothing follows").await.is_err());
    assert!(back::bring(&w.server.app, (w.sam, false), loss.id, Return::Mistaken, "").await.is_err());
    let session = w.server.sign_in(w.sam).await;
    let began = w.server.app.now().0;
    w.server.pass(21_000);
    let reply = w.server.post("/lost", &session, &format!("what=phone&practice=1&began={began}")).await;
    let page = w.server.get(&reply.location, &session).await;
    assert!(page.body.contains("It took you 21 seconds") && page.body.contains("Practice"), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_tells_and_opens_nothing_else() {
    let w = world().await;
    let app = &w.server.app;
    let old = card::make(app, w.sam).await.unwrap();
    let code = card::make(app, w.sam).await.unwrap();
    let wrong = w.server.post("/lost/card", "", &format!("code={old}")).await;
    assert!(wrong.status == 422 && wrong.body.contains("No card has this code"), "{}", wrong.body);
    let typed = code.to_lowercase().replace('-', "+");
    let form = w.server.post("/lost/card", "", &format!("code={typed}")).await;
    assert!(form.status == 200 && form.body.contains("laptop-1") && form.cookies.is_empty(), "{}", form.body);
    assert!(!form.body.contains("sam.sample@stead.example"), "a name and what devices are called, no more");
    let nothing = w.server.post("/lost/card/tell", "", &format!("code={typed}&what=papers")).await;
    assert_eq!(nothing.status, 422, "which papers is to be said");
    // Another's device is not to be had.
    let other = w.server.person("Other", UnitId::ORGANISATION).await;
    let theirs = w.server.device(other, 7).await;
    let taken = w.server.post("/lost/card/tell", "", &format!("code={typed}&what=device%3A{theirs}")).await;
    assert_eq!(taken.status, 422, "{}", taken.body);
    let form = format!("code={typed}&what=device%3A{}", w.laptop.id);
    let receipt = w.server.post("/lost/card/tell", "", &form).await;
    assert!(receipt.status == 200 && receipt.body.contains("laptop-1 is shut out"), "{}", receipt.body);
    assert_eq!(w.gate().await, ["revoked"]);
    let session = w.server.sign_in(w.sam).await;
    let again = w.server.post("/lost/card/tell", "", &form).await;
    assert!(again.status == 200 && again.body.contains("Waits to be heard"), "sent again, it says the same");
    assert_eq!(w.server.get("/home", &session).await.status, 303, "and what was opened since is shut");
    assert_eq!(app.store.losses_of(w.sam).await.unwrap().len(), 1);
    assert!(w.notices(w.sam).await.contains(&"notice-loss".to_owned()), "it may have been somebody else");
    // Guesses run out.
    let address = Some("192.0.2.7".parse().unwrap());
    let mut refused = Vec::new();
    for _ in 0..25 {
        let wrong = card::holder(app, "00000-00000", address).await.unwrap_err();
        refused.push(wrong.problem(&stead_server::words::Words::english()).status);
    }
    assert_eq!((refused[0], refused[24]), (401, 429));
    card::end(app, w.sam, w.sam, None).await.unwrap();
    assert!(card::holder(app, &code, None).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_computer_tells_by_its_seal() {
    let w = world().await;
    let phone = w.server.sim_device(w.sam, 2).await;
    let now = w.server.app.now();
    let ask = |tells: Option<LossTold>, at: Millis| {
        let asked = LossAsked { v: VERSION, device: phone.id, at, tells };
        phone.seal(LOSS_ASKED, &serde_json::to_vec(&asked).unwrap())
    };
    let send = async |envelope: &Envelope| {
        let headers = [("content-type", "application/json")];
        let reply = w.server.send_with("POST", "/api/v1/loss-reports", &headers, &text(envelope)).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        let sealed: Envelope = serde_json::from_str(&reply.body).unwrap();
        let key = VerifyingKey::from_text(&phone.answer_key).unwrap();
        serde_json::from_slice::<LossAnswered>(sealed.open(LOSS_ANSWERED, &key).unwrap().bytes()).unwrap()
    };
    let there = send(&ask(None, now)).await;
    assert_eq!((there.devices.len(), there.receipt.is_none()), (2, true));
    let answered = send(&ask(Some(told(Some(w.laptop.id), Thing::Computer)), now.plus(1))).await;
    assert_eq!(answered.receipt.unwrap().shut.len(), 5);
    assert_eq!(answered.devices.len(), 1);
    assert_eq!(w.gate().await, ["revoked"]);
    // What is lost tells nothing any more.
    let asked = LossAsked { v: VERSION, device: w.laptop.id, at: now, tells: None };
    let refused = w.laptop.seal(LOSS_ASKED, &serde_json::to_vec(&asked).unwrap());
    let headers = [("content-type", "application/json")];
    let reply = w.server.send_with("POST", "/api/v1/loss-reports", &headers, &text(&refused)).await;
    assert!(reply.status == 403 && reply.body.contains("/problems/lost-device"), "{}", reply.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn losses_that_were_told_late_are_seen_and_false_alarms_are_not() {
    let w = world().await;
    let app = &w.server.app;
    let late = LossTold { noticed: 3 * HOUR, ..told(Some(w.laptop.id), Thing::Computer) };
    let loss = w.tell(&late).await;
    let digest = app.pack().digest.clone();
    let records = async || app.store.person_records(&digest, app.now(), w.sam).await.unwrap().unwrap();
    assert_eq!(records().await.told_late, 1);
    w.tell(&told(None, Thing::Papers)).await;
    assert_eq!(records().await.told_late, 1, "the papers were told at once");
    back::bring(app, (w.sam, false), loss.id, Return::Mistaken, "").await.unwrap();
    assert_eq!(records().await.told_late, 0);
}

/// What another server, or a command beside it, has shut out is not heard here from memory.
#[tokio::test(flavor = "multi_thread")]
async fn a_loss_told_elsewhere_is_known_at_the_next_message() {
    let mut w = world().await;
    assert!(w.speaks().await.is_ok(), "it is remembered here");
    let sources = (Arc::new(SystemClock) as _, Arc::new(SystemRandomness) as _);
    let beside = App::open(&w.server.app.data, None, None, Config::default(), sources).await.unwrap();
    let sam = beside.store.person(w.sam).await.unwrap().unwrap();
    let gone = told(Some(w.laptop.id), Thing::Computer);
    loss::tell(&beside, &sam, &gone, Teller::on_page(w.sam, None)).await.unwrap();
    let revoked = |w: &World| w.server.app.gate.index.device(w.laptop.id).is_some_and(|known| known.revoked);
    let until = async |w: &World| {
        for _ in 0..200 {
            if revoked(w) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("it never came here");
    };
    until(&w).await;
    let said = w.speaks().await.unwrap();
    w.order(&said);
    // Another that was not heard meanwhile comes back, whatever is remembered of it here.
    let mut second = w.server.sim_device(w.sam, 2).await;
    let gone = told(Some(second.id), Thing::Computer);
    let loss = loss::tell(&beside, &sam, &gone, Teller::on_page(w.sam, None)).await.unwrap();
    back::bring(&beside, (w.sam, false), loss.id, Return::Mistaken, "").await.unwrap();
    let now = w.server.app.now();
    let answer =
        check_in::check_in(&w.server.app, &text(&second.report(&good_facts_at(now), now))).await.unwrap();
    let key = VerifyingKey::from_text(&second.answer_key).unwrap();
    assert!(answer.open(LOST, &key).is_err() && answer.open(ANSWER, &key).is_ok());
}

/// Shut out for good while it is lost: what its person says does not bring it back.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_shut_out_before_is_told_to_forget_and_stays_out() {
    let mut w = world().await;
    revoke::revoke(&w.server.app, w.laptop.id, "test").await.unwrap();
    assert_eq!(w.speaks().await.unwrap_err(), "/problems/revoked-device", "shut out, and told nothing else");
    w.server.pass(HOUR);
    let page = w.server.get("/lost", &w.server.sign_in(w.sam).await).await;
    assert!(page.body.contains("shut out already"), "{}", page.body);
    let loss = w.lose_laptop().await;
    assert_eq!(w.lose_laptop().await.id, loss.id, "told twice, it is one loss");
    let heard = w.speaks().await.unwrap();
    assert_eq!(w.order(&heard).lost_at, loss.told_at, "it is told to lock itself and forget");

    // Never gone: nothing is to be forgotten any more, and it opens nothing all the same.
    let mut w = world().await;
    revoke::revoke(&w.server.app, w.laptop.id, "test").await.unwrap();
    w.server.pass(HOUR);
    let loss = w.lose_laptop().await;
    back::bring(&w.server.app, (w.security, true), loss.id, Return::Mistaken, "In the drawer").await.unwrap();
    assert_eq!(w.speaks().await.unwrap_err(), "/problems/revoked-device");
    assert_eq!(w.gate().await, ["revoked"]);
    let device = w.server.app.store.device(w.laptop.id).await.unwrap().unwrap();
    assert!(device.lost_at.is_none() && device.revoked_at.is_some());
    // It can be lost again.
    assert_ne!(w.lose_laptop().await.id, loss.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_outlasts_a_false_alarm() {
    let w = world().await;
    let loss = w.lose_laptop().await;
    w.server.pass(MINUTE);
    revoke::revoke(&w.server.app, w.laptop.id, "test").await.unwrap();
    assert!(revoke::revoke(&w.server.app, w.laptop.id, "test").await.is_err(), "once");
    assert!(back::bring(&w.server.app, (w.sam, false), loss.id, Return::Mistaken, "").await.is_err());
    assert_eq!(w.gate().await, ["revoked"]);
    let stolen = LossTold { stolen: true, ..told(None, Thing::Papers) };
    let loss = w.tell(&stolen).await;
    assert!(
        back::bring(&w.server.app, (w.sam, false), loss.id, Return::Mistaken, "").await.is_err(),
        "it was taken"
    );
}
