//! Rules that the compiler does not know: which crate may know which, where SQL may stand, what a core
//! may not do, and that the papers name files that exist.

use std::{fs, path::Path};

use anyhow::bail;
use serde_json::Value;

use crate::machine;

/// Crates that each crate may depend on, of ours.
const ARROWS: [(&str, &[&str]); 13] = [
    ("stead-model", &[]),
    ("stead-policy", &["stead-model"]),
    ("stead-ledger", &["stead-model"]),
    ("stead-store", &["stead-ledger", "stead-model"]),
    ("stead-print", &[]),
    ("stead-server", &["stead-store", "stead-policy", "stead-ledger", "stead-model"]),
    ("stead-transport", &["stead-model"]),
    ("stead-tunnel", &["stead-model"]),
    ("stead-gate", &["stead-tunnel", "stead-transport", "stead-model"]),
    ("stead-agent", &["stead-policy", "stead-tunnel", "stead-transport", "stead-model"]),
    ("stead-testkit", &["stead-model"]),
    ("stead-e2e", &["stead-model", "stead-testkit"]),
    ("stead-sample", &["stead-model", "stead-policy", "stead-server", "stead-store", "stead-testkit"]),
];

/// Libraries that the agent must never link.
const NOT_IN_AGENT: [&str; 3] = ["sqlx", "axum", "tokio"];

/// The most direct dependencies of the agent.
const AGENT_MOST: usize = 25;

/// Words that a pure core may not hold.
const IMPURE: [&str; 7] =
    ["std::fs", "std::net", "std::env", "SystemTime", "Instant::now", "std::process", "rand::"];

/// Runs every rule.
pub fn run() -> anyhow::Result<()> {
    let mut wrong = Vec::new();
    arrows(&mut wrong)?;
    let root = machine::root();
    let mut sources = Vec::new();
    walk(&root.join("crates"), &mut sources)?;
    for path in &sources {
        let text = fs::read_to_string(path)?;
        let name = path.strip_prefix(&root).unwrap_or(path).to_string_lossy().into_owned();
        source(&name, &text, &mut wrong);
    }
    papers(&root, &mut wrong)?;
    tests_named(&root, &mut wrong)?;
    if wrong.is_empty() {
        println!("tidy: {} files, nothing wrong", sources.len());
        return Ok(());
    }
    bail!("tidy:\n  {}", wrong.join("\n  "))
}

fn arrows(wrong: &mut Vec<String>) -> anyhow::Result<()> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let out = std::process::Command::new(cargo)
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(machine::root())
        .output()?;
    let metadata: Value = serde_json::from_slice(&out.stdout)?;
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        let direct: Vec<&str> = package["dependencies"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|dependency| dependency["kind"].is_null())
            .filter_map(|dependency| dependency["name"].as_str())
            .collect();
        if let Some((_, allowed)) = ARROWS.iter().find(|(of, _)| *of == name) {
            for dependency in direct.iter().filter(|d| d.starts_with("stead-") && !allowed.contains(d)) {
                wrong.push(format!("{name} may not depend on {dependency}"));
            }
        } else if name != "xtask" {
            wrong.push(format!("{name} is not in the list of arrows in xtask/src/tidy.rs"));
        }
        if name == "stead-agent" {
            for dependency in direct.iter().filter(|d| NOT_IN_AGENT.contains(d)) {
                wrong.push(format!("the agent may not link {dependency}"));
            }
            if direct.len() > AGENT_MOST {
                wrong.push(format!(
                    "the agent has {} direct dependencies; {AGENT_MOST} are allowed",
                    direct.len()
                ));
            }
        }
    }
    Ok(())
}

fn source(name: &str, text: &str, wrong: &mut Vec<String>) {
    // Tests at the end of a file may do what the code above them may not.
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let within = |folder: &str| name.starts_with(folder);
    if !within("crates/store/") && (code.contains("sqlx::") || code.contains("SELECT ")) {
        wrong.push(format!("{name}: SQL stands in crates/store alone"));
    }
    if within("crates/server/src/web/") && code.contains(".write().await") {
        wrong.push(format!("{name}: only flows change state"));
    }
    let core =
        ["crates/model/src/", "crates/policy/src/", "crates/ledger/src/"].iter().any(|folder| within(folder));
    for word in IMPURE.iter().filter(|word| core && code.contains(**word)) {
        wrong.push(format!("{name}: a pure core does not know {word}"));
    }
    if within("crates/agent/src/facts/") && code.contains("std::fs") {
        wrong.push(format!("{name}: facts ask the operating system through Host alone"));
    }
    if within("crates/policy/src/") && !name.ends_with("expression.rs") && code.contains("Program::") {
        wrong.push(format!("{name}: expressions run in expression.rs alone"));
    }
}

/// Every path that ARCHITECTURE.md names in backquotes exists.
fn papers(root: &Path, wrong: &mut Vec<String>) -> anyhow::Result<()> {
    for paper in ["ARCHITECTURE.md", "README.md", "CONTRIBUTING.md"] {
        let text = fs::read_to_string(root.join(paper))?;
        for word in text.split('`').skip(1).step_by(2) {
            let looks = word.starts_with("crates/")
                || word.starts_with("packs/")
                || word.starts_with("docs/")
                || word.starts_with("xtask/")
                || word.starts_with("tests/");
            if looks && !word.contains(['*', '<', ' ']) && !root.join(word).exists() {
                wrong.push(format!("{paper} names {word}, which does not exist"));
            }
        }
    }
    Ok(())
}

/// Every test that SECURITY.md and the book name in backquotes exists: a whole name, or how one begins before an ellipsis.
fn tests_named(root: &Path, wrong: &mut Vec<String>) -> anyhow::Result<()> {
    let mut sources = Vec::new();
    rust_files(&root.join("crates"), &mut sources)?;
    let mut functions = std::collections::BTreeSet::new();
    for path in sources {
        let text = fs::read_to_string(path)?;
        for line in text.lines().filter_map(|line| line.trim_start().split_once("fn ")) {
            functions.insert(line.1.split(['(', '<']).next().unwrap_or_default().to_owned());
        }
    }
    let mut papers = vec![root.join("SECURITY.md")];
    for entry in fs::read_dir(root.join("docs/book"))? {
        papers.push(entry?.path());
    }
    for paper in papers.iter().filter(|paper| paper.extension().is_some_and(|ending| ending == "md")) {
        let text = fs::read_to_string(paper)?;
        for word in text.split('`').skip(1).step_by(2) {
            let plain =
                word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_…".contains(c));
            let there = match word.strip_suffix('…') {
                Some(start) => functions.iter().any(|name| name.starts_with(start)),
                None => functions.contains(word),
            };
            // Names of settings and columns have fewer words.
            let is_test = word.ends_with('…') || word.matches('_').count() >= 3;
            if plain && is_test && !there {
                wrong.push(format!("{} names the test {word}, which does not exist", paper.display()));
            }
        }
    }
    Ok(())
}

fn rust_files(folder: &Path, found: &mut Vec<std::path::PathBuf>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            rust_files(&path, found)?;
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    Ok(())
}

fn walk(folder: &Path, found: &mut Vec<std::path::PathBuf>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, found)?;
        } else if path.extension().is_some_and(|ending| ending == "rs")
            && path.components().any(|c| c.as_os_str() == "src")
        {
            found.push(path);
        }
    }
    Ok(())
}
