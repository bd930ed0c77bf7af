//! People, units, roles, ways in, looks.

use stead_model::{Employment, Millis, PersonId, RecordId, Role, SessionId, UnitId};
use stead_store::{
    attestation::{Answer, Attestation},
    clear_out::Item,
    credential::{Ceremony, Passkey},
    look::NewLook,
    people::{Filter, Person},
    session::{Link, LinkKind, Session},
};

use super::{Fixture, NOW};

on_both! {
    people_are_found_by_unit_state_and_words
    addresses_and_numbers_are_one_persons_alone
    a_unit_that_moves_takes_its_roles_along
    sessions_and_links_end
    ways_in_come_and_go
    looks_count_for_a_visit
    a_clear_out_is_ticked_off_once
    attestations_are_read_by_whom_they_are_about
}

fn id(n: u8) -> PersonId {
    PersonId::from_parts(NOW, [n; 10])
}

fn unit(n: u8) -> UnitId {
    UnitId::from_parts(NOW, [n; 10])
}

/// Units 1 and 2 below the organisation, 3 below 2; one person in each, and one above them all.
async fn organisation(f: &Fixture) {
    let mut write = f.store.write().await.unwrap();
    write.add_unit(unit(1), "One", UnitId::ORGANISATION, NOW).await.unwrap();
    write.add_unit(unit(2), "Two", UnitId::ORGANISATION, NOW).await.unwrap();
    write.add_unit(unit(3), "Three", unit(2), NOW).await.unwrap();
    for (n, of) in [(1, unit(1)), (2, unit(2)), (3, unit(3)), (4, UnitId::ORGANISATION)] {
        let mut person = Person::new(id(n), format!("Person {n}"), of, Employment::Active, NOW);
        person.email = Some(format!("p{n}@stead.example"));
        write.add_person(&person).await.unwrap();
    }
    write.commit(&f.signer).await.unwrap();
}

async fn people_are_found_by_unit_state_and_words(f: Fixture) {
    organisation(&f).await;
    let names = async |filter: Filter| {
        let found = f.store.people(&filter, 10).await.unwrap();
        found.into_iter().map(|listed| listed.person.name).collect::<Vec<_>>()
    };
    let all =
        Filter { unit: UnitId::ORGANISATION, below: true, state: None, words: String::new(), after: None };
    assert_eq!(names(all.clone()).await, ["Person 1", "Person 2", "Person 3", "Person 4"]);
    assert_eq!(names(Filter { below: false, ..all.clone() }).await, ["Person 4"]);
    assert_eq!(names(Filter { unit: unit(2), ..all.clone() }).await, ["Person 2", "Person 3"]);
    assert_eq!(names(Filter { words: "p3@".to_owned(), ..all.clone() }).await, ["Person 3"]);
    assert_eq!(names(Filter { words: "%".to_owned(), ..all.clone() }).await.len(), 4, "no wildcard");
    let page = f.store.people(&all, 2).await.unwrap();
    let after = Some((page[1].search.clone(), page[1].person.id.to_string()));
    assert_eq!(names(Filter { after, ..all.clone() }).await, ["Person 3", "Person 4"]);

    let mut write = f.store.write().await.unwrap();
    let mut person = write.person(id(3)).await.unwrap().unwrap();
    person.state = Employment::Leaving;
    person.last_day = Some(NOW.plus(10));
    write.put_person(&person).await.unwrap();
    assert!(write.past_their_last_day(NOW, 5).await.unwrap().is_empty());
    assert_eq!(write.past_their_last_day(NOW.plus(10), 5).await.unwrap(), [person.clone()]);
    person.state = Employment::Gone;
    write.put_person(&person).await.unwrap();
    assert!(write.past_their_last_day(NOW.plus(10), 5).await.unwrap().is_empty());
    write.commit(&f.signer).await.unwrap();
    assert_eq!(names(all.clone()).await.len(), 3, "who has left is not shown unless asked for");
    assert_eq!(names(Filter { state: Some(Employment::Gone), ..all }).await, ["Person 3"]);
    let counts = f.store.people_by_state(unit(2)).await.unwrap();
    assert_eq!(counts.len(), 2);
    assert_eq!(f.store.unit(unit(3)).await.unwrap().unwrap().people, 0);
}

async fn addresses_and_numbers_are_one_persons_alone(f: Fixture) {
    organisation(&f).await;
    let mut write = f.store.write().await.unwrap();
    let mut other = Person::new(id(9), "Other".to_owned(), unit(1), Employment::Invited, NOW);
    other.email = Some("p1@stead.example".to_owned());
    assert!(write.add_person(&other).await.unwrap_err().is_duplicate());
    drop(write);
    assert_eq!(f.store.person_by_email("p1@stead.example").await.unwrap().unwrap().id, id(1));
    assert!(f.store.person_by_email("nobody@stead.example").await.unwrap().is_none());
    let mut write = f.store.write().await.unwrap();
    assert!(write.person_by_address_or_number(None, None).await.unwrap().is_empty());
    let found = write.person_by_address_or_number(Some("p2@stead.example"), Some("77")).await.unwrap();
    assert_eq!(found.len(), 1);
}

async fn a_unit_that_moves_takes_its_roles_along(f: Fixture) {
    organisation(&f).await;
    let mut write = f.store.write().await.unwrap();
    assert!(write.give_role(id(1), Role::Manager, unit(1), "test", NOW).await.unwrap());
    assert!(!write.give_role(id(1), Role::Manager, unit(1), "test", NOW).await.unwrap());
    write.give_role(id(4), Role::Operator, UnitId::ORGANISATION, "test", NOW).await.unwrap();
    assert_eq!(write.holders_of_all(Role::Operator).await.unwrap(), 1);
    write.commit(&f.signer).await.unwrap();
    assert_eq!(f.store.units_above(unit(3)).await.unwrap(), [unit(3), unit(2), UnitId::ORGANISATION]);
    assert!(f.store.holders(Role::Manager, unit(3)).await.unwrap().is_empty());

    let mut write = f.store.write().await.unwrap();
    let root = UnitId::ORGANISATION;
    let above = vec![
        (root, root, 0),
        (unit(1), unit(1), 0),
        (unit(1), root, 1),
        (unit(2), unit(2), 0),
        (unit(2), root, 1),
        (unit(3), unit(3), 0),
        (unit(3), unit(1), 1),
        (unit(3), root, 2),
    ];
    write.change_unit(unit(3), "Third", Some(unit(1)), above).await.unwrap();
    write.commit(&f.signer).await.unwrap();
    assert_eq!(f.store.units_above(unit(3)).await.unwrap(), [unit(3), unit(1), root]);
    assert_eq!(f.store.holders(Role::Manager, unit(3)).await.unwrap()[0].0, id(1));
    let mut write = f.store.write().await.unwrap();
    assert!(write.take_role(id(1), Role::Manager, unit(1)).await.unwrap());
    assert!(!write.take_role(id(1), Role::Manager, unit(1)).await.unwrap());
}

fn session(n: u8, person: PersonId) -> Session {
    Session {
        id: SessionId::from_parts(NOW, [n; 10]),
        person,
        method: "passkey".to_owned(),
        browser: "Firefox".to_owned(),
        created_at: NOW,
        last_used: NOW,
        proved_at: NOW,
        ended_at: None,
    }
}

async fn sessions_and_links_end(f: Fixture) {
    organisation(&f).await;
    let mut write = f.store.write().await.unwrap();
    write.add_link("link", LinkKind::Invite, (id(1), "maker"), NOW, NOW.plus(10)).await.unwrap();
    write.add_link("late", LinkKind::SignIn, (id(1), "maker"), NOW, NOW).await.unwrap();
    assert_eq!(write.use_link("late", NOW).await.unwrap(), None);
    assert_eq!(
        write.use_link("link", NOW).await.unwrap(),
        Some(Link { kind: LinkKind::Invite, person: id(1), made_by: "maker".to_owned() })
    );
    assert_eq!(write.use_link("link", NOW).await.unwrap(), None);
    write.add_link("ended", LinkKind::Reset, (id(1), "maker"), NOW, NOW.plus(10)).await.unwrap();
    write.end_links(id(1), NOW).await.unwrap();
    assert_eq!(write.use_link("ended", NOW).await.unwrap(), None);

    let (one, two) = (session(1, id(1)), session(2, id(1)));
    write.add_session("one", &one).await.unwrap();
    write.add_session("two", &two).await.unwrap();
    write.touch_session(one.id, NOW.plus(5)).await.unwrap();
    write.prove_session(one.id, "one anew", NOW.plus(6)).await.unwrap();
    assert!(!write.end_session(id(2), one.id, NOW).await.unwrap(), "another's session");
    assert_eq!(write.end_sessions(id(1), Some(one.id), NOW.plus(7)).await.unwrap(), 1);
    write.commit(&f.signer).await.unwrap();
    assert!(f.store.session("one").await.unwrap().is_none(), "the old secret");
    let found = f.store.session("one anew").await.unwrap().unwrap();
    assert_eq!((found.last_used, found.proved_at, found.ended_at), (NOW.plus(5), NOW.plus(6), None));
    assert_eq!(f.store.session("two").await.unwrap().unwrap().ended_at, Some(NOW.plus(7)));
    assert_eq!(f.store.sessions(id(1), Millis(0)).await.unwrap().len(), 1);
}

async fn ways_in_come_and_go(f: Fixture) {
    organisation(&f).await;
    let mut write = f.store.write().await.unwrap();
    assert_eq!(write.ways_in(id(1)).await.unwrap(), 0);
    write.put_password(id(1), "hash", true, NOW).await.unwrap();
    write.put_password(id(1), "hash 2", false, NOW).await.unwrap();
    let passkey = Passkey {
        id: RecordId::from_parts(NOW, [1; 10]),
        person: id(1),
        name: "key".to_owned(),
        passkey: "{}".to_owned(),
        created_at: NOW,
        last_used: None,
    };
    write.add_passkey(&passkey, "credential").await.unwrap();
    write.add_outside_identity("https://id.example", "sub", id(1), NOW).await.unwrap();
    assert_eq!(write.ways_in(id(1)).await.unwrap(), 3);
    assert_eq!(write.by_outside_identity("https://id.example", "sub").await.unwrap(), Some(id(1)));
    write.put_authenticator(id(1), "sealed", NOW).await.unwrap();
    assert!(write.take_step(id(1), 5, NOW).await.unwrap());
    assert!(!write.take_step(id(1), 5, NOW).await.unwrap(), "a code is taken once");
    assert!(!write.take_step(id(1), 4, NOW).await.unwrap(), "nor an earlier one");
    write.put_recovery_codes(id(1), &["a".to_owned(), "b".to_owned()], NOW).await.unwrap();
    assert!(write.use_recovery_code(id(1), "a", NOW).await.unwrap());
    assert!(!write.use_recovery_code(id(1), "a", NOW).await.unwrap());
    assert!(!write.use_recovery_code(id(2), "b", NOW).await.unwrap());
    let ceremony = Ceremony { kind: "code".to_owned(), person: Some(id(1)), state: "x".to_owned() };
    write.add_ceremony("place", &ceremony, NOW, NOW.plus(10)).await.unwrap();
    assert!(write.take_ceremony("place", "other", NOW).await.unwrap().is_none());
    assert!(write.take_ceremony("place", "code", NOW.plus(10)).await.unwrap().is_none(), "too late");
    assert_eq!(write.take_ceremony("place", "code", NOW).await.unwrap().unwrap().person, Some(id(1)));
    assert!(write.take_ceremony("place", "code", NOW).await.unwrap().is_none(), "once");
    write.commit(&f.signer).await.unwrap();
    assert_eq!(f.store.password(id(1)).await.unwrap().unwrap().hash, "hash 2");
    assert!(f.store.authenticator(id(1)).await.unwrap().unwrap().confirmed_at.is_some());
    assert_eq!(f.store.recovery_codes(id(1)).await.unwrap(), 1);
    let mut write = f.store.write().await.unwrap();
    write.use_passkey(passkey.id, "{\"n\":1}", NOW).await.unwrap();
    assert!(!write.end_passkey(id(2), passkey.id).await.unwrap(), "another's passkey");
    write.end_credentials(id(1)).await.unwrap();
    assert_eq!(write.ways_in(id(1)).await.unwrap(), 0);
}

async fn looks_count_for_a_visit(f: Fixture) {
    organisation(&f).await;
    let mut write = f.store.write().await.unwrap();
    let look = NewLook {
        id: RecordId::from_parts(NOW, [1; 10]),
        subject: id(1),
        viewer: id(2),
        visit: "visit".to_owned(),
        at: NOW,
        until: NOW.plus(10),
        purpose: "help".to_owned(),
        words: "printer".to_owned(),
        entry: 3,
    };
    write.add_look(&look).await.unwrap();
    write.commit(&f.signer).await.unwrap();
    assert!(f.store.has_said_why("visit", id(1), NOW).await.unwrap());
    assert!(!f.store.has_said_why("visit", id(1), NOW.plus(10)).await.unwrap(), "the visit is over");
    assert!(!f.store.has_said_why("visit", id(3), NOW).await.unwrap(), "somebody else");
    assert!(!f.store.has_said_why("other", id(1), NOW).await.unwrap(), "another visit");
    assert!(!f.store.has_said_why("visit", id(1), NOW.plus(-1)).await.unwrap(), "a clock set back");
    let looks = f.store.looks(id(1), 10).await.unwrap();
    assert_eq!((looks[0].viewer_name.as_str(), looks[0].entry), ("Person 2", 3));
    assert_eq!(f.store.looks_since(id(1), NOW).await.unwrap(), (1, 1));
    assert_eq!(f.store.looks_since(id(1), NOW.plus(1)).await.unwrap(), (0, 0));
}

async fn a_clear_out_is_ticked_off_once(f: Fixture) {
    organisation(&f).await;
    let item = Item {
        kind: "return".to_owned(),
        object: "laptop".to_owned(),
        label: "Laptop".to_owned(),
        due: NOW,
        done_at: None,
    };
    let mut write = f.store.write().await.unwrap();
    write.add_to_clear_out(id(1), &item).await.unwrap();
    write.add_to_clear_out(id(1), &Item { due: NOW.plus(1), ..item.clone() }).await.unwrap();
    assert!(write.tick_off(id(1), "return", "laptop", NOW).await.unwrap());
    assert!(!write.tick_off(id(1), "return", "laptop", NOW).await.unwrap());
    write.add_to_clear_out(id(1), &Item { object: "phone".to_owned(), ..item }).await.unwrap();
    write.drop_clear_out(id(1)).await.unwrap();
    write.commit(&f.signer).await.unwrap();
    let list = f.store.clear_out(id(1)).await.unwrap();
    assert_eq!(list.len(), 1, "what is done stays");
    assert_eq!((list[0].due, list[0].done_at), (NOW.plus(1), Some(NOW)));
}

async fn attestations_are_read_by_whom_they_are_about(f: Fixture) {
    organisation(&f).await;
    let waiting = async |of: UnitId, since: Millis| {
        let (people, all) = f.store.to_attest(of, since, 1).await.unwrap();
        (people.into_iter().map(|person| person.name).collect::<Vec<_>>(), all)
    };
    let mut write = f.store.write().await.unwrap();
    let mut add = async |n: u8, state, at| {
        write.add_person(&Person::new(id(n), format!("Person {n}"), unit(1), state, at)).await.unwrap();
    };
    add(5, Employment::OnLeave, NOW.plus(-9)).await;
    add(6, Employment::Invited, NOW).await;
    add(7, Employment::Active, NOW.plus(1)).await;
    write.commit(&f.signer).await.unwrap();
    assert_eq!(waiting(unit(1), NOW).await, (vec!["Person 1".to_owned()], 3), "the invited are not here yet");

    let mut write = f.store.write().await.unwrap();
    write.give_role(id(2), Role::Manager, unit(1), "test", NOW).await.unwrap();
    let attestation = Attestation { unit: unit(1), by: id(2), at: NOW, entry: 7 };
    let answer = Answer { person: id(1), answer: "look".to_owned(), words: "new laptop".to_owned() };
    write.add_attestation(&attestation, &[answer]).await.unwrap();
    write.commit(&f.signer).await.unwrap();
    assert_eq!(f.store.attestation(unit(1)).await.unwrap().unwrap().entry, 7);
    assert!(f.store.attestation(unit(2)).await.unwrap().is_none());
    let left = (vec!["Person 5".to_owned()], 1);
    assert_eq!(waiting(unit(1), NOW).await, left, "who came after the first part waits for the next month");
    assert_eq!(waiting(unit(1), NOW.plus(1)).await, (vec!["Person 1".to_owned()], 3), "a new month");
    let missing = f.store.attestations_missing(NOW).await.unwrap();
    assert_eq!(missing, [(id(2), unit(1), "One".to_owned())], "a part is not the whole");
    let said = f.store.said_of(id(1)).await.unwrap();
    assert_eq!(
        (said[0].1.as_str(), said[0].2.as_str(), said[0].3.as_str()),
        ("Person 2", "look", "new laptop")
    );
}
