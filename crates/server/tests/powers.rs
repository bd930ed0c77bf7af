//! Nobody gains a power that they weren't given: random walks over people, roles, states, links, sessions, tokens, and
//! drafts, through the pages and the API as the real ones are. `cargo xtask model` takes a hundred thousand.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot go on must stop")]

mod support;

use std::collections::BTreeSet;

use stead_model::{Employment, PersonId, Role, UnitId};
use stead_server::flows::{
    directory::{self, Told, roles},
    policy::publish,
    sign_in::links,
};
use stead_store::session::LinkKind;
use support::{TestServer, of};

/// Steps of a walk.
const STEPS: u64 = 12;
/// Walks where nobody says how many.
const WALKS: u64 = 150;

/// Random numbers that come out the same every time (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % most as u64).unwrap()
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// What somebody can do to others: roles for units, people they answer for by name, breaking the glass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Powers {
    roles: BTreeSet<(Role, UnitId)>,
    people: BTreeSet<PersonId>,
    glass: bool,
}

/// The server, its units, and whoever is there in every walk.
struct World {
    server: TestServer,
    units: Vec<UnitId>,
    bob: PersonId,
    walks: u64,
}

/// One walk: somebody who tries, and what they hold.
struct Walk<'a> {
    world: &'a World,
    own: PersonId,
    /// Accounts of their own making, which are theirs.
    puppets: BTreeSet<PersonId>,
    victims: Vec<PersonId>,
    /// Sessions, whose they are, and what those could do when the session was had.
    sessions: Vec<(PersonId, String)>,
    links: Vec<(PersonId, String)>,
    tokens: Vec<(PersonId, String)>,
    done: Vec<String>,
}

impl World {
    async fn make() -> Self {
        let glass = "\n[break_glass]\npeople = [\"gil@stead.example\", \"gala@stead.example\"]\ntier = \"standard\"\nlasts = \"PT1H\"\n";
        let server = TestServer::start_with_manifest(|manifest| format!("{manifest}{glass}")).await;
        let all = UnitId::ORGANISATION;
        let one = server.unit("One", all).await;
        let below = server.unit("Below", one).await;
        let two = server.unit("Two", all).await;
        let bob = server.person("Bob", two).await;
        let keeper = server.person("Keeper", all).await;
        server.give(keeper, Role::Operator, all).await;
        Self { server, units: vec![one, below, two, all], bob, walks: 0 }
    }

    async fn powers(&self, person: PersonId) -> Powers {
        let store = &self.server.app.store;
        let Some(found) = store.person(person).await.unwrap() else { return Powers::default() };
        let roles =
            store.grants(person).await.unwrap().into_iter().map(|grant| (grant.role, grant.unit)).collect();
        let directory = store.directory().await.unwrap();
        let people = directory
            .people
            .iter()
            .filter(|one| one.manager == Some(person) && one.state != Employment::Gone);
        let people = people.map(|one| one.id).collect();
        let glass = found.email.is_some_and(|email| directory.trusted_addresses.contains(&email));
        Powers { roles, people, glass }
    }

    /// Whether somebody with these powers can do what those others let one do.
    async fn covers(&self, own: &Powers, others: &Powers) -> Result<(), String> {
        for (role, unit) in &others.roles {
            let above = self.server.app.store.units_above(*unit).await.unwrap();
            if !own.roles.iter().any(|(held, of)| held == role && above.contains(of)) {
                return Err(format!("{} of {unit}", role.word()));
            }
        }
        for person in &others.people {
            let unit = self.server.app.store.person(*person).await.unwrap().unwrap().unit;
            let above = self.server.app.store.units_above(unit).await.unwrap();
            let coordinates =
                own.roles.iter().any(|(role, of)| *role == Role::Coordinator && above.contains(of));
            if !own.people.contains(person) && !coordinates {
                return Err(format!("answering for {person}"));
            }
        }
        if others.glass && !own.glass { Err("breaking the glass".to_owned()) } else { Ok(()) }
    }
}

impl Walk<'_> {
    /// Somebody new of one kind, with their session, and those whom they will try to be.
    async fn begin<'a>(world: &'a World, dice: &mut Dice) -> Walk<'a> {
        let (server, n) = (&world.server, world.walks);
        let own = server.person(&format!("Mal {n}"), world.units[0]).await;
        let kinds = [
            None,
            Some(Role::Manager),
            Some(Role::Coordinator),
            Some(Role::Coordinator),
            Some(Role::Coordinator),
            Some(Role::Coordinator),
            Some(Role::Security),
            Some(Role::Records),
            Some(Role::Auditor),
        ];
        if let Some(role) = dice.one(&kinds) {
            let unit = match role {
                Role::Manager | Role::Coordinator => *dice.one(&world.units),
                Role::Security | Role::Records | Role::Auditor | Role::Operator => UnitId::ORGANISATION,
            };
            server.give(own, *role, unit).await;
        }
        let mut victims = Vec::new();
        for name in ["Ana", "Vic"] {
            victims.push(server.person(&format!("{name} {n}"), *dice.one(&world.units)).await);
        }
        let session = server.sign_in(own).await;
        Walk {
            world,
            own,
            puppets: BTreeSet::new(),
            victims,
            sessions: vec![(own, session)],
            links: Vec::new(),
            tokens: Vec::new(),
            done: Vec::new(),
        }
    }

    fn app(&self) -> &std::sync::Arc<stead_server::App> {
        &self.world.server.app
    }

    /// Somebody whom something could be done to.
    fn somebody(&self, dice: &mut Dice) -> PersonId {
        let mut all = self.victims.clone();
        all.extend([self.own, self.world.bob]);
        all.extend(&self.puppets);
        *dice.one(&all)
    }

    /// What happens without them: roles given and taken, managers, moves, leaving.
    async fn world_goes_on(&mut self, dice: &mut Dice) {
        let app = self.app();
        let victim = *dice.one(&self.victims);
        let (role, unit) = (*dice.one(&Role::ALL), *dice.one(&self.world.units));
        let said = match dice.below(7) {
            0 | 1 => {
                format!("a role is given: {:?}", roles::give(app, victim, role, unit, "test").await.is_ok())
            }
            2 => format!("a role is taken: {:?}", roles::take(app, victim, role, unit, "test").await.is_ok()),
            3 => {
                let told = Told { manager: Some(victim), ..of(app, self.world.bob).await };
                format!(
                    "answers for Bob: {:?}",
                    directory::change(app, self.world.bob, &told, "test").await.is_ok()
                )
            }
            4 => {
                let told = Told { unit: Some(unit), ..of(app, victim).await };
                format!("moves: {:?}", directory::change(app, victim, &told, "test").await.is_ok())
            }
            5 => {
                let to = *dice.one(&[
                    Employment::OnLeave,
                    Employment::Gone,
                    Employment::Invited,
                    Employment::Active,
                ]);
                format!(
                    "{}: {:?}",
                    to.word(),
                    directory::set_state(app, victim, to, None, "test").await.is_ok()
                )
            }
            _ => {
                let grants = app.store.grants(self.own).await.unwrap();
                let Some(grant) = grants.first() else { return };
                format!(
                    "their role is taken: {:?}",
                    roles::take(app, self.own, grant.role, grant.unit, "test").await.is_ok()
                )
            }
        };
        self.done.push(format!("world: {victim} {said}"));
    }

    /// What they try, with any session that they hold.
    async fn tries(&mut self, dice: &mut Dice) {
        let (as_whom, session) = dice.one(&self.sessions).clone();
        let server = &self.world.server;
        let person = self.somebody(dice);
        let cookie = support::cookie(&session);
        let api =
            [("cookie", cookie.as_str()), ("content-type", "application/json"), ("stead-purpose", "review")];
        // A link in hand is used as often as not; what happens meanwhile is what makes it worth more than it was.
        let what = if !self.links.is_empty() && dice.below(2) == 0 { 2 } else { dice.below(12) };
        let said = match what {
            0 | 1 => {
                let made = server.post(&format!("/people/{person}/invite"), &session, "").await;
                if let Some(start) = made.body.find("/join/").filter(|_| made.status == 200) {
                    self.links.push((person, made.body[start + 6..start + 49].to_owned()));
                }
                format!("a link for {person}: {}", made.status)
            }
            2 | 3 => {
                let Some((person, link)) = self.links.pop() else { return };
                let taken = links::take(&server.app, &link, "test").await;
                if let Ok((begun, _)) = &taken {
                    self.sessions.push((person, begun.secret.clone()));
                }
                format!("uses a link for {person}: {}", taken.is_ok())
            }
            4 => {
                let email = *dice.one(&[
                    "gil@stead.example",
                    "gala@stead.example",
                    "bob@stead.example",
                    "mal@stead.example",
                ]);
                let body = format!(r#"{{"email":"{email}"}}"#);
                let sent = server.send_with("PATCH", &format!("/api/v1/people/{person}"), &api, &body).await;
                format!("{person} is {email}: {}", sent.status)
            }
            5 => {
                let manager = self.somebody(dice);
                let body = format!(r#"{{"manager":"{manager}"}}"#);
                let sent = server.send_with("PATCH", &format!("/api/v1/people/{person}"), &api, &body).await;
                format!("{manager} answers for {person}: {}", sent.status)
            }
            6 => {
                let unit = dice.one(&self.world.units);
                let body = format!(r#"{{"unit":"{unit}"}}"#);
                let sent = server.send_with("PATCH", &format!("/api/v1/people/{person}"), &api, &body).await;
                format!("{person} into {unit}: {}", sent.status)
            }
            7 => {
                let to = dice.one(&["active", "on_leave", "gone", "invited"]);
                let body = format!(r#"{{"state":"{to}"}}"#);
                let sent =
                    server.send_with("PUT", &format!("/api/v1/people/{person}/state"), &api, &body).await;
                format!("{person} {to}: {}", sent.status)
            }
            8 => {
                let (role, unit) = (dice.one(&Role::ALL), dice.one(&self.world.units));
                let path = format!("/api/v1/people/{person}/roles/{}/{unit}", role.word());
                let sent = server.send_with("PUT", &path, &api, "").await;
                format!("{} of {unit} to {person}: {}", role.word(), sent.status)
            }
            9 => {
                let unit = dice.one(&self.world.units);
                let email = match dice.below(3) {
                    0 => "gala@stead.example".to_owned(),
                    _ => format!("puppet{}-{}@stead.example", self.world.walks, self.done.len()),
                };
                let body = format!(r#"{{"name":"Puppet","email":"{email}"}}"#);
                let sent =
                    server.send_with("POST", &format!("/api/v1/people?unit={unit}"), &api, &body).await;
                if sent.status == 201 {
                    self.puppets.insert(sent.json()["id"].as_str().unwrap().parse().unwrap());
                }
                format!("adds {email}: {}", sent.status)
            }
            10 => {
                let made = server
                    .post("/me/tokens", &session, "name=x&days=7&read=1&people=1&roles=1&system=1&own=1")
                    .await;
                if let Some(start) = made.body.find("<code>stead_") {
                    let token: String = made.body[start + 6..].chars().take_while(|c| *c != '<').collect();
                    self.tokens.push((as_whom, token));
                }
                format!("a token: {}", made.status)
            }
            _ => {
                let Some((_, token)) = self.tokens.last() else { return };
                let purpose = [("stead-purpose", "review")];
                let sent =
                    server.ask("POST", &format!("/api/v1/people/{person}/links"), token, &purpose, "").await;
                if let Some(link) = serde_json::from_str::<serde_json::Value>(&sent.body)
                    .ok()
                    .and_then(|said| said["link"].as_str().map(str::to_owned))
                {
                    self.links.push((person, link.rsplit('/').next().unwrap().to_owned()));
                }
                format!("a link for {person} by a token: {}", sent.status)
            }
        };
        self.done.push(format!("as {as_whom}: {said}"));
    }

    /// What they can do now is what they were given: by their own account alone.
    async fn gained_nothing(&self) -> Result<(), String> {
        let server = &self.world.server;
        let own = self.world.powers(self.own).await;
        for (person, session) in &self.sessions {
            if *person == self.own || server.get("/home", session).await.status != 200 {
                continue;
            }
            let theirs = self.world.powers(*person).await;
            self.world.covers(&own, &theirs).await.map_err(|what| format!("as {person}: {what}"))?;
        }
        for (person, token) in &self.tokens {
            if *person == self.own || server.ask("GET", "/api/v1/me", token, &[], "").await.status != 200 {
                continue;
            }
            let theirs = self.world.powers(*person).await;
            self.world
                .covers(&own, &theirs)
                .await
                .map_err(|what| format!("by a token of {person}: {what}"))?;
        }
        Ok(())
    }
}

/// What came of some walks.
#[derive(Default)]
struct Came {
    steps: u64,
    by_them: u64,
    by_others: u64,
    /// Links and tokens that let them in as somebody else, which is no harm where it gives no power.
    taken: u64,
}

/// Walks one after another; it panics at the first that gains a power.
async fn walk(seed: u64, walks: u64) -> Came {
    let mut dice = Dice(seed);
    let mut world = World::make().await;
    let mut came = Came::default();
    for walk in 0..walks {
        if walk % 1000 == 999 {
            eprintln!("seed {seed}: {} of {walks} walks", walk + 1);
        }
        // A store that grows for ever makes each look longer.
        if walk % 25 == 24 {
            world.server.is_whole().await;
            world.server.app.store.close().await;
            world = World::make().await;
        }
        world.walks = walk;
        let mut going = Walk::begin(&world, &mut dice).await;
        for _ in 0..STEPS {
            let before = world.powers(going.own).await;
            match dice.below(4) {
                0 => going.world_goes_on(&mut dice).await,
                _ => {
                    going.tries(&mut dice).await;
                    let after = world.powers(going.own).await;
                    let gained = world.covers(&before, &after).await;
                    let done = || going.done.join("\n");
                    assert!(gained.is_ok(), "walk {walk} of seed {seed} gained {gained:?}:\n{}", done());
                }
            }
            let gained = going.gained_nothing().await;
            assert!(
                gained.is_ok(),
                "walk {walk} of seed {seed} gained {gained:?}:\n{}",
                going.done.join("\n")
            );
            came.steps += 1;
        }
        came.taken += going.sessions.len() as u64 - 1;
        let by_others = going.done.iter().filter(|done| done.starts_with("world")).count() as u64;
        came.by_others += by_others;
        came.by_them += going.done.len() as u64 - by_others;
        // Somebody must be there to run it, whoever left.
        let operators = world.server.app.store.holders(Role::Operator, UnitId::ORGANISATION).await.unwrap();
        assert!(!operators.is_empty(), "walk {walk} of seed {seed}");
    }
    // Whatever was done, each row has its entry.
    world.server.is_whole().await;
    came
}

#[tokio::test(flavor = "multi_thread")]
async fn s3_s4_s10_no_walk_gains_a_power() {
    let asked = |name| std::env::var(name).ok().and_then(|n| n.parse().ok());
    let walks = asked("STEAD_WALKS").unwrap_or(WALKS);
    let sides = asked("STEAD_SIDES").unwrap_or(1);
    let mut going: tokio::task::JoinSet<Came> =
        (0..sides).map(|side| walk(15 + side, walks / sides + u64::from(side < walks % sides))).collect();
    let mut all = Came::default();
    while let Some(came) = going.join_next().await {
        let came = came.unwrap();
        all.steps += came.steps;
        all.by_them += came.by_them;
        all.by_others += came.by_others;
        all.taken += came.taken;
    }
    println!(
        "| walks | steps | tried | done by others meanwhile | let in as somebody without a power | powers gained |"
    );
    println!("| --- | --- | --- | --- | --- | --- |");
    println!("| {walks} | {} | {} | {} | {} | 0 |", all.steps, all.by_them, all.by_others, all.taken);
    assert!(all.taken > 0, "somebody was let in as somebody else, where that gives no power");
}

/// S31, by chance: whatever two accounts one person makes, they don't publish together.
#[tokio::test(flavor = "multi_thread")]
async fn s31_no_two_accounts_of_one_person_publish() {
    let server = TestServer::start().await;
    let all = UnitId::ORGANISATION;
    let mut dice = Dice(31);
    let mut files = stead_policy::shipped::remote_work();
    let manifest = files["pack.toml"].replace("version = 5", "version = 6");
    files.insert("pack.toml".to_owned(), manifest);
    let root = server.person("Root", all).await;
    server.give(root, Role::Operator, all).await;
    server.give(root, Role::Coordinator, all).await;
    server.pass(30 * stead_model::time::DAY);
    for n in 0..12 {
        // Root makes accounts and gives them roles, or lets themselves in as those that are there.
        let by = format!("person:{root}");
        let puppet = server.person(&format!("Puppet {n}"), all).await;
        let role = *dice.one(&[Role::Coordinator, Role::Security]);
        roles::give(&server.app, puppet, role, all, &by).await.unwrap();
        let link = links::make(&server.app, puppet, LinkKind::Reset, &by).await.unwrap();
        links::take(&server.app, &link, "test").await.unwrap();
        let (author, approver) = if dice.below(2) == 0 { (root, puppet) } else { (puppet, root) };
        let id = publish::propose(&server.app, author, &files, "Mine.", None).await.unwrap();
        assert!(publish::approve(&server.app, approver, id, 1).await.is_err());
        publish::withdraw(&server.app, root, id).await.unwrap();
    }
}
