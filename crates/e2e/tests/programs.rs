//! The real agent against the real server, and the command lines that people use.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot go on must stop")]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use stead_e2e::{Fleet, system_now};
use stead_testkit::{device::good_facts_at, program::program};

fn stead(state: &Path, arguments: &[&str]) -> Output {
    Command::new(program("stead").unwrap())
        .arg("--state")
        .arg(state)
        .args(arguments)
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn the_agent_enrols_checks_in_waits_and_delivers() {
    let mut f = Fleet::start(None);
    let state = f.folder.path().join("agent");
    let code = f.server.admin(&["enrol-code", "Ana Agent"]).unwrap();
    assert!(stead(&state, &["agent", "--once"]).stderr.starts_with(b"stead: this device is not enrolled"));
    let enrolled = stead(&state, &["enroll", &f.server.url(), &code]);
    assert!(enrolled.status.success(), "{}", String::from_utf8_lossy(&enrolled.stderr));
    let again = stead(&state, &["enroll", &f.server.url(), &code]);
    assert!(String::from_utf8_lossy(&again.stderr).contains("enrolled already"));

    let first = stead(&state, &["agent", "--once"]);
    assert!(first.status.success() && out(&first).contains("The device is ours"), "{}", out(&first));
    assert!(out(&stead(&state, &["agent", "--once"])).contains("Nothing has changed"));
    assert!(out(&stead(&state, &["status"])).contains("Judged by remote-work"));
    assert!(f.page("/devices").contains("Ana Agent"));

    // The server goes away; what is seen meanwhile waits, and is delivered when it is back.
    f.server.kill();
    let progress = state.join("progress.json");
    let text = fs::read_to_string(&progress).unwrap();
    let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
    value["facts_digest"] = "sha256:other".into();
    fs::write(&progress, value.to_string()).unwrap();
    let away = stead(&state, &["agent", "--once"]);
    assert_eq!(away.status.code(), Some(1));
    let waiting = || fs::read_dir(state.join("spool")).unwrap().count();
    assert_eq!(waiting(), 1);
    f.server.again().unwrap();
    f.client = f.server.client().unwrap();
    assert!(stead(&state, &["agent", "--once"]).status.success());
    assert_eq!(waiting(), 0);
    f.verify_ledger();
}

#[test]
fn the_key_and_the_state_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let f = Fleet::start(None);
    let state = f.folder.path().join("agent");
    let code = f.server.admin(&["enrol-code", "Ana Agent"]).unwrap();
    stead(&state, &["enroll", &f.server.url(), &code]);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&state), 0o700);
    for name in ["device.key", "identity.json", "progress.json"] {
        assert_eq!(mode(&state.join(name)), 0o600, "{name}");
    }
    assert_eq!(mode(&f.server.data().join("ledger.key")), 0o600);
    let key = fs::read_to_string(state.join("device.key")).unwrap();
    let sent = out(&stead(&state, &["show-report"]));
    assert!(!sent.contains(key.trim()));
}

/// C15: nobody else on the computer reads what the agent and the server keep, whatever the umask.
#[test]
fn c15_another_user_of_the_computer_gets_nothing() {
    use std::os::unix::fs::PermissionsExt;
    let mut f = Fleet::start(None);
    let open = tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o755)).tempdir().unwrap();
    let state = open.path().join("agent");
    let code = f.server.admin(&["enrol-code", "Ana Agent"]).unwrap();
    let stead = program("stead").unwrap();
    let as_anybody = |arguments: &str| {
        let line = format!("umask 000; exec {} --state {} {arguments}", stead.display(), state.display());
        Command::new("sh").args(["-c", &line]).output().unwrap()
    };
    assert!(as_anybody(&format!("enroll {} {code}", f.server.url())).status.success());
    as_anybody("agent --once");
    f.server.kill();
    fs::write(state.join("progress.json.old"), "").unwrap();
    fs::remove_file(state.join("progress.json.old")).unwrap();
    as_anybody("agent --once");
    f.server.again().unwrap();
    let mut kept = Vec::new();
    let mut folders = vec![state.clone(), f.server.data().to_owned()];
    while let Some(folder) = folders.pop() {
        kept.push(folder.clone());
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { kept.push(path) }
        }
    }
    assert!(kept.len() >= 10, "{kept:?}");
    for path in &kept {
        let mode = fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode & 0o077, 0, "{}: {mode:o}", path.display());
    }
    // Another user tries; that needs the right to become one.
    let becomes = |arguments: &[&str]| {
        let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
        Command::new("setpriv").args(nobody).args(arguments).output()
    };
    if !becomes(&["true"]).is_ok_and(|out| out.status.success()) {
        eprintln!("SKIPPED: nobody else can be tried here");
        return;
    }
    for path in &kept {
        let path = path.display().to_string();
        assert!(!becomes(&["cat", &path]).unwrap().status.success(), "{path} is read");
        assert!(
            !becomes(&["sh", "-c", &format!("echo x >> '{path}'")]).unwrap().status.success(),
            "{path} is written"
        );
    }
}

/// S25: what the agent runs for whoever sits at the computer has their groups, and none of root's.
#[test]
fn s25_what_runs_for_somebody_has_their_groups_alone() {
    let line = ["--reuid=65534", "--regid=65534", "--init-groups", "id", "-G"];
    let Ok(out) = Command::new("setpriv").args(line).output() else {
        eprintln!("SKIPPED: no setpriv here");
        return;
    };
    if !out.status.success() {
        eprintln!("SKIPPED: nobody else can be tried here");
        return;
    }
    assert_eq!(String::from_utf8_lossy(&out.stdout).trim(), "65534");
}

/// A program of ours where every user may run it, and how to run it as nobody; none where that can't be tried.
fn as_nobody(name: &str) -> Option<(tempfile::TempDir, Command)> {
    use std::os::unix::fs::PermissionsExt;
    let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    if !Command::new("setpriv").args(nobody).arg("true").status().is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: nobody else can be tried here");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let copy = folder.path().join(name);
    fs::copy(program(name).unwrap(), &copy).unwrap();
    let mut command = Command::new("setpriv");
    command.args(nobody).arg(copy).env_remove("HOME").env_remove("XDG_STATE_HOME");
    Some((folder, command))
}

/// S30: without a home, the agent kept its key in a folder of /tmp that anybody could have made before.
#[test]
fn s30_without_a_home_the_agent_asks_where_to_keep_its_key() {
    let Some((_folder, mut stead)) = as_nobody("stead") else { return };
    let said = stead.arg("status").output().unwrap();
    assert_eq!(said.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&said.stderr).contains("--state"), "{said:?}");
}

/// S30: keys could be read out of a running program, or out of its core file, by others of the same user.
#[test]
fn s30_no_program_that_holds_keys_can_be_dumped() {
    use std::os::unix::fs::MetadataExt;
    let Some((_folder, mut relay)) = as_nobody("stead-server") else { return };
    let relay =
        relay.args(["relay", "records", "--gate", "http://127.0.0.1:9", "--to", "http://127.0.0.1:9"]);
    let mut relay = relay.args(["--listen", "127.0.0.1:0"]).spawn().unwrap();
    let its = format!("/proc/{}", relay.id());
    let nobodys =
        || fs::read_to_string(format!("{its}/comm")).is_ok_and(|name| name.trim() == "stead-server");
    // The kernel gives the files of a program that can't be dumped to root.
    let begun = std::time::Instant::now();
    while !(nobodys() && fs::metadata(format!("{its}/mem")).is_ok_and(|mem| mem.uid() == 0)) {
        assert!(begun.elapsed().as_secs() < 10, "it can be dumped");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let status = fs::read_to_string(format!("{its}/status")).unwrap();
    assert!(status.contains("65534"), "it runs as nobody: {status}");
    relay.kill().unwrap();
    relay.wait().unwrap();
}

#[test]
fn check_needs_no_server_and_says_why_in_json_too() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let checked = stead(&state, &["check", "--json"]);
    let value: serde_json::Value = serde_json::from_slice(&checked.stdout).unwrap();
    let findings = value["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 19);
    for finding in findings {
        for field in ["rule", "title", "subject", "outcome", "observed", "origin", "at", "severity", "advice"]
        {
            assert!(!finding[field].is_null(), "{field} of {finding}");
        }
        assert!(
            ["pass", "fail", "unknown", "not_applicable", "excepted"]
                .contains(&finding["outcome"].as_str().unwrap())
        );
    }
    let asked = |f: &&serde_json::Value| {
        f["stage"] != "observe" && (f["outcome"] == "fail" || f["outcome"] == "unknown")
    };
    let against = findings.iter().filter(asked).count();
    assert_eq!(checked.status.code(), Some(i32::from(against > 0)));
    assert!(value["standing"].is_string());
    assert!(!out(&stead(&state, &["check"])).contains('\u{1b}'), "no colour but on a terminal");
}

#[test]
fn saved_facts_are_judged_and_bad_ones_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("facts.json");
    let check = |text: &str| {
        fs::write(&file, text).unwrap();
        stead(folder.path(), &["check", "--facts", &file.to_string_lossy()])
    };
    let facts = serde_json::to_string(&good_facts_at(system_now())).unwrap();
    let good = check(&facts);
    assert_eq!(good.status.code(), Some(0), "{}", out(&good));
    assert!(out(&good).contains("good standing"));
    let bad = check(&facts.replace("\"wpa3\"", "\"wep\"").replace(
        "\"device.tunnel.carries_traffic\":{\"value\":true",
        "\"device.tunnel.carries_traffic\":{\"value\":false",
    ));
    assert_eq!(bad.status.code(), Some(1));
    for text in ["", "{", "[]", "{\"device.weather\":{\"value\":1,\"origin\":\"\"}}"] {
        let refused = check(text);
        assert_eq!(refused.status.code(), Some(2), "{text}");
        assert!(!refused.stderr.is_empty());
    }
    let report = stead(folder.path(), &["show-report"]);
    assert!(check(&out(&report)).status.code() < Some(2), "what is shown can be judged");
}

#[test]
fn packs_are_linted_with_place_caret_and_advice() {
    let server = program("stead-server").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/remote-work");
    let copy = |to: &Path| {
        for below in ["", "rules", "tests", "data"] {
            fs::create_dir_all(to.join(below)).unwrap();
            for entry in fs::read_dir(root.join(below)).unwrap().flatten().filter(|e| e.path().is_file()) {
                fs::copy(entry.path(), to.join(below).join(entry.file_name())).unwrap();
            }
        }
    };
    for (from, to, says, advises) in [
        (
            "device.volumes.all(v, v.encrypted)",
            "device.volume.all(v, v.encrypted)",
            "there is no fact `device.volume`",
            "device.volumes",
        ),
        (
            "device.volumes.all(v, v.encrypted)",
            "device.volumes.all(v, v.mount)",
            "cannot be used on",
            "compare like with like",
        ),
        (
            "device.volumes.all(v, v.encrypted)",
            "has(device.volumes)",
            "turn not knowing into an answer",
            "ask for the fact itself",
        ),
        ("device.volumes.all(v, v.encrypted)", "device.volumes.size()", "yes or no is wanted", "compare it"),
        ("device.volumes.all(v, v.encrypted)", "device.volumes.all(v, ", "not an expression", "brackets"),
        ("grace = \"P3D\"", "grace = \"3 days\"", "no length of time", "P3D"),
        ("severity = \"high\"", "severity = \"huge\"", "unknown variant", "words listed"),
        ("costs = ", "cost = ", "unknown field", "correct its name"),
        ("costs = \"restricted\"", "costs = \"secret\"", "no tier", "use one of"),
        ("\"RC-2\"", "\"RC-99\"", "no requirement", "id of the register"),
        ("## Fix on macOS", "## On macOS", "no section `## Fix on macOS`", "say how to fix it"),
        ("id = \"disk-encrypted\"", "id = \"disk\"", "not the name of the file", "same name"),
        ("when_not = ", "# when_not = ", "needs `when_not`", "say in"),
    ] {
        let pack = folder.path().join("pack");
        copy(&pack);
        let file = pack.join("rules/disk-encrypted.md");
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{from}");
        fs::write(&file, text.replacen(from, to, 1)).unwrap();
        let lint = Command::new(&server).args(["pack", "lint"]).arg(&pack).output().unwrap();
        let said = String::from_utf8_lossy(&lint.stderr);
        let flat = said.replace(['\n', '│'], " ").split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(lint.status.code(), Some(1), "{to}");
        assert!(flat.contains(says) && flat.contains(advises), "{to}:\n{said}");
        assert!(said.contains("rules/disk-encrypted.md:") && said.contains("here"), "{to}:\n{said}");
    }
    for (expression, says) in [
        (format!("\"{}\" == \"a\"", "x".repeat(1100)), "1024 are allowed"),
        (format!("{}true{}", "!(".repeat(60), ")".repeat(60)), "too deep"),
    ] {
        let pack = folder.path().join("pack");
        copy(&pack);
        let file = pack.join("rules/disk-encrypted.md");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.replace("device.volumes.all(v, v.encrypted)", &expression.replace('"', "'")))
            .unwrap();
        let lint = Command::new(&server).args(["pack", "lint"]).arg(&pack).output().unwrap();
        let said = String::from_utf8_lossy(&lint.stderr).into_owned();
        assert!(said.contains(says) && lint.status.code() == Some(1), "{said}");
    }
    let good = Command::new(&server).args(["pack", "test"]).arg(&root).output().unwrap();
    assert!(good.status.success(), "{}", String::from_utf8_lossy(&good.stderr));
}

#[test]
fn the_server_refuses_to_be_reached_in_the_clear() {
    let folder = tempfile::tempdir().unwrap();
    let refused = Command::new(program("stead-server").unwrap())
        .args(["serve", "--listen", "0.0.0.0:0", "--data"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("there is no TLS"));
    let agent = stead(folder.path(), &["enroll", "http://10.0.0.1", "x"]);
    assert!(String::from_utf8_lossy(&agent.stderr).contains("without encryption"));
}
