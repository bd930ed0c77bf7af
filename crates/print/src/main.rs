//! Prints one document: the order comes in as JSON, the PDF goes out.

use std::{
    io::{Read, Write, stdin, stdout},
    process::ExitCode,
};

use rustix::process::{Resource, Rlimit, setrlimit};

/// Largest order, in bytes.
const LARGEST: u64 = 32 * 1024 * 1024;
/// Most memory, in bytes.
const MEMORY: u64 = 2 * 1024 * 1024 * 1024;
/// Most seconds of a processor.
const SECONDS: u64 = 60;

fn main() -> ExitCode {
    match print() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("stead-print: {error}");
            ExitCode::FAILURE
        }
    }
}

fn print() -> Result<(), Box<dyn std::error::Error>> {
    for (what, most) in [(Resource::As, MEMORY), (Resource::Cpu, SECONDS)] {
        setrlimit(what, Rlimit { current: Some(most), maximum: Some(most) })?;
    }
    let mut text = Vec::new();
    stdin().take(LARGEST).read_to_end(&mut text)?;
    let pdf = stead_print::pdf(&serde_json::from_slice(&text)?)?;
    stdout().write_all(&pdf)?;
    Ok(())
}
