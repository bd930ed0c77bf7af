//! People, from end to end: they join, are seen and see who saw them, and leave.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot go on must stop")]

use std::thread;

use stead_e2e::{Fleet, on_both, read_pdf, system_now};
use stead_testkit::{SimDevice, device::good_facts_at};

on_both! {
    opm_e4_the_person_sees_what_is_held_and_who_looked_and_why
    opm_m7_a_record_opens_to_whom_it_concerns_and_for_a_purpose
    rc_6_a_password_opens_the_door_and_a_weak_one_is_refused
    sixty_four_uses_of_a_link_sign_in_one
    people_come_from_a_file_and_leave_with_a_list
}

fn get(f: &mut Fleet, path: &str, cookie: &str) -> (u16, String) {
    f.client.get(path, cookie).unwrap()
}

fn opm_e4_the_person_sees_what_is_held_and_who_looked_and_why(f: &mut Fleet) {
    let facts = good_facts_at(f.now());
    let (id, sam) = f.join("Sam Teleworker", "sam@stead.example", &[]);
    let (_, security) = f.join("Sasha Security", "sasha@stead.example", &["security"]);
    let code = f.server.admin(&["enrol-code", "Sam Teleworker"]).unwrap();
    let mut laptop = SimDevice::enrol(&mut f.client, [7; 32], &code, "sams-laptop", system_now()).unwrap();
    f.report_as(&mut laptop, &facts);

    let (_, page) = get(f, "/me", &sam);
    assert!(page.contains("Nobody has looked at this record."));
    // Every fact that the device sent stands there, with where it comes from.
    for (name, fact) in &facts {
        let about = stead_model::catalogue::DEVICE.iter().find(|spec| spec.name == *name).unwrap().about;
        let about = about.replace('\'', "&#39;");
        assert!(page.contains(&about) || page.contains(about.trim()), "{name}: {about}");
        assert!(page.contains(fact.origin.split(' ').next().unwrap()), "{name}: {}", fact.origin);
    }
    assert!(page.contains("sam@stead.example") && page.contains("sams-laptop") && page.contains("Kept:"));

    // A look without a purpose shows nothing; with one it is written down.
    let record = format!("/people/{id}");
    let (status, _) = get(f, &record, &security);
    assert_eq!(status, 303);
    let asked = f.client.location().unwrap().to_owned();
    assert!(asked.starts_with(&format!("{record}/look?to=")), "{asked}");
    let look = format!("{record}/look");
    let (status, again) = f.client.post_form(&look, &security, &[("purpose", "curious")]).unwrap();
    assert!(status == 422 && again.contains("Choose what you need it for."));
    let (status, again) = f.client.post_form(&look, &security, &[("purpose", "other")]).unwrap();
    assert!(status == 422 && again.contains("Say in a few words"));
    let why = [("purpose", "help"), ("words", "the printer of case 41")];
    assert_eq!(f.client.post_form(&look, &security, &why).unwrap().0, 303);
    assert_eq!(get(f, &record, &security).0, 200);
    assert_eq!(get(f, &format!("/devices/{}", laptop.id), &security).0, 200, "once per visit");

    let (_, page) = get(f, "/me", &sam);
    assert!(page.contains("Sasha Security") && page.contains("the printer of case 41"));
    let (_, file) = get(f, "/me/record.json", &sam);
    let file: serde_json::Value = serde_json::from_str(&file).unwrap();
    assert_eq!(file["looks"][0]["by"], "Sasha Security");
    assert_eq!(file["person"], id.as_str());
    assert!(file["sections"].as_array().unwrap().len() >= 3);
    // The same in print, for people and for those who listen to it.
    let (status, printed) = f.client.get_bytes("/me/record.pdf", &sam).unwrap();
    assert_eq!(status, 200);
    if let Some(printed) = read_pdf(&printed) {
        let text = printed["text"].as_str().unwrap();
        for word in ["Sam Teleworker", "sam@stead.example", "sams-laptop", "Sasha", "the printer of case 41"]
        {
            assert!(text.contains(word), "{word}: {text}");
        }
        assert_eq!(
            (&printed["title"], &printed["language"]),
            (&"What we know about you".into(), &"en".into())
        );
        assert_eq!((&printed["tagged"], &printed["accessible"]), (&true.into(), &true.into()));
    }
    // The ledger proves the look and holds none of its words.
    let entries = f.ledger_texts();
    assert!(entries.iter().any(|e| e.contains("person.looked-at") && e.contains(&id)));
    assert!(!entries.iter().any(|e| e.contains("printer") || e.contains("stead.example")));
    f.verify_ledger();
}

fn opm_m7_a_record_opens_to_whom_it_concerns_and_for_a_purpose(f: &mut Fleet) {
    let (sam_id, sam) = f.join("Sam Teleworker", "sam@stead.example", &[]);
    let (toni_id, toni) = f.join("Toni Teleworker", "toni@stead.example", &[]);
    let (_, auditor) = f.join("Alex Auditor", "alex@stead.example", &["auditor"]);
    let (_, operator) = f.join("Olga Operator", "olga@stead.example", &["operator"]);

    // Colleagues see their own and nothing of each other, by page or by guessing.
    assert_eq!(get(f, &format!("/people/{sam_id}"), &sam).0, 200);
    assert_eq!(get(f, &format!("/people/{toni_id}"), &sam).0, 403);
    assert_eq!(get(f, &format!("/people/{toni_id}/look"), &sam).0, 403);
    for page in ["/people", "/devices", "/overview", "/ledger", "/system", "/team", "/units"] {
        assert_eq!(get(f, page, &toni).0, 403, "{page}");
    }
    let (status, found) = get(f, "/search?q=teleworker", &toni);
    assert!(status == 200 && !found.contains("Sam Teleworker"));

    // An operator runs the program and opens no record; an auditor reads and changes nothing.
    assert_eq!(get(f, &format!("/people/{sam_id}"), &operator).0, 403);
    assert_eq!(get(f, "/system", &operator).0, 200);
    assert_eq!(get(f, &format!("/people/{sam_id}"), &auditor).0, 303, "asked what for");
    let (status, _) =
        f.client.post_form(&format!("/people/{sam_id}/state"), &auditor, &[("to", "gone")]).unwrap();
    assert_eq!(status, 403);
    let (status, _) = f.client.post_form(&format!("/people/{sam_id}/invite"), &sam, &[]).unwrap();
    assert_eq!(status, 403, "nobody makes links for themselves");
}

fn rc_6_a_password_opens_the_door_and_a_weak_one_is_refused(f: &mut Fleet) {
    let (_, sam) = f.join("Sam Teleworker", "sam@stead.example", &[]);
    let set = "/me/ways/password";
    let (status, page) = f.client.post_form(set, &sam, &[("password", "Summer2026!")]).unwrap();
    assert!(status == 422 && page.contains("fewer than 15"));
    let good = "four wet otters hum at noon";
    assert_eq!(f.client.post_form(set, &sam, &[("password", good)]).unwrap().0, 303);
    let fields = [("email", "sam@stead.example"), ("password", good)];
    let (status, _) = f.client.post_form("/sign-in/password", "", &fields).unwrap();
    assert_eq!(status, 303);
    let session = f.client.cookies()[0].clone();
    assert_eq!(get(f, "/home", &session).0, 200);
    assert_eq!(get(f, "/home", &sam).0, 303, "the session from before the change has ended");
    let text = f.ledger_texts().join("\n");
    assert!(text.contains("password.set") && !text.contains("otters"));
}

fn sixty_four_uses_of_a_link_sign_in_one(f: &mut Fleet) {
    f.server.admin(&["add-person", "Sam Teleworker", "--email", "sam@stead.example"]).unwrap();
    let link = f.server.admin(&["invite", "sam@stead.example", "--base-url", &f.server.url()]).unwrap();
    let path = link.strip_prefix(&f.server.url()).unwrap();
    let answers: Vec<u16> = thread::scope(|scope| {
        let uses: Vec<_> = (0..64)
            .map(|_| {
                let mut client = f.server.client().unwrap();
                scope.spawn(move || client.post_for_cookie(path).unwrap().0)
            })
            .collect();
        uses.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(answers.iter().filter(|status| **status == 303).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|status| [303, 403].contains(status)), "{answers:?}");
    let begun = f.ledger_texts().iter().filter(|e| e.contains("session.begun")).count();
    assert_eq!(begun, 2, "the fleet's own and this one");
}

/// A form with one file in it, as browsers send it.
fn upload(f: &mut Fleet, cookie: &str, csv: &str) -> (u16, String) {
    let body = format!(
        "--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"people.csv\"\r\n\r\n{csv}\r\n--x--\r\n"
    );
    let headers = [("content-type", "multipart/form-data; boundary=x"), ("cookie", cookie)];
    f.client.send("POST", "/people/import/preview", &headers, &body).unwrap()
}

fn people_come_from_a_file_and_leave_with_a_list(f: &mut Fleet) {
    let cookie = f.cookie.clone();
    let csv = "name,email,staff_number,unit,manager\n\
        Robin Boss,robin@stead.example,1,Service / Records,\n\
        Dana Demo,dana@stead.example,2,Service / Records,robin@stead.example\n\
        No Address,,3,Service,\n\
        Twice,dana@stead.example,4,Service,\n\
        Lost,lost@stead.example,5,Service,nobody@stead.example\n";
    let (status, preview) = upload(f, &cookie, csv);
    assert_eq!(status, 200);
    assert!(preview.contains("2 added, 0 changed, 3 left out"), "{preview}");
    assert!(preview.contains("Service / Records") && preview.contains("stands in line 3"));
    assert!(!f.page("/people").contains("Robin Boss"), "a preview changes nothing");
    let digest = preview.split("name=\"digest\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let fields = [("csv", csv), ("digest", digest)];
    assert_eq!(f.client.post_form("/people/import", &cookie, &fields).unwrap().0, 303);
    let people = f.page("/people");
    assert!(people.contains("Robin Boss") && people.contains("Dana Demo") && !people.contains("Twice"));
    // The same again does nothing, and a preview that no longer fits is refused.
    let (status, again) = f.client.post_form("/people/import", &cookie, &fields).unwrap();
    assert!(status == 422 && again.contains("Somebody changed the directory meanwhile"));
    let (_, preview) = upload(f, &cookie, csv);
    assert!(preview.contains("0 added, 0 changed, 3 left out"), "{preview}");
    for (bad, said) in [
        ("name\nx\n", "must name the columns"),
        ("name,email,shoe_size\nx,y,z\n", "shoe_size"),
        ("", "must name the columns"),
    ] {
        let (status, page) = upload(f, &cookie, bad);
        assert!(status == 422 && page.contains(said), "{bad}");
    }

    // Dana joins, enrols a laptop, and then leaves.
    let link = f.server.admin(&["invite", "dana@stead.example", "--base-url", &f.server.url()]).unwrap();
    let path = link.strip_prefix(&f.server.url()).unwrap().to_owned();
    let dana = f.client.post_for_cookie(&path).unwrap().1.unwrap();
    let code = f.server.admin(&["enrol-code", "Dana Demo"]).unwrap();
    let laptop = SimDevice::enrol(&mut f.client, [8; 32], &code, "danas-laptop", system_now()).unwrap();
    let list = f.page("/people?q=dana");
    let record = list.split("href=\"/people/").nth(1).unwrap();
    let record = list
        .split("href=\"/people/")
        .map(|rest| rest.split('"').next().unwrap())
        .find(|id| id.len() == 36)
        .unwrap_or(record)
        .to_owned();
    let record = format!("/people/{record}");
    assert!(f.page(&record).contains("Dana Demo"));
    let state = format!("{record}/state");
    let (status, page) = f.client.post_form(&state, &cookie, &[("to", "leaving")]).unwrap();
    assert!(status == 422 && page.contains("Say which day is the last."));
    let leaving = [("to", "leaving"), ("last_day", "2099-12-31")];
    assert_eq!(f.client.post_form(&state, &cookie, &leaving).unwrap().0, 303);
    let page = f.page(&record);
    assert!(page.contains("Give back “danas-laptop”") && page.contains("Signing in ends"), "{page}");
    assert!(get(f, "/home", &dana).1.contains("Give back “danas-laptop”"), "Dana is told first");
    let returned = [("object", laptop.id.to_string())];
    let returned: Vec<(&str, &str)> = returned.iter().map(|(name, id)| (*name, id.as_str())).collect();
    assert_eq!(f.client.post_form(&format!("{record}/returned"), &cookie, &returned).unwrap().0, 303);
    assert_eq!(f.client.post_form(&state, &cookie, &[("to", "gone")]).unwrap().0, 303);
    assert_eq!(get(f, "/home", &dana).0, 303, "no session any more");
    assert!(f.device_page_of(&laptop).contains("Revoked"));
    let text = f.ledger_texts().join("\n");
    for kind in ["people.imported", "clear-out.begun", "clear-out.returned", "access.ended", "device.revoked"]
    {
        assert!(text.contains(kind), "{kind}");
    }
    f.verify_ledger();
}
