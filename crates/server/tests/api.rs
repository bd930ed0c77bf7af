//! The API: its description, what tokens are good for, lists, tags, keys, and what nearly is a token.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot go on must stop")]

mod support;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stead_model::{
    Employment, PersonId, Role, UnitId,
    time::{DAY, HOUR},
};
use stead_server::{
    api::openapi,
    auth::guard::Need,
    flows::{
        directory,
        sign_in::{
            self, links, password,
            token::{self, Scope},
        },
    },
    serve,
};
use stead_store::session::LinkKind;
use support::{TestServer, cookie};
use zeroize::Zeroizing;

const ALL: [&str; 8] = ["read", "own", "people", "units", "roles", "teams", "devices", "system"];

/// A token where it does not belong: what that is, the path, the headers.
type Place<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)]);

/// Somebody with every role.
async fn mighty(server: &TestServer) -> PersonId {
    let person = server.person("Mighty", UnitId::ORGANISATION).await;
    for role in Role::ALL {
        server.give(person, role, UnitId::ORGANISATION).await;
    }
    person
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_names_every_route_and_no_other() {
    let server = TestServer::start().await;
    let (_, routes) = serve::routes(&server.app).done();
    let document = openapi::document(&routes);
    let described: BTreeSet<(String, String)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, operations)| {
            let methods = operations.as_object().unwrap().keys().filter(|name| !name.starts_with("x-"));
            methods.map(|method| (method.to_uppercase(), path.clone())).collect::<Vec<_>>()
        })
        .collect();
    let there: BTreeSet<(String, String)> = routes
        .iter()
        .filter(|route| route.path.starts_with("/api/") && !matches!(route.need, Need::Nothing | Need::Seal))
        .map(|route| (route.method.to_string(), route.path.to_owned()))
        .collect();
    assert_eq!(described, there);
    assert_eq!(document["openapi"], "3.1.0");
    let operations =
        || document["paths"].as_object().unwrap().values().flat_map(|o| o.as_object().unwrap().values());
    let names: BTreeSet<&str> = operations().map(|o| o["operationId"].as_str().unwrap()).collect();
    assert_eq!(names.len(), operations().count(), "each operation has a name of its own");
    let served = server.get("/api/v1/openapi.json", "").await;
    assert_eq!(served.json(), document);
    insta::assert_json_snapshot!("openapi", document);
}

/// For each thing a token can be good for: what it opens, and that it opens nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_good_for_its_scopes_alone() {
    let server = TestServer::start().await;
    let person = mighty(&server).await;
    let other = server.person("Other", UnitId::ORGANISATION).await;
    let (_, routes) = serve::routes(&server.app).done();
    let mut asked = 0;
    for scope in Scope::ALL {
        let token = server.token(person, &[scope.word()]).await;
        for route in routes.iter().filter(|route| route.path.starts_with("/api/")) {
            let (Need::May(action, _) | Need::Look(action, _) | Need::Proof(action, _)) = route.need else {
                continue;
            };
            let path = route
                .path
                .replace("/people/{id}", &format!("/people/{other}"))
                .replace("{id}", "disk-encrypted")
                .replace("{role}", "auditor")
                .replace("{index}", "0");
            let path = path
                .split('/')
                .map(|part| if part.starts_with('{') { "00000000-0000-7000-8000-00000000ffff" } else { part })
                .collect::<Vec<_>>()
                .join("/");
            let reply = server.ask(route.method.as_str(), &path, &token, &[], "").await;
            let refused = reply.body.contains("/problems/forbidden");
            // What is not there is said before who may see it.
            let expected = action.scope() != *scope && reply.status != 404;
            assert_eq!(refused, expected, "{} {path} with {}: {}", route.method, scope.word(), reply.body);
            // What prints may not be built yet.
            let print = path.ends_with(".pdf") && reply.status == 503;
            assert!(reply.status < 500 || print, "{} {path}: {}", route.method, reply.body);
            asked += 1;
        }
    }
    assert!(asked > 300, "{asked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_and_fifty_near_tokens_open_nothing() {
    let server = TestServer::start().await;
    let other = TestServer::start().await;
    let sam = server.person("Sam", UnitId::ORGANISATION).await;
    server.give(sam, Role::Security, UnitId::ORGANISATION).await;
    let token = server.token(sam, &ALL).await;
    let opens = async |token: &str| server.ask("GET", "/api/v1/me", token, &[], "").await.status == 200;
    assert!(opens(&token).await);
    let mut refused = 0;
    let mut refuse = async |what: &str, near: &str| {
        assert!(!opens(near).await, "{what}: {near}");
        refused += 1;
    };
    let letters: Vec<char> = token.chars().collect();
    for place in 0..letters.len() {
        for letter in ['A', '7', '-'] {
            if letters[place] != letter {
                let mut near = letters.clone();
                near[place] = letter;
                refuse("one letter", &near.iter().collect::<String>()).await;
            }
        }
        refuse("cut", &token[..place]).await;
        refuse("cut in front", &token[place + 1..]).await;
    }
    // Of another kind, and of another installation.
    let session = server.sign_in(sam).await;
    for near in [
        session.clone(),
        format!("stead_{session}"),
        links::make(&server.app, sam, LinkKind::Reset, "test").await.unwrap(),
        sign_in::Secret::Token.digest(&token),
        token.to_uppercase(),
        format!("{token}="),
        format!("{token} {token}"),
    ] {
        refuse("another kind", &near).await;
    }
    for n in 0..10 {
        let theirs = other.person(&format!("Sam {n}"), UnitId::ORGANISATION).await;
        refuse("another installation's", &other.token(theirs, &ALL).await).await;
    }

    // The right token in the wrong place.
    let bearer = format!("Bearer {token}");
    let basic = format!("Basic {token}");
    let (as_session, with_session) = (cookie(&token), cookie(&session));
    let places: [Place<'_>; 8] = [
        ("a page", "/home", &[("authorization", &bearer)]),
        ("a page", "/me/tokens", &[("authorization", &bearer)]),
        ("a page", "/system", &[("authorization", &bearer)]),
        ("a cookie", "/api/v1/me", &[("cookie", &as_session)]),
        ("a cookie", "/home", &[("cookie", &as_session)]),
        ("another scheme", "/api/v1/me", &[("authorization", &basic)]),
        ("twice", "/api/v1/me", &[("authorization", &bearer), ("authorization", &bearer)]),
        ("beside a session", "/api/v1/me", &[("authorization", &bearer), ("cookie", &with_session)]),
    ];
    for (what, path, headers) in places {
        let reply = server.send_with("GET", path, headers, "").await;
        assert_ne!(reply.status, 200, "{what}");
        refused += 1;
    }
    let reply = server.send_with("GET", &format!("/api/v1/me?access_token={token}"), &[], "").await;
    assert_eq!(reply.status, 401, "in the address");
    println!("{refused} refused");
    assert!(refused >= 250, "{refused}");
    assert!(opens(&token).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_ends_when_it_must() {
    let server = TestServer::start().await;
    let app = &server.app;
    let sam = server.person("Sam", UnitId::ORGANISATION).await;
    server.give(sam, Role::Coordinator, UnitId::ORGANISATION).await;
    let opens = async |token: &str, path: &str| server.ask("GET", path, token, &[], "").await.status == 200;

    // Ended by its person; used up by time.
    let one = server.token(sam, &["read"]).await;
    let id = app.store.tokens(sam, app.now()).await.unwrap()[0].id;
    token::end(app, sam, id).await.unwrap();
    assert!(!opens(&one, "/api/v1/me").await);
    let two = server.token(sam, &["read"]).await;
    server.pass(30 * DAY - HOUR);
    assert!(opens(&two, "/api/v1/me").await);
    server.pass(HOUR);
    assert!(!opens(&two, "/api/v1/me").await, "expired");

    // A new password, and a link to set up anew.
    let session = server.sign_in(sam).await;
    let who = sign_in::session(app, &session).await.unwrap().unwrap();
    let three = server.token(sam, &["read"]).await;
    let words = Zeroizing::new("nine quiet herons drift past".to_owned());
    password::set(app, &who, words).await.unwrap();
    assert!(!opens(&three, "/api/v1/me").await, "after a new password");
    let four = server.token(sam, &["read"]).await;
    let link = links::make(app, sam, LinkKind::Reset, "test").await.unwrap();
    links::take(app, &link, "").await.unwrap();
    assert!(!opens(&four, "/api/v1/me").await, "after setting up anew");

    // It can do no more than its person can at that time.
    let five = server.token(sam, &["read", "people"]).await;
    assert!(opens(&five, "/api/v1/people").await);
    directory::set_state(app, sam, Employment::OnLeave, None, "test").await.unwrap();
    assert!(opens(&five, "/api/v1/me").await && !opens(&five, "/api/v1/people").await, "on leave");
    directory::set_state(app, sam, Employment::Active, None, "test").await.unwrap();
    directory::roles::take(app, sam, Role::Coordinator, UnitId::ORGANISATION, "test").await.unwrap();
    assert!(!opens(&five, "/api/v1/people").await, "without the role");
    directory::set_state(app, sam, Employment::Gone, None, "test").await.unwrap();
    assert!(!opens(&five, "/api/v1/me").await, "gone");
    directory::set_state(app, sam, Employment::Invited, None, "test").await.unwrap();
    directory::set_state(app, sam, Employment::Active, None, "test").await.unwrap();
    assert!(!opens(&five, "/api/v1/me").await, "nor when they come back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_opens_to_a_purpose_which_its_person_sees() {
    let server = TestServer::start().await;
    let mighty = mighty(&server).await;
    let sam = server.person("Sam", UnitId::ORGANISATION).await;
    let device = server.device(sam, 1).await;
    let token = server.token(mighty, &["read"]).await;
    let path = format!("/api/v1/people/{sam}");
    let reply = server.ask("GET", &path, &token, &[], "").await;
    assert!(reply.status == 403 && reply.body.contains("/problems/purpose-needed"), "{}", reply.body);
    let wrong = server.ask("GET", &path, &token, &[("stead-purpose", "curious")], "").await;
    assert_eq!(wrong.status, 422);
    let opened =
        server.ask("GET", &path, &token, &[("stead-purpose", "other; the monthly report")], "").await;
    assert_eq!(opened.status, 200, "{}", opened.body);
    assert_eq!(opened.json()["name"], "Sam");
    assert_eq!(opened.json()["clearance"]["answer"], "allow");
    let device = server.ask("GET", &format!("/api/v1/devices/{device}"), &token, &[], "").await;
    assert_eq!(device.status, 200, "said once, for an hour");
    assert!(device.json()["findings"].as_array().unwrap().len() > 10);
    let session = server.sign_in(sam).await;
    let page = server.get("/me", &session).await;
    assert!(page.body.contains("Mighty") && page.body.contains("the monthly report"));
    // The own record needs none.
    let own = server.ask("GET", &format!("/api/v1/people/{mighty}"), &token, &[], "").await;
    assert_eq!(own.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_go_on_to_their_end_and_are_not_sent_twice() {
    let server = TestServer::start().await;
    let mighty = mighty(&server).await;
    for n in 0..12 {
        server.person(&format!("Person {n:02}"), UnitId::ORGANISATION).await;
    }
    let token = server.token(mighty, &["read"]).await;
    let mut names = Vec::new();
    let mut next = String::new();
    for _ in 0..20 {
        let reply = server.ask("GET", &format!("/api/v1/people?limit=5&after={next}"), &token, &[], "").await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        let page = reply.json();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 5);
        names.extend(items.iter().map(|item| item["name"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(cursor) => next = cursor.to_owned(),
            None => break,
        }
    }
    let unique: BTreeSet<&String> = names.iter().collect();
    assert_eq!((names.len(), unique.len()), (13, 13), "{names:?}");
    for (query, status) in
        [("limit=0", 422), ("limit=201", 422), ("limit=x", 400), ("after=nothing", 422), ("state=x", 422)]
    {
        let reply = server.ask("GET", &format!("/api/v1/people?{query}"), &token, &[], "").await;
        assert_eq!(reply.status, status, "{query}: {}", reply.body);
    }
    let first = server.ask("GET", "/api/v1/people", &token, &[], "").await;
    assert!(first.tag.starts_with('"'), "{}", first.tag);
    let again = server.ask("GET", "/api/v1/people", &token, &[("if-none-match", &first.tag)], "").await;
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    server.person("Somebody new", UnitId::ORGANISATION).await;
    let changed = server.ask("GET", "/api/v1/people", &token, &[("if-none-match", &first.tag)], "").await;
    assert_eq!(changed.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_twice_happens_once() {
    let server = TestServer::start().await;
    let mighty = mighty(&server).await;
    let token = server.token(mighty, &ALL).await;
    let body = json!({ "name": "Toni", "email": "toni@stead.example" }).to_string();
    let key = [("idempotency-key", "one")];
    let first = server.ask("POST", "/api/v1/people", &token, &key, &body).await;
    assert_eq!(first.status, 201, "{}", first.body);
    let again = server.ask("POST", "/api/v1/people", &token, &key, &body).await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    assert!(again.replayed && !first.replayed);
    // Without the key the address is taken.
    assert_eq!(server.ask("POST", "/api/v1/people", &token, &[], &body).await.status, 422);
    // The key of another request, and the same key of somebody else.
    let other = json!({ "name": "Alex" }).to_string();
    let reply = server.ask("POST", "/api/v1/people", &token, &key, &other).await;
    assert!(reply.status == 422 && reply.body.contains("/problems/key-reused"), "{}", reply.body);
    let theirs = server.token(mighty, &ALL).await;
    assert_eq!(server.ask("POST", "/api/v1/people", &theirs, &key, &other).await.status, 201);
    // A refusal is told again as well, and what is told once is told to whoever sends the same.
    let id = first.json()["id"].as_str().unwrap().to_owned();
    let link = format!("/api/v1/people/{id}/links");
    let told = server.ask("POST", &link, &token, &[("idempotency-key", "link")], "").await;
    let told_again = server.ask("POST", &link, &token, &[("idempotency-key", "link")], "").await;
    assert_eq!((told.status, &told.body), (201, &told_again.body));
    let stored = server.app.store.answered(&token_id(&server, &token).await, "link").await.unwrap().unwrap();
    assert!(!stored.answer.contains("join"), "kept sealed");
    // Sixty-four at once add one.
    let crowd = json!({ "name": "Crowd" }).to_string();
    let many: Vec<_> = (0..64)
        .map(|_| server.ask("POST", "/api/v1/people", &token, &[("idempotency-key", "crowd")], &crowd))
        .collect();
    let mut added = 0;
    for reply in join_all(many).await {
        assert!([201, 409].contains(&reply), "{reply}");
        added += usize::from(reply == 201);
    }
    assert!(added >= 1);
    let found = server.ask("GET", "/api/v1/people?q=crowd", &token, &[], "").await.json();
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
}

async fn token_id(server: &TestServer, token: &str) -> String {
    token::holder(&server.app, token).await.unwrap().unwrap().1.id.to_string()
}

async fn join_all(asks: Vec<impl Future<Output = support::Reply>>) -> Vec<u16> {
    let mut asks: Vec<_> = asks.into_iter().map(Box::pin).collect();
    let mut replies = Vec::new();
    std::future::poll_fn(|context| {
        asks.retain_mut(|ask| match ask.as_mut().poll(context) {
            std::task::Poll::Ready(reply) => {
                replies.push(reply.status);
                false
            }
            std::task::Poll::Pending => true,
        });
        if asks.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    replies
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_comes_too_late_changes_nothing() {
    let server = TestServer::start().await;
    let mighty = mighty(&server).await;
    let sam = server.person("Sam", UnitId::ORGANISATION).await;
    let token = server.token(mighty, &ALL).await;
    let path = format!("/api/v1/people/{sam}");
    let read = server.ask("GET", &path, &token, &[("stead-purpose", "directory")], "").await.json();
    assert_eq!(read["email"], "sam@stead.example");
    let change = |name: &str| json!({ "name": name }).to_string();
    let version = format!("\"{}\"", read["version"].as_str().unwrap());
    // That a device is heard changes nothing that is written down about a person.
    server.device(sam, 1).await;
    let reply = server.ask("PATCH", &path, &token, &[("if-match", &version)], &change("Sam One")).await;
    assert_eq!(reply.status, 204, "{}", reply.body);
    let late = server.ask("PATCH", &path, &token, &[("if-match", &version)], &change("Sam Two")).await;
    assert!(late.status == 412 && late.body.contains("/problems/moved"), "{}", late.body);
    let now = server.ask("GET", &path, &token, &[], "").await.json();
    assert_eq!(
        (&now["name"], &now["email"]),
        (&json!("Sam One"), &json!("sam@stead.example")),
        "the rest stays"
    );
    let any =
        server.ask("PATCH", &path, &token, &[("if-match", "*")], &json!({ "email": "" }).to_string()).await;
    assert_eq!(any.status, 204);
    let now = server.ask("GET", &path, &token, &[], "").await.json();
    assert!(now["email"].is_null() && now["name"] == "Sam One", "{now}");
}

/// A link is a session: what a token could open with one it must not be told.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_makes_no_sessions_of_those_who_are_trusted() {
    let server = TestServer::start().await;
    let mighty = mighty(&server).await;
    let auditor = server.person("Auditor", UnitId::ORGANISATION).await;
    server.give(auditor, Role::Auditor, UnitId::ORGANISATION).await;
    let sam = server.person("Sam", UnitId::ORGANISATION).await;
    let token = server.token(mighty, &["people"]).await;
    for (person, status, kind) in
        [(mighty, 403, "forbidden"), (auditor, 403, "forbidden"), (sam, 409, "conflict")]
    {
        let reply = server.ask("POST", &format!("/api/v1/people/{person}/links"), &token, &[], "").await;
        assert!(reply.status == status && reply.body.contains(kind), "{}", reply.body);
        assert!(!reply.body.contains("/join/"));
    }
    let body = json!({ "name": "New" }).to_string();
    let new = server.ask("POST", "/api/v1/people", &token, &[], &body).await.json();
    let path = format!("/api/v1/people/{}/links", new["id"].as_str().unwrap());
    let reply = server.ask("POST", &path, &token, &[], "").await;
    assert!(reply.status == 201 && reply.body.contains("/join/"), "who joins is let in: {}", reply.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_refused_and_says_why() {
    let server = TestServer::start().await;
    let mighty = mighty(&server).await;
    let token = server.token(mighty, &ALL).await;
    let post = async |body: &str| server.ask("POST", "/api/v1/people", &token, &[], body).await;
    for (body, status, says) in [
        ("", 400, "The body"),
        ("{}", 400, "missing field `name`"),
        ("{\"name\":\"x\",\"role\":\"operator\"}", 400, "unknown field `role`"),
        ("{\"name\":\"\"}", 422, "name"),
        ("{\"name\":\"x\",\"email\":\"x\"}", 422, "email"),
        ("{\"name\":\"x\",\"unit\":\"x\"}", 422, "unit"),
        ("[1]", 400, "The body"),
    ] {
        let reply = post(body).await;
        assert_eq!(reply.status, status, "{body}: {}", reply.body);
        let problem: Value = reply.json();
        assert!(problem.to_string().contains(says), "{body}: {problem}");
        assert!(problem["type"].as_str().unwrap().starts_with("/problems/"));
    }
    let form = [("authorization", format!("Bearer {token}")), ("content-type", "text/plain".to_owned())];
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(server.send_with("POST", "/api/v1/people", &form, "{}").await.status, 415);
    let large = format!("{{\"name\":\"{}\"}}", "x".repeat(300_000));
    assert_eq!(post(&large).await.status, 413);
    assert_eq!(server.ask("PUT", "/api/v1/people", &token, &[], "{}").await.status, 405);
    assert_eq!(server.ask("GET", "/api/v1/nothing", &token, &[], "").await.status, 404);
    assert_eq!(server.ask("GET", "/api/v1/rules/nothing", &token, &[], "").await.status, 404);
}
