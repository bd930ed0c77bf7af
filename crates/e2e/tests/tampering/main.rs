//! Whoever changes a server's database is found out: every column of every table, alone and with each other column of
//! its table, rows added and taken away, views, triggers, and indexes, changed by Python's SQLite.
//!
//! What isn't found is listed here with why, and a column that is listed and found all the same fails the test too.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot go on must stop")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use stead_testkit::{Server, program};

/// Of which pairs of columns one in so many is tried, where nobody says.
const SHARE: &str = "60";

/// Words that the ledger leaves out, so that they can be erased: a page may show others, nobody is let in by them.
const WORDS: &str =
    "free text or a label, which the ledger leaves out so that it can be erased; access doesn't depend on it";
/// What is made again from what is proved.
const DERIVED: &str =
    "made from what is proved, and made again when its subject is judged or counted the next time";
/// What is on its way.
const QUEUE: &str = "a message on its way or already told; it decides about nobody's access";
/// What the audit doesn't find and SECURITY.md names.
const LIMIT: &str = "not found: named in SECURITY.md";

/// Tables, and of each the columns (or `+row`, `-row`) whose change isn't found, with why.
const NOT_FOUND: &[(&str, &[&str], &str)] = &[
    (
        "_sqlx_migrations",
        &["installed_on", "execution_time"],
        "when a migration ran, and how long it took; nothing reads it",
    ),
    (
        "answered",
        &["+row"],
        "an answer that is kept for a day for a request sent again, sealed with the server's key",
    ),
    ("attestation_answer", &["words"], WORDS),
    (
        "authenticator",
        &["secret", "begun_at", "last_step"],
        "the secret is sealed with the server's key; a step set back lets a code count twice within 90 seconds",
    ),
    ("calendar_feed", &["digest", "-row"], LIMIT),
    ("case_event", &["kind", "words"], WORDS),
    (
        "ceremony",
        &["+row"],
        "an attempt to sign in that isn't over; it lasts ten minutes, and the answer is still to be signed",
    ),
    (
        "clear_out",
        &["person_id", "kind", "object", "label", "due", "done_at", "+row", "-row"],
        "a list to work through; whatever it says, each thing that is ended or handed over has an entry",
    ),
    (
        "delivery",
        &[
            "id",
            "channel",
            "person_id",
            "hook_id",
            "message",
            "state",
            "created_at",
            "due",
            "tries",
            "error",
            "ended_at",
            "+row",
            "-row",
        ],
        QUEUE,
    ),
    ("device", &["name", "machine"], WORDS),
    ("device_report", &["received_at", "facts_digest", "pack", "pack_digest", "basis"], DERIVED),
    ("device_standing", &["search", "system"], WORDS),
    ("device_standing", &["deadline"], LIMIT),
    ("device_state", &["device_id", "seq", "prev_seq", "last_seen", "message", "+row", "-row"], LIMIT),
    ("enrolment_code", &["expires_at", "-row"], "a code that is gone, or expires earlier, lets nobody in"),
    ("finding", &["observed", "origin", "at"], DERIVED),
    ("finding", &["stage", "counts_since", "due"], LIMIT),
    ("hook", &["name"], WORDS),
    (
        "hook",
        &["address", "secret"],
        "sealed with the server's key: another text doesn't open, and nothing is sent",
    ),
    ("lapse_case", &["unit_id", "next_at", "decider_id", "second_id", "sanction", "revision"], LIMIT),
    ("ledger_checkpoint", &["-row"], "a checkpoint between two others only narrows down where a fault lies"),
    ("ledger_head", &["turn"], "a counter that orders writers"),
    ("look", &["id", "visit", "words"], WORDS),
    ("loss", &["label", "back_at", "revision", "unit_id"], WORDS),
    ("loss", &["kept"], LIMIT),
    ("loss_card", &["digest", "used_at", "-row"], LIMIT),
    ("loss_event", &["words"], WORDS),
    ("loss_step", &["asks", "taker", "words"], WORDS),
    (
        "meta",
        &["name", "value", "+row", "-row"],
        "the day on which each job ran last, and whose keys these are: checked when the server starts",
    ),
    (
        "notice",
        &[
            "id",
            "person_id",
            "topic",
            "source",
            "at",
            "say",
            "given",
            "link",
            "hold_until",
            "told_at",
            "+row",
            "-row",
        ],
        QUEUE,
    ),
    (
        "notice_choice",
        &["person_id", "devices", "tasks", "record", "mail", "desktop", "chat", "+row", "-row"],
        QUEUE,
    ),
    ("notice_last", &["person_id", "told_at", "+row", "-row"], QUEUE),
    ("one_time_link", &["used_at"], LIMIT),
    ("one_time_link", &["-row"], "a link that is gone lets nobody in"),
    ("passkey", &["name", "last_used"], WORDS),
    (
        "password",
        &["short"],
        "whether a second factor is asked for with it is decided by whether there is one",
    ),
    ("person", &["language", "zone", "search"], WORDS),
    ("person_term", &["words"], WORDS),
    (
        "policy_draft",
        &[
            "id",
            "based_on",
            "files",
            "says",
            "state",
            "revision",
            "author",
            "changed_by",
            "created_at",
            "changed_at",
            "effective_at",
            "editors",
            "+row",
            "-row",
        ],
        "what is published is what was proposed, by its digest in the ledger; who wrote a draft is also in the ledger, and named in SECURITY.md",
    ),
    ("policy_draft_text", &["draft_id", "revision", "path", "text", "by_id", "at", "+row", "-row"], WORDS),
    ("policy_exception", &["label", "reason", "instead", "words", "renews"], WORDS),
    ("policy_glass", &["-row"], "made again from the policy when the server starts"),
    ("policy_rule", &["rule", "since", "+row", "-row"], "from when the first review of a rule is counted"),
    ("recovery_code", &["digest", "person_id", "created_at", "used_at", "+row", "-row"], LIMIT),
    ("session", &["digest", "browser", "last_used", "proved_at", "ended_at"], LIMIT),
    ("session", &["-row"], "a session that is gone lets nobody in"),
    ("subject_finding", &["observed", "origin", "at"], DERIVED),
    ("subject_finding", &["failing_since", "stage", "counts_since", "due"], LIMIT),
    ("subject_standing", &["deadline"], LIMIT),
    ("tally", &["+row"], "a number of 0, which shows as none"),
    ("tally_day", &["day", "name", "n", "+row", "-row"], "the line in a chart of days gone by"),
    ("token", &["name"], WORDS),
    ("token", &["last_used", "ended_at"], LIMIT),
    ("token", &["-row"], "a token that is gone lets nobody in"),
    ("unit", &["name"], WORDS),
];

/// A database with something in as many tables as can be: the sample, and what its operator then does.
fn database(folder: &Path, size: &[&str]) -> (std::path::PathBuf, String) {
    let data = folder.join("data");
    let made = Command::new(program("stead-sample").unwrap())
        .args(["--data", &data.display().to_string()])
        .args(size)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let mut server = Server::start(&data, None).unwrap();
    let mut client = server.client().unwrap();
    for (path, fields) in [
        ("/me/ways/password", &[("password", "nine quiet herons wade at dusk")][..]),
        ("/me/tokens", &[("name", "audit"), ("days", "7"), ("read", "1")][..]),
        ("/me/notices/calendar", &[][..]),
        ("/me/notices", &[("devices", "now"), ("tasks", "now"), ("record", "now")][..]),
    ] {
        let cookie = server.sign_in().unwrap();
        let (status, body) = client.post_form(path, &cookie, fields).unwrap();
        assert!(status < 400, "{path}: {status} {body}");
    }
    let key = server.ledger_key().unwrap();
    server.terminate();
    let copy = folder.join("copy.db");
    fs::copy(data.join("stead.db"), &copy).unwrap();
    (copy, key)
}

/// Why a change of this isn't found, where that is known.
fn reason(table: &str, what: &str) -> Option<&'static str> {
    let of = NOT_FOUND.iter().filter(|(of, _, _)| *of == table);
    of.clone().find(|(_, all, _)| all.contains(&what)).map(|(_, _, why)| *why)
}

/// C18, S1, S12: two thousand changes and more, each found or argued.
#[test]
fn c18_every_change_of_the_database_is_found_or_argued() {
    let folder = tempfile::tempdir().unwrap();
    // The program that verifies, built to be quick.
    let whole = std::env::var_os("STEAD_TAMPER");
    let size = if whole.is_some() {
        ["--people", "250", "--devices", "400", "--days", "365"]
    } else {
        ["--people", "40", "--devices", "12", "--days", "60"]
    };
    let (copy, key) = database(folder.path(), &size);
    let server = whole.as_ref().map_or_else(|| program("stead-server").unwrap(), PathBuf::from);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tampering/tamper.py");
    let out = Command::new("python3")
        .arg(script)
        .args([&copy, &server])
        .arg(&key)
        .arg(folder.path())
        .arg(if whole.is_some() { "1" } else { SHARE })
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let (mut wrong, mut names) = (Vec::new(), BTreeSet::new());
    let mut tables: BTreeMap<String, [usize; 3]> = BTreeMap::new();
    let mut always_found: BTreeMap<(String, String), bool> = BTreeMap::new();
    for line in String::from_utf8(out.stdout).unwrap().lines() {
        let came: Value = serde_json::from_str(line).unwrap();
        let (name, table) = (came["name"].as_str().unwrap(), came["table"].as_str().unwrap());
        let what: Vec<&str> =
            came["what"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
        assert!(names.insert(name.to_owned()), "{name} twice");
        let counts = tables.entry(table.to_owned()).or_default();
        if came.get("error").is_some() {
            // The database itself refused it: a key that is there, a value that must be.
            counts[2] += 1;
            continue;
        }
        // What changes nothing proves nothing.
        assert_eq!(came["changed"], true, "{name}");
        let found = came["status"] != 0;
        counts[usize::from(!found)] += 1;
        let argued = what.iter().all(|what| reason(table, what).is_some());
        if !found && !argued {
            wrong.push(format!("{name} wasn't found"));
        }
        if let [what] = what[..] {
            let all = always_found.entry((table.to_owned(), what.to_owned())).or_insert(true);
            *all &= found;
        }
    }
    for ((table, what), found) in &always_found {
        // Which row a new one is like differs from database to database: a number of 0 or another.
        if *found && what != "+row" && reason(table, what).is_some() {
            wrong.push(format!("{table} {what} is argued, and found"));
        }
    }
    println!("| table | found | argued | refused by the database | what is argued |");
    println!("| --- | ---: | ---: | ---: | --- |");
    let mut sums = [0; 3];
    for (table, counts) in &tables {
        let all = NOT_FOUND.iter().filter(|(of, _, _)| of == table);
        let argued: Vec<String> = all.map(|(_, what, why)| format!("{}: {why}", what.join(", "))).collect();
        println!("| {table} | {} | {} | {} | {} |", counts[0], counts[1], counts[2], argued.join("; "));
        (0..3).for_each(|place| sums[place] += counts[place]);
    }
    println!("| all | {} | {} | {} | |", sums[0], sums[1], sums[2]);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(whole.is_none() || names.len() >= 2000, "{}", names.len());
}
