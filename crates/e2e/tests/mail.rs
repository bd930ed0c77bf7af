//! Mail, through the real programs and a real mail server of another make, with TLS both ways.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot go on must stop")]

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use stead_e2e::mail::{MailPeer, mail_arguments};
use stead_testkit::{Client, Server, free_port, program};

fn server(folder: &Path, scheme: &str, port: u64, trust: &Path) -> Server {
    let more = mail_arguments(folder, scheme, port, trust);
    let server: PathBuf = program("stead-server").unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], free_port().unwrap()));
    Server::start_with(&server, &folder.join("server"), None, address, &more).unwrap()
}

/// Waits until a page says something; what it says.
fn until(client: &mut Client, path: &str, cookie: &str, words: &str) -> String {
    let until = Instant::now() + Duration::from_secs(40);
    loop {
        let (_, page) = client.get(path, cookie).unwrap();
        if page.contains(words) || Instant::now() > until {
            return page;
        }
        thread::sleep(Duration::from_millis(300));
    }
}

#[test]
fn mail_reaches_people_over_starttls_and_tells_nothing_in_its_subject() {
    let folder = tempfile::tempdir().unwrap();
    let trust = folder.path().join("ca.pem");
    let Some(mut peer) = MailPeer::start("starttls", &trust) else { return };
    let server = server(folder.path(), "smtp+starttls", peer.port, &trust);
    let mut client = server.client().unwrap();
    let operator = server.sign_in().unwrap();
    let id = server.admin(&["add-person", "Sam Teleworker", "--email", "sam@stead.example"]).unwrap();

    // An invitation goes by mail, and its link works.
    let (status, page) = client.post_form(&format!("/people/{id}/invite"), &operator, &[]).unwrap();
    assert!(status == 200 && page.contains("gone to their address by mail"), "{page}");
    let mail = peer.next_to("sam@stead.example");
    assert_eq!((mail["tls"].as_bool(), mail["signed_in"].as_bool()), (Some(true), Some(true)));
    let headers = &mail["headers"];
    assert_eq!(headers["subject"], "Your link for Stead");
    assert_eq!(headers["auto-submitted"], "auto-generated");
    assert!(headers["message-id"].as_str().unwrap().ends_with("@stead.example>"));
    let text = mail["parts"]["text/plain"].as_str().unwrap();
    assert!(text.contains("Hello Sam Teleworker,"), "{text}");
    assert!(mail["parts"]["text/html"].as_str().unwrap().contains("/join/"));
    let start = text.find("/join/").unwrap();
    let link: String = text[start..].chars().take_while(|c| !c.is_whitespace()).collect();
    let (status, sam) = client.post_for_cookie(&link).unwrap();
    assert_eq!(status, 303);
    let sam = sam.unwrap();

    // What concerns the account comes by mail, in the language that its person chose.
    let chosen = [("language", "pt-BR"), ("zone", "America/Sao_Paulo")];
    client.post_form("/me/ways/language", &sam, &chosen).unwrap();
    let password = [("password", "nine quiet herons drift past")];
    assert_eq!(client.post_form("/me/ways/password", &sam, &password).unwrap().0, 303);
    let mut said = Vec::new();
    while !said.iter().any(|text: &String| text.contains("Sua senha foi definida.")) {
        let mail = peer.next_to("sam@stead.example");
        let subject = mail["headers"]["subject"].as_str().unwrap().to_owned();
        assert!(!subject.contains("Sam") && !subject.contains("senha") && !subject.contains("password"));
        said.push(mail["parts"]["text/plain"].as_str().unwrap().to_owned());
    }
    assert!(said.iter().any(|text| text.starts_with("Olá, Sam Teleworker,")), "{said:?}");
}

#[test]
fn mail_that_cannot_be_delivered_is_shown_and_what_was_only_late_arrives() {
    let folder = tempfile::tempdir().unwrap();
    let trust = folder.path().join("ca.pem");
    let Some(mut peer) = MailPeer::start("smtps", &trust) else { return };
    let server = server(folder.path(), "smtps", peer.port, &trust);
    let mut client = server.client().unwrap();
    let operator = server.sign_in().unwrap();
    for (name, address) in [("No Body", "nobody@stead.example"), ("Busy Bee", "busy@stead.example")] {
        let id = server.admin(&["add-person", name, "--email", address]).unwrap();
        let (status, _) = client.post_form(&format!("/people/{id}/invite"), &operator, &[]).unwrap();
        assert_eq!(status, 200);
    }
    // The mailbox that was busy is tried again five seconds later.
    let mail = peer.next_to("busy@stead.example");
    assert_eq!(mail["tls"], true);
    // The one that does not exist is not tried again, and whoever runs the server sees it.
    let page = until(&mut client, "/system/messages", &operator, "There is no such mailbox");
    assert!(
        page.contains("Some messages could not be delivered.") && page.contains("There is no such mailbox")
    );
    assert!(!page.contains("nobody@stead.example"), "whose message it was is not shown");
    let (status, _) = client.post_form("/system/messages/retry", &operator, &[("id", "")]).unwrap();
    assert_eq!(status, 303);
    let page = until(&mut client, "/system/messages", &operator, "There is no such mailbox");
    assert!(page.contains("There is no such mailbox"), "tried again, and given up again");
}

#[test]
fn a_mail_server_that_nobody_vouches_for_is_told_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (theirs, ours) = (folder.path().join("theirs.pem"), folder.path().join("ours.pem"));
    let Some(peer) = MailPeer::start("smtps", &theirs) else { return };
    // Another authority's certificate is trusted.
    let Some(other) = MailPeer::start("smtps", &ours) else { return };
    let server = server(folder.path(), "smtps", peer.port, &ours);
    let mut client = server.client().unwrap();
    let operator = server.sign_in().unwrap();
    let id = server.admin(&["add-person", "Sam", "--email", "sam@stead.example"]).unwrap();
    client.post_form(&format!("/people/{id}/invite"), &operator, &[]).unwrap();
    let page = until(&mut client, "/system/messages", &operator, "certificate");
    assert!(page.to_lowercase().contains("certificate"), "{page}");
    drop(other);
}
