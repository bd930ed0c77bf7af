//! The API under a fuzzer that knows its description: no answer is one that the description does not name,
//! and none is our fault.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot go on must stop")]

use std::{path::Path, process::Command};

use stead_e2e::{Fleet, on_both, peer};

on_both! {
    no_request_to_the_api_gets_an_answer_that_is_not_described
}

fn no_request_to_the_api_gets_an_answer_that_is_not_described(f: &mut Fleet) {
    let Some(program) = peer("schemathesis") else { return };
    let scopes = ["read", "own", "people", "units", "roles", "teams", "devices", "system"];
    let cookie = f.cookie.clone();
    let token = f.token(&cookie, &scopes);
    // A token that ends itself would let the rest of the run see nothing but that it has ended.
    let own = "/api/v1/me/tokens/{token}";
    run(&program, f, &token, &["--exclude-path", own]);
    run(&program, f, &token, &["--include-path", own, "--phases", "examples,coverage,fuzzing"]);
    f.verify_ledger();
}

fn run(program: &Path, f: &Fleet, token: &str, more: &[&str]) {
    let checks = "not_a_server_error,status_code_conformance,content_type_conformance,\
                  response_schema_conformance,unsupported_method,ignored_auth";
    let out = Command::new(program)
        .arg("run")
        .arg(format!("{}/api/v1/openapi.json", f.server.url()))
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .args(["--header", "Stead-Purpose: review"])
        .args(["--checks", checks, "--max-examples", "25", "--seed", "7"])
        .args(["--generation-database", "none", "--no-color", "--continue-on-failure"])
        .args(more)
        .current_dir(f.folder.path())
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success(), "{said}");
    assert!(said.contains(" passed"), "{said}");
    eprintln!("{}", said.lines().filter(|line| line.contains("generated")).collect::<Vec<_>>().join("\n"));
}
