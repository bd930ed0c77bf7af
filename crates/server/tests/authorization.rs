//! Who may do what, as a table: each route, and each kind of person that may use it. The object is a
//! teleworker of unit A1 with a device. A route without a row fails, as does a row without a route; whoever
//! is not named in a row must be refused.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot go on must stop")]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use stead_model::{
    DeviceId, Employment, Millis, PersonId, RecordId, Role, Subject, UnitId,
    loss::{LossTold, Thing},
};
use stead_server::{
    auth::guard::Need,
    flows::{
        directory::{self, Told},
        exceptions::{self, Ask},
        loss::{self, Teller},
    },
    serve,
};
use stead_store::{
    case::{Case, State},
    people::Person,
};
use support::TestServer;

/// `everyone` is also who is not signed in; `all` is everybody who is.
const TABLE: &str = "
GET  /                              all
GET  /home                          all
GET  /gate/auth                     everyone
GET  /gate/auth/                    everyone
GET  /gate/auth/{application}       everyone
GET  /gate/door/{application}       everyone
GET  /gate/tunnels/{tunnel}/peers   everyone
GET  /.stead/{application}/start    everyone
GET  /.stead/{application}/enter    everyone
GET  /.stead/{application}/refused  everyone
GET  /gate/enter/{application}      all
GET  /gate/device                   all
GET  /gate/device/back              all
GET  /gate/refused/{application}    all
GET  /gate/glass/{application}      everyone
POST /gate/glass/{application}      everyone
GET  /sign-in                       everyone
POST /sign-in/password              everyone
GET  /sign-in/code                  everyone
POST /sign-in/code                  everyone
POST /sign-in/passkey/ask           everyone
POST /sign-in/passkey               everyone
GET  /sign-in/outside               everyone
GET  /sign-in/outside/back          everyone
GET  /join/{secret}                 everyone
POST /join/{secret}                 everyone
POST /sign-out                      all
GET  /prove                         all
POST /prove/password                all
POST /prove/passkey/ask             all
POST /prove/passkey                 all
GET  /me                            all
GET  /me/record.pdf                 all
GET  /me/record.json                all
GET  /me/notices                    all
POST /me/notices                    all
POST /me/notices/calendar           all
POST /me/notices/calendar/end       all
GET  /calendar/{secret}             everyone
GET  /me/tokens                     all
POST /me/tokens                     all
POST /me/tokens/end                 all
GET  /me/ways                       all
POST /me/ways/language              all
POST /me/ways/password              all
POST /me/ways/password/remove       all
POST /me/ways/code                  all
POST /me/ways/code/confirm          all
POST /me/ways/code/remove           all
POST /me/ways/passkey/ask           all
POST /me/ways/passkey               all
POST /me/ways/passkey/remove        all
POST /me/ways/session/end           all
POST /me/ways/sessions/end          all
GET  /overview                      coordinator security auditor
GET  /overview/live                 coordinator security auditor
GET  /then                          coordinator security auditor operator
GET  /devices/{id}/then             own lead manager coordinator coordinator-of-a security auditor
GET  /team                          manager coordinator coordinator-of-a security auditor
GET  /team/attest                   manager
POST /team/attest                   manager
GET  /people                        manager coordinator coordinator-of-a security records auditor operator
GET  /people/new                    coordinator coordinator-of-a
POST /people/new                    coordinator coordinator-of-a
GET  /people/import                 coordinator
POST /people/import/preview         coordinator
POST /people/import                 coordinator
GET  /people/{id}                   own lead manager coordinator coordinator-of-a security auditor
GET  /people/{id}/look              own lead manager coordinator coordinator-of-a security auditor
POST /people/{id}/look              own lead manager coordinator coordinator-of-a security auditor
GET  /people/{id}/edit              coordinator coordinator-of-a
POST /people/{id}/edit              coordinator coordinator-of-a
POST /people/{id}/state             coordinator coordinator-of-a
POST /people/{id}/invite            coordinator coordinator-of-a
POST /people/{id}/enrol             coordinator coordinator-of-a security
POST /people/{id}/returned          coordinator coordinator-of-a
GET  /people/{id}/roles             operator
POST /people/{id}/roles             operator
POST /people/{id}/roles/take        operator
GET  /units                         coordinator security records auditor operator
POST /units                         coordinator
POST /units/change                  coordinator
GET  /devices                       coordinator security auditor
GET  /devices/{id}                  own lead manager coordinator coordinator-of-a security auditor
GET  /devices/{id}/report           own lead manager coordinator coordinator-of-a security auditor
POST /devices/{id}/revoke           security
GET  /rules                         all
GET  /rules/{id}                    all
GET  /policy                        all
POST /policy/confirm                all
GET  /policy/versions/{digest}      all
GET  /policy/reach                  coordinator security auditor
POST /policy/proposals              coordinator security
GET  /policy/proposals/{proposal}   coordinator security
GET  /policy/proposals/{proposal}/try coordinator security
GET  /policy/proposals/{proposal}/try.csv coordinator security
GET  /policy/proposals/{proposal}/try/progress coordinator security
POST /policy/proposals/{proposal}/reopen coordinator security
GET  /policy/calendar               all
POST /policy/drafts                 coordinator security
GET  /policy/drafts/{proposal}      coordinator security
GET  /policy/drafts/{proposal}/file coordinator security
POST /policy/drafts/{proposal}/file coordinator security
POST /policy/drafts/{proposal}/check coordinator security
POST /policy/drafts/{proposal}/rules coordinator security
POST /policy/drafts/{proposal}/remove coordinator security
GET  /policy/drafts/{proposal}/catch-up coordinator security
POST /policy/drafts/{proposal}/catch-up coordinator security
POST /policy/drafts/{proposal}/propose coordinator security
POST /policy/drafts/{proposal}/discard coordinator security
POST /policy/proposals/{proposal}/approve coordinator security
POST /policy/proposals/{proposal}/withdraw coordinator security
POST /policy/keys                   coordinator security
POST /policy/keys/end               coordinator security
POST /policy/reviews                coordinator security
GET  /exceptions                    all
GET  /people/{id}/exceptions/new    own lead manager coordinator coordinator-of-a
POST /people/{id}/exceptions        own lead manager coordinator coordinator-of-a
GET  /exceptions/{exception}        own lead manager coordinator coordinator-of-a security auditor
POST /exceptions/{exception}/decide lead manager coordinator coordinator-of-a security
POST /exceptions/{exception}/end    own lead manager coordinator coordinator-of-a security
GET  /cases                         all
GET  /cases/{case}                  own lead manager coordinator coordinator-of-a security auditor
POST /cases/{case}/answer           own
POST /cases/{case}/appeal           own
POST /cases/{case}/decide           coordinator coordinator-of-a security
POST /cases/{case}/take             coordinator coordinator-of-a security
GET  /lost                          everyone
POST /lost                          all
GET  /lost/card                     everyone
POST /lost/card                     everyone
POST /lost/card/tell                everyone
GET  /people/{id}/lost              own lead manager coordinator coordinator-of-a security
POST /people/{id}/lost              own lead manager coordinator coordinator-of-a security
GET  /me/card                       all
POST /me/card                       all
POST /me/card/end                   all
GET  /losses                        all
GET  /losses/{loss}                 own lead manager coordinator coordinator-of-a security auditor
GET  /losses/{loss}/certificate.pdf own lead manager coordinator coordinator-of-a security auditor
POST /losses/{loss}/step            own lead manager coordinator coordinator-of-a security
POST /losses/{loss}/note            own lead manager coordinator coordinator-of-a security
POST /losses/{loss}/card/end        coordinator coordinator-of-a security
POST /losses/{loss}/back            own lead manager coordinator coordinator-of-a security
POST /people/{id}/terms             coordinator coordinator-of-a
POST /people/{id}/terms/end         coordinator coordinator-of-a
GET  /reports                       coordinator security auditor
GET  /reports/{name}                coordinator security auditor
GET  /reports/{name}/csv            coordinator security auditor
GET  /reports/{name}/pdf            coordinator security auditor
GET  /reports/oscal/{name}          coordinator security auditor
GET  /search                        all
GET  /system                        auditor operator
GET  /system/messages               auditor operator
POST /system/messages/hooks         operator
POST /system/messages/hooks/test    operator
POST /system/messages/hooks/end     operator
POST /system/messages/retry         operator
GET  /proof                         all
GET  /proof/{requirement}           all
GET  /ledger                        coordinator security auditor operator
GET  /ledger/entries/{index}        own coordinator coordinator-of-a security auditor operator
GET  /ledger/entries/{index}/bundle own coordinator coordinator-of-a security auditor operator
GET  /ledger/checkpoint             everyone
GET  /ledger/key                    everyone
GET  /ledger/tile/{level}/{*index}  everyone
GET  /problems/{slug}               everyone
GET  /styleguide                    everyone
POST /api/v1/check-ins              everyone
POST /api/v1/enrolments             everyone
POST /api/v1/notices                everyone
POST /api/v1/tunnels                everyone
POST /api/v1/certificates           everyone
POST /api/v1/loss-reports           everyone
POST /api/v1/loss-reports/card      everyone
POST /api/v1/farewells              everyone
POST /api/v1/people/{id}/losses     own lead manager coordinator coordinator-of-a security
GET  /api/v1/losses                 all
GET  /api/v1/losses/{loss}          own lead manager coordinator coordinator-of-a security auditor
GET  /api/v1/losses/{loss}/certificate.pdf own lead manager coordinator coordinator-of-a security auditor
POST /api/v1/losses/{loss}/steps    own lead manager coordinator coordinator-of-a security
POST /api/v1/losses/{loss}/notes    own lead manager coordinator coordinator-of-a security
POST /api/v1/losses/{loss}/return   own lead manager coordinator coordinator-of-a security
GET  /api/v1/openapi.json           everyone
GET  /api/v1/me                     all
PATCH /api/v1/me                    all
GET  /api/v1/me/record.pdf          all
GET  /api/v1/me/record              all
GET  /api/v1/me/notices             all
PUT  /api/v1/me/notices/choice      all
GET  /api/v1/me/sessions            all
DELETE /api/v1/me/sessions/{session} all
GET  /api/v1/me/tokens              all
DELETE /api/v1/me/tokens/{token}    all
GET  /api/v1/people                 manager coordinator coordinator-of-a security records auditor operator
POST /api/v1/people                 coordinator coordinator-of-a
POST /api/v1/people/imports         coordinator
GET  /api/v1/people/{id}            own lead manager coordinator coordinator-of-a security auditor
PATCH /api/v1/people/{id}           coordinator coordinator-of-a
PUT  /api/v1/people/{id}/state      coordinator coordinator-of-a
POST /api/v1/people/{id}/links      coordinator coordinator-of-a
POST /api/v1/people/{id}/codes      coordinator coordinator-of-a security
POST /api/v1/people/{id}/returns    coordinator coordinator-of-a
GET  /api/v1/people/{id}/roles      operator
PUT  /api/v1/people/{id}/roles/{role}/{of_unit} operator
DELETE /api/v1/people/{id}/roles/{role}/{of_unit} operator
GET  /api/v1/units                  coordinator security records auditor operator
POST /api/v1/units                  coordinator
PATCH /api/v1/units/{unit}          coordinator
GET  /api/v1/team                   manager coordinator coordinator-of-a security auditor
GET  /api/v1/team/attestations      manager
POST /api/v1/team/attestations      manager
GET  /api/v1/devices                coordinator security auditor
GET  /api/v1/devices/{id}           own lead manager coordinator coordinator-of-a security auditor
GET  /api/v1/devices/{id}/report    own lead manager coordinator coordinator-of-a security auditor
POST /api/v1/devices/{id}/revocation security
GET  /api/v1/rules                  all
GET  /api/v1/rules/{id}             all
GET  /api/v1/rules/{id}/findings    coordinator security auditor
GET  /api/v1/overview               coordinator security auditor
GET  /api/v1/policy                 all
POST /api/v1/me/confirmations       all
GET  /api/v1/policy/versions/{digest} all
GET  /api/v1/policy/reach           coordinator security auditor
GET  /api/v1/policy/keys            coordinator security
GET  /api/v1/policy/proposals       coordinator security
POST /api/v1/policy/proposals       coordinator security
POST /api/v1/policy/proposals/{proposal}/approval coordinator security
DELETE /api/v1/policy/proposals/{proposal} coordinator security
POST /api/v1/policy/reviews         coordinator security
GET  /api/v1/exceptions             all
GET  /api/v1/exceptions/{exception} own lead manager coordinator coordinator-of-a security auditor
DELETE /api/v1/exceptions/{exception} own lead manager coordinator coordinator-of-a security
POST /api/v1/exceptions/{exception}/decision lead manager coordinator coordinator-of-a security
POST /api/v1/people/{id}/exceptions own lead manager coordinator coordinator-of-a
GET  /api/v1/people/{id}/terms      own lead manager coordinator coordinator-of-a security auditor
POST /api/v1/people/{id}/terms      coordinator coordinator-of-a
DELETE /api/v1/people/{id}/terms/{term} coordinator coordinator-of-a
GET  /api/v1/cases                  all
GET  /api/v1/cases/{case}           own lead manager coordinator coordinator-of-a security auditor
POST /api/v1/cases/{case}/answers   own
POST /api/v1/cases/{case}/appeal    own
POST /api/v1/cases/{case}/decisions coordinator coordinator-of-a security
POST /api/v1/cases/{case}/takeover  coordinator coordinator-of-a security
GET  /api/v1/reports/{name}         coordinator security auditor
GET  /api/v1/oscal/{name}           coordinator security auditor
GET  /api/v1/search                 all
GET  /api/v1/then                   coordinator security auditor operator
GET  /api/v1/devices/{id}/then      own lead manager coordinator coordinator-of-a security auditor
GET  /api/v1/ledger                 coordinator security auditor operator
GET  /api/v1/ledger/{index}         own coordinator coordinator-of-a security auditor operator
GET  /api/v1/system                 auditor operator
GET  /api/v1/system/hooks           auditor operator
POST /api/v1/system/hooks           operator
DELETE /api/v1/system/hooks/{hook}  operator
GET  /api/v1/system/deliveries      auditor operator
POST /api/v1/system/deliveries/{delivery}/retry operator
GET  /assets/{version}/{name}       everyone
GET  /healthz                       everyone
";

/// An id that nothing has.
const NOBODYS: &str = "00000000-0000-7000-8000-00000000ffff";

struct World {
    server: TestServer,
    people: BTreeMap<&'static str, Option<PersonId>>,
    addresses: BTreeMap<&'static str, String>,
}

async fn world() -> World {
    let server = TestServer::start().await;
    let all = UnitId::ORGANISATION;
    let (a, b) = (server.unit("A", all).await, server.unit("B", all).await);
    let a1 = server.unit("A1", a).await;
    let mut people = BTreeMap::new();
    people.insert("nobody", None);
    let own = server.person("own", a1).await;
    people.insert("own", Some(own));
    people.insert("colleague", Some(server.person("colleague", a1).await));
    people.insert("lead", Some(server.person("lead", b).await));
    for (name, role, unit) in [
        ("manager", Role::Manager, a),
        ("manager-of-b", Role::Manager, b),
        ("coordinator", Role::Coordinator, all),
        ("coordinator-of-a", Role::Coordinator, a),
        ("coordinator-of-b", Role::Coordinator, b),
        ("security", Role::Security, all),
        ("security-of-b", Role::Security, b),
        ("records", Role::Records, all),
        ("auditor", Role::Auditor, all),
        ("auditor-of-b", Role::Auditor, b),
        ("operator", Role::Operator, all),
        ("on-leave", Role::Security, all),
        ("leaving", Role::Coordinator, all),
    ] {
        let person = server.person(name, b).await;
        server.give(person, role, unit).await;
        people.insert(name, Some(person));
    }
    let app = &server.app;
    let state = async |name: &str, to, last_day| {
        directory::set_state(app, people[name].unwrap(), to, last_day, "test").await.unwrap();
    };
    state("on-leave", Employment::OnLeave, None).await;
    state("leaving", Employment::Leaving, Some(app.now().plus(1_000_000_000))).await;
    let told = Told {
        name: "own".to_owned(),
        email: "own@stead.example".to_owned(),
        manager: people["lead"],
        ..Told::default()
    };
    directory::change(app, own, &told, "test").await.unwrap();
    let device = server.device(own, 1).await;
    let head = app.store.ledger_head().await.unwrap();
    let entry = app.store.ledger_newest(Some(&format!("device:{device}")), head.size, 1).await.unwrap();
    let person = app.store.person(own).await.unwrap().unwrap();
    let ask = Ask {
        device: Some(device),
        rule: "disk-encrypted".to_owned(),
        reason: "The disk is being replaced".to_owned(),
        instead: "It stays in the office".to_owned(),
        until: Some(app.now().plus(10_000_000)),
        renews: None,
    };
    let exception = exceptions::ask(app, own, &person, ask).await.unwrap();
    let case = case(&person, device);
    let mut write = app.store.write().await.unwrap();
    write.add_case(&case).await.unwrap();
    write.commit(&app.keys.ledger).await.unwrap();
    let told = LossTold {
        device: None,
        thing: Thing::Papers,
        label: "file P-0417".to_owned(),
        stolen: false,
        noticed: 0,
        words: String::new(),
        practice: false,
    };
    let lost = loss::tell(app, &person, &told, Teller::on_page(own, None)).await.unwrap();
    let addresses = BTreeMap::from([
        ("{exception}", exception.to_string()),
        ("{case}", case.id.to_string()),
        ("{loss}", lost.id.to_string()),
        ("/people/{id}", own.to_string()),
        ("/devices/{id}", device.to_string()),
        ("/rules/{id}", "disk-encrypted".to_owned()),
        ("{index}", entry[0].index.to_string()),
        ("unit", a1.to_string()),
    ]);
    World { server, people, addresses }
}

/// A case about a person's device that was just opened.
fn case(person: &Person, device: DeviceId) -> Case {
    Case {
        id: RecordId::from_parts(Millis(1), [1; 10]),
        person: person.id,
        person_name: String::new(),
        unit: person.unit,
        unit_name: String::new(),
        kind: Subject::Device,
        subject: device.to_string(),
        rule: "disk-encrypted".to_owned(),
        policy: "remote-work 5".to_owned(),
        opened_at: Millis(1),
        evidence: "{}".to_owned(),
        salt: String::new(),
        state: State::Told,
        next_at: None,
        decider: None,
        second: None,
        sanction: String::new(),
        decided_at: None,
        appealed_at: None,
        mended_at: None,
        closed_at: None,
        outcome: String::new(),
        revision: 1,
    }
}

impl World {
    fn address(&self, path: &str, need: Need) -> String {
        let mut address = path.replace("{index}", &self.addresses["{index}"]);
        for of in ["/people/{id}", "/devices/{id}", "/rules/{id}"] {
            address = address.replace(of, &of.replace("{id}", &self.addresses[of]));
        }
        for (place, value) in [
            ("{role}", "auditor"),
            ("{requirement}", "RC-1"),
            ("{of_unit}", &self.addresses["unit"]),
            ("{exception}", &self.addresses["{exception}"]),
            ("{case}", &self.addresses["{case}"]),
            ("{loss}", &self.addresses["{loss}"]),
        ] {
            address = address.replace(place, value);
        }
        for place in
            ["{session}", "{token}", "{unit}", "{hook}", "{delivery}", "{digest}", "{proposal}", "{term}"]
        {
            address = address.replace(place, NOBODYS);
        }
        let on_unit = matches!(need, Need::May(_, stead_server::auth::guard::On::Unit));
        if on_unit { format!("{address}?unit={}", self.addresses["unit"]) } else { address }
    }
}

/// Whether authorization let a request through. What comes after it, such as saying what for, is no refusal.
fn let_through(reply: &support::Reply) -> bool {
    // Signing out leads there too, and takes the cookie back.
    let refused = (reply.location.starts_with("/sign-in") && reply.cookies.is_empty())
        || reply.body.contains("/problems/forbidden")
        || reply.body.contains("/problems/sign-in-needed");
    !refused
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_lets_through_whom_its_row_names_and_nobody_else() {
    let world = world().await;
    let (_, routes) = serve::routes(&world.server.app).done();
    let mut table: BTreeMap<(String, String), BTreeSet<&str>> = BTreeMap::new();
    for line in TABLE.lines().filter(|line| !line.is_empty()) {
        let mut words = line.split_whitespace();
        let key = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
        table.insert(key, words.collect());
    }
    let mut wrong = Vec::new();
    let mut asked = 0;
    for route in &routes {
        let key = (route.method.to_string(), route.path.to_owned());
        let Some(allowed) = table.remove(&key) else {
            wrong.push(format!("{} {} has no row", key.0, key.1));
            continue;
        };
        let address = world.address(route.path, route.need);
        for (name, person) in &world.people {
            let session = match person {
                Some(person) => world.server.sign_in(*person).await,
                None => String::new(),
            };
            let reply = world.server.send(&key.0, &address, &support::cookie(&session), "").await;
            asked += 1;
            let expected = allowed.contains("everyone")
                || (allowed.contains("all") && person.is_some())
                || allowed.contains(name);
            // What nobody needs to be signed in for may itself say that an attempt failed.
            let through = matches!(route.need, Need::Nothing | Need::Seal) || let_through(&reply);
            if through != expected {
                let verb = if through { "lets through" } else { "refuses" };
                wrong.push(format!("{} {} {verb} {name} ({})", key.0, key.1, reply.status));
            }
            assert!(reply.status < 500 || reply.status == 503, "{address}: {}", reply.body);
        }
    }
    wrong.extend(table.keys().map(|(method, path)| format!("{method} {path} is no route")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{} routes, {asked} requests", routes.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_nothing_is_named_one_by_one() {
    let world = world().await;
    let (_, routes) = serve::routes(&world.server.app).done();
    let open: BTreeSet<&str> =
        routes.iter().filter(|route| route.need == Need::Nothing).map(|route| route.path).collect();
    for path in &open {
        let row = TABLE.lines().find(|line| line.split_whitespace().nth(1) == Some(path));
        assert!(row.unwrap_or_else(|| panic!("{path}")).ends_with("everyone"), "{path}");
    }
    assert_eq!(open.len(), 19, "{open:?}");
}

/// Whoever makes links for others, or changes their address, could come in as them.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_becomes_more_by_letting_others_in_anew() {
    let world = world().await;
    let server = &world.server;
    let operator = world.people["operator"].unwrap();
    let coordinator = server.sign_in(world.people["coordinator"].unwrap()).await;
    let link = server.post(&format!("/people/{operator}/invite"), &coordinator, "").await;
    assert!(link.status == 403 && link.body.contains("/problems/forbidden"), "{}", link.status);

    server.post(&format!("/people/{operator}/look"), &coordinator, "purpose=directory").await;
    let form = "name=operator&email=coordinator2%40stead.example";
    let changed = server.post(&format!("/people/{operator}/edit"), &coordinator, form).await;
    assert!(changed.status == 422 && changed.body.contains("an operator changes their address"));

    // Without a role somebody is let in anew by whoever runs telework; with one, by an operator.
    let own = world.people["own"].unwrap();
    assert_eq!(server.post(&format!("/people/{own}/invite"), &coordinator, "").await.status, 200);
    let session = server.sign_in(operator).await;
    let auditor = world.people["auditor"].unwrap();
    let reply = server.post(&format!("/people/{auditor}/invite"), &session, "").await;
    assert!(reply.status == 200 && reply.body.contains("/join/"), "{}", reply.status);
    // The link is told, and nothing of a record that was not opened for a purpose.
    assert!(!reply.body.contains("auditor@stead.example"));
}
