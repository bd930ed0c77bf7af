//! Whatever is not a session that is good now opens nothing: five hundred things that nearly are one.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot go on must stop")]

mod support;

use stead_model::{Employment, Role, UnitId, time::HOUR};
use stead_server::flows::{
    directory, enrol,
    sign_in::{self, authenticator, links, passkey, password},
};
use stead_store::session::LinkKind;
use support::{TestServer, cookie, minutes};
use zeroize::Zeroizing;

const GOOD: &str = "four wet otters hum at noon";

/// Whether a session opens the home page.
async fn opens(server: &TestServer, session: &str) -> bool {
    server.get("/home", session).await.status == 200
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_near_sessions_open_nothing() {
    let server = TestServer::start().await;
    let other = TestServer::start().await;
    let all = UnitId::ORGANISATION;
    let sam = server.person("Sam Sample", all).await;
    server.give(sam, Role::Security, all).await;
    let session = server.sign_in(sam).await;
    assert!(opens(&server, &session).await);
    let mut refused = 0;
    let mut refuse = async |what: &str, secret: &str| {
        assert!(!opens(&server, secret).await, "{what}: {secret}");
        refused += 1;
    };

    // The secret with one letter changed, cut, lengthened, in another case, doubled.
    let letters: Vec<char> = session.chars().collect();
    for place in 0..letters.len() {
        for letter in ['A', 'b', '7', '-', '_', '=', '%', 'Z'] {
            if letters[place] != letter {
                let mut near = letters.clone();
                near[place] = letter;
                refuse("one letter", &near.iter().collect::<String>()).await;
            }
        }
        refuse("cut", &session[..place]).await;
        refuse("cut in front", &session[place + 1..]).await;
    }
    for near in [
        format!("{session}A"),
        format!("A{session}"),
        format!("{session}={session}"),
        format!("{session}%00"),
        session.to_uppercase(),
        session.to_lowercase(),
        session.chars().rev().collect(),
        sign_in::Secret::Session.digest(&session),
        String::new(),
        "null".to_owned(),
        "' OR 1=1 --".to_owned(),
    ] {
        refuse("near", &near).await;
    }

    // Secrets of other kinds, and of another installation.
    for _ in 0..20 {
        let link = links::make(&server.app, sam, LinkKind::Reset, "test").await.unwrap();
        refuse("a link", &link).await;
        let code = enrol::give_code(&server.app, sam, "organisation", HOUR, "test").await.unwrap();
        refuse("an enrolment code", &code).await;
        let place = passkey::ask(&server.app, &password::Attempt::default()).await.unwrap().place;
        refuse("a place in a ceremony", &place).await;
        let known = password::known_mark(&server.app, sam).unwrap();
        refuse("a known browser", &known).await;
        let theirs = other.person(&format!("Sam {}", place.len()), all).await;
        refuse("another installation's", &other.sign_in(theirs).await).await;
        other.pass(1);
        directory::change(
            &other.app,
            theirs,
            &directory::Told { name: "x".to_owned(), ..directory::Told::default() },
            "test",
        )
        .await
        .unwrap();
    }

    // The right secret in the wrong place.
    for cookies in [
        format!("stead={session}"),
        format!("__host-stead={session}"),
        format!("__Host-stead-known={session}"),
        format!("__Host-stead={session}; __Host-stead={session}"),
        format!("__Host-stead={session}; __Host-stead=x"),
        format!("__Host-stead =\t{session}x"),
    ] {
        assert_ne!(server.send("GET", "/home", &cookies, "").await.status, 200, "{cookies}");
        refused += 1;
    }
    let reply = server.get(&format!("/home?session={session}"), "").await;
    assert_ne!(reply.status, 200);
    refused += 1;
    println!("{refused} refused");
    assert!(refused >= 500, "{refused}");
    assert!(opens(&server, &session).await, "the right one still opens");
    server.is_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_when_it_must() {
    let server = TestServer::start().await;
    let app = &server.app;
    let sam = server.person("Sam Sample", UnitId::ORGANISATION).await;
    let who = async |session: &str| sign_in::session(app, session).await.unwrap().unwrap();

    // Signing out.
    let session = server.sign_in(sam).await;
    let reply = server.post("/sign-out", &session, "").await;
    assert!(reply.cookies[0].contains("Max-Age=0"));
    assert!(!opens(&server, &session).await, "after signing out");

    // Setting a password ends every other session, and this one goes on under another secret.
    let (one, two) = (server.sign_in(sam).await, server.sign_in(sam).await);
    let begun = password::set(app, &who(&one).await, Zeroizing::new(GOOD.to_owned())).await.unwrap();
    assert!(!opens(&server, &two).await && !opens(&server, &one).await, "after a change of password");
    assert!(opens(&server, &begun.secret).await);

    // A link made before a change of password is no good after it.
    let link = links::make(app, sam, LinkKind::SignIn, "test").await.unwrap();
    password::set(app, &who(&begun.secret).await, Zeroizing::new(format!("{GOOD} again"))).await.unwrap();
    assert!(links::take(app, &link, "").await.is_err());

    // A link to set up anew ends all sessions.
    let before = server.sign_in(sam).await;
    let link = links::make(app, sam, LinkKind::Reset, "test").await.unwrap();
    let (begun, _) = links::take(app, &link, "").await.unwrap();
    assert!(!opens(&server, &before).await && opens(&server, &begun.secret).await);
    assert!(links::take(app, &link, "").await.is_err(), "a link is used once");

    // Elsewhere, one by one and all at once.
    let (three, four) = (server.sign_in(sam).await, server.sign_in(sam).await);
    let third = who(&three).await.session.id;
    server.post("/me/ways/session/end", &begun.secret, &format!("id={third}")).await;
    assert!(!opens(&server, &three).await && opens(&server, &four).await);
    server.post("/me/ways/sessions/end", &begun.secret, "").await;
    assert!(!opens(&server, &four).await && opens(&server, &begun.secret).await);

    // Another person cannot end it.
    let toni = server.person("Toni Test", UnitId::ORGANISATION).await;
    let theirs = server.sign_in(toni).await;
    let mine = who(&begun.secret).await.session.id;
    let reply = server.post("/me/ways/session/end", &theirs, &format!("id={mine}")).await;
    assert_eq!(reply.status, 404);
    assert!(opens(&server, &begun.secret).await);

    // On leave somebody signs in, and uses no role; once gone they do not.
    server.give(sam, Role::Security, UnitId::ORGANISATION).await;
    assert!(!opens(&server, &begun.secret).await, "a link from before opens nothing of a role");
    let begun = links::make(app, sam, LinkKind::SignIn, "test").await.unwrap();
    let begun = links::take(app, &begun, "test").await.unwrap().0;
    assert_eq!(server.get("/devices", &begun.secret).await.status, 200);
    directory::set_state(app, sam, Employment::OnLeave, None, "test").await.unwrap();
    assert!(opens(&server, &begun.secret).await);
    assert_eq!(server.get("/devices", &begun.secret).await.status, 403);
    directory::set_state(app, sam, Employment::Gone, None, "test").await.unwrap();
    assert!(!opens(&server, &begun.secret).await);
    assert!(links::make(app, sam, LinkKind::SignIn, "test").await.is_err());

    // Time ends it, and a clock set back brings it back no further than it was.
    let idle = server.sign_in(toni).await;
    server.pass(8 * HOUR);
    assert!(!opens(&server, &idle).await);
    let long = server.sign_in(toni).await;
    for _ in 0..3 {
        server.pass(7 * HOUR);
        assert!(opens(&server, &long).await);
    }
    server.pass(3 * HOUR);
    assert!(!opens(&server, &long).await);
    server.is_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sensitive_asks_again() {
    let server = TestServer::start().await;
    let sam = server.person("Sam Sample", UnitId::ORGANISATION).await;
    let session = server.sign_in(sam).await;
    let set =
        server.post("/me/ways/password", &session, &format!("password={}", GOOD.replace(' ', "+"))).await;
    let session = set.session();
    assert_eq!(server.get("/me/ways", &session).await.status, 200);
    server.pass(minutes(10));
    let asked = server.get("/me/ways", &session).await;
    assert_eq!((asked.status, asked.location.as_str()), (303, "/prove?to=%2Fme%2Fways"));
    let refused = server.post("/me/ways/password", &session, "password=x").await;
    assert!(refused.status == 403 && refused.body.contains("proof-needed"));
    let wrong = server.post("/prove/password", &session, "password=wrong&to=/me/ways").await;
    assert_eq!(wrong.status, 422);
    let form = format!("password={}&to=/me/ways", GOOD.replace(' ', "+"));
    let proved = server.post("/prove/password", &session, &form).await;
    assert_eq!((proved.status, proved.location.as_str()), (303, "/me/ways"));
    assert!(!opens(&server, &session).await, "the old secret is worth nothing");
    assert_eq!(server.get("/me/ways", &proved.session()).await.status, 200);
    let away = format!("password={}&to=//evil.example", GOOD.replace(' ', "+"));
    let proved = server.post("/prove/password", &proved.session(), &away).await;
    assert_eq!(proved.location, "/", "nobody is sent to another site");
    server.is_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rc_6_passwords_and_codes_let_in_whom_they_should() {
    let server = TestServer::start().await;
    let app = &server.app;
    let sam = server.person("Sam Sample", UnitId::ORGANISATION).await;
    let who = async |session: &str| sign_in::session(app, session).await.unwrap().unwrap();
    let session = server.sign_in(sam).await;

    // What is too weak is refused, with what to do.
    for (weak, said) in [
        ("Tr0ub4dor&3", "fewer than 15"),
        ("correct horse battery staple", "Many people"),
        ("Sam Sample of Stead", "your name"),
        ("aaaaaaaaaaaaaaaa", "easy to guess"),
    ] {
        let form = format!("password={}", weak.replace('&', "%26").replace(' ', "+"));
        let reply = server.post("/me/ways/password", &session, &form).await;
        assert_eq!(reply.status, 422);
        assert!(reply.body.contains(said) && reply.body.contains("aria-invalid"), "{weak}");
    }
    let form = format!("password={}", GOOD.replace(' ', "+"));
    let session = server.post("/me/ways/password", &session, &form).await.session();

    let try_in = async |email: &str, password: &str, known: &str| {
        let form = format!("email={email}&password={}", password.replace(' ', "+"));
        server.send("POST", "/sign-in/password", &format!("__Host-stead-known={known}"), &form).await
    };
    let reply = try_in("Sam.Sample@STEAD.example", GOOD, "").await;
    assert_eq!(reply.status, 303);
    assert!(opens(&server, &reply.session()).await);
    let known = reply.cookie("__Host-stead-known");
    assert!(!known.is_empty());
    // The gate leads on to other sites, to which a form may not lead: a page goes between.
    let form = format!(
        "email=sam.sample@stead.example&to=/gate/enter/wiki%3Fto%3D%252F&password={}",
        GOOD.replace(' ', "+")
    );
    let on = server.send("POST", "/sign-in/password", "", &form).await;
    assert_eq!(on.status, 200, "{}", on.location);
    assert!(
        on.body.contains("http-equiv=\"refresh\"") && on.body.contains("/gate/enter/wiki?to="),
        "{}",
        on.body
    );
    assert!(opens(&server, &on.session()).await);

    // Which of the two is wrong is not said.
    let (no_such, wrong) =
        (try_in("nobody@stead.example", GOOD, "").await, try_in("sam.sample@stead.example", "x", "").await);
    let said = |reply: &support::Reply| {
        let start = reply.body.find("id=\"wrong\"").unwrap();
        reply.body[start..start + 200].to_owned()
    };
    assert_eq!((no_such.status, said(&no_such)), (wrong.status, said(&wrong)));

    // A stranger who guesses shuts out strangers, and not the person in a browser they have used.
    for _ in 0..12 {
        try_in("sam.sample@stead.example", "guess", "").await;
    }
    let shut = try_in("sam.sample@stead.example", GOOD, "").await;
    assert!(shut.status == 422 && shut.body.contains("Too many attempts"));
    assert_eq!(try_in("sam.sample@stead.example", GOOD, &known).await.status, 303);
    assert_eq!(try_in("sam.sample@stead.example", GOOD, &known.replace('.', "x.")).await.status, 422);
    server.pass(minutes(60));

    // A second factor: it counts once it was shown to work, and each code once.
    let session = {
        let form = format!("password={}", GOOD.replace(' ', "+"));
        server.post("/prove/password", &session, &form).await.session()
    };
    let setup = authenticator::set_up(app, &who(&session).await).await.unwrap();
    let code = |server: &TestServer| {
        let secret = totp_rs::Secret::try_from_base32(&setup.secret).unwrap();
        let totp = totp_rs::Builder::new().with_secret(secret).with_account_name("x").build().unwrap();
        totp.generate(u64::try_from(server.app.now().0 / 1000).unwrap()).to_string()
    };
    assert_eq!(try_in("sam.sample@stead.example", GOOD, &known).await.location, "/", "not confirmed yet");
    let first = code(&server);
    let reply = server.post("/me/ways/code/confirm", &session, &format!("code={first}")).await;
    assert_eq!(reply.status, 200);
    let recovery: Vec<String> = reply
        .body
        .split("<li class=\"seen\">")
        .skip(1)
        .map(|rest| rest.split('<').next().unwrap().to_owned())
        .collect();
    assert_eq!(recovery.len(), 10);

    let halfway = try_in("sam.sample@stead.example", GOOD, &known).await;
    assert_eq!(halfway.location, "/sign-in/code?to=%2F");
    assert!(halfway.session().is_empty(), "half a sign-in is none");
    let place = halfway.cookie("__Host-stead-place");
    assert!(!opens(&server, &place).await);
    let with = async |place: &str, code: &str| {
        server
            .send("POST", "/sign-in/code", &format!("__Host-stead-place={place}"), &format!("code={code}"))
            .await
    };
    assert_eq!(with(&place, &first).await.status, 422, "the code of the confirmation was used");
    server.pass(30_000);
    let reply = with(&place, &code(&server)).await;
    assert!(opens(&server, &reply.session()).await);
    assert_eq!(with(&place, &code(&server)).await.status, 422, "the place is used up");
    let again = try_in("sam.sample@stead.example", GOOD, &known).await.cookie("__Host-stead-place");
    assert_eq!(with(&again, &code(&server)).await.status, 422, "a code counts once");
    let typed = recovery[0].to_lowercase().replace('-', "+");
    assert!(opens(&server, &with(&again, &typed).await.session()).await, "as people type it");
    let again = try_in("sam.sample@stead.example", GOOD, &known).await.cookie("__Host-stead-place");
    assert_eq!(with(&again, &typed).await.status, 422, "a recovery code counts once");
    for _ in 0..6 {
        with(&again, "000000").await;
    }
    server.pass(30_000);
    assert!(with(&again, &code(&server)).await.body.contains("Too many"), "guessing codes is slowed");
    server.pass(minutes(20));
    assert_eq!(with(&again, &code(&server)).await.status, 422, "the place has expired");
    let again = try_in("sam.sample@stead.example", GOOD, &known).await.cookie("__Host-stead-place");
    let session = with(&again, &code(&server)).await.session();

    // With it a shorter password will do; without it that must go first.
    let reply = server.post("/me/ways/password", &session, "password=kz7vqpw2").await;
    assert_eq!(reply.status, 303);
    let session = reply.session();
    let reply = server.post("/me/ways/code/remove", &session, "").await;
    assert!(reply.status == 422 && reply.body.contains("too short to stand alone"));
    let form = format!("password={}", GOOD.replace(' ', "+"));
    let session = server.post("/me/ways/password", &session, &form).await.session();
    assert_eq!(server.post("/me/ways/code/remove", &session, "").await.status, 303);
    assert_eq!(try_in("sam.sample@stead.example", GOOD, &known).await.location, "/");
    assert_eq!(server.get("/home", &cookie("x")).await.status, 303);
    server.is_whole().await;
}
