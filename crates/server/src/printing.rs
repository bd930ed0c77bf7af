//! Printed documents: an order goes to `stead-print`, a PDF comes back.
//!
//! In scope: running that program, once for each document, bounded in time, size and number. Out of scope:
//! what stands in a document; whoever orders one gathers that.

use std::{path::PathBuf, process::Stdio, time::Duration};

use serde::Serialize;
use stead_model::problem::Kind;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::Command,
    sync::Semaphore,
    time,
};

use crate::error::Refusal;

/// Documents that are set at the same time: check-ins need the processors too.
const AT_ONCE: usize = 1;
/// Longest that a document may take, with its waiting.
const LONGEST: Duration = Duration::from_secs(20);
/// Largest document, in bytes.
const LARGEST: u64 = 64 * 1024 * 1024;

/// What is ordered.
#[derive(Serialize)]
struct Order<'a, T> {
    template: &'static str,
    data: &'a T,
}

/// Prints.
#[derive(Debug)]
pub struct Printer {
    program: PathBuf,
    places: Semaphore,
}

impl Printer {
    /// A printer that runs this program; without one, the program of that name beside this one.
    pub fn new(program: Option<PathBuf>) -> Self {
        let beside = || {
            let own = std::env::current_exe().unwrap_or_default();
            own.with_file_name("stead-print")
        };
        Self { program: program.unwrap_or_else(beside), places: Semaphore::new(AT_ONCE) }
    }

    /// Sets a template with data, as PDF.
    ///
    /// # Errors
    /// [`Refusal`] when the program is missing, busy for too long, or cannot set it. The log says which.
    pub async fn print(&self, template: &'static str, data: &impl Serialize) -> Result<Vec<u8>, Refusal> {
        let printed = match time::timeout(LONGEST, self.run(&Order { template, data })).await {
            Ok(printed) => printed,
            Err(_) => Err(anyhow::anyhow!("it took longer than {} seconds", LONGEST.as_secs())),
        };
        printed.map_err(|error| {
            tracing::error!(program = %self.program.display(), "a document was not printed: {error:#}");
            Refusal::said(Kind::Unavailable, "print-away")
        })
    }

    async fn run(&self, order: &impl Serialize) -> anyhow::Result<Vec<u8>> {
        let order = serde_json::to_vec(order)?;
        let _place = self.places.acquire().await?;
        // It needs nothing of ours, and is given nothing: no environment, no folder.
        let mut program = Command::new(&self.program)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let (stdin, stdout, stderr) = (program.stdin.take(), program.stdout.take(), program.stderr.take());
        let give = async {
            if let Some(mut stdin) = stdin {
                stdin.write_all(&order).await?;
            }
            anyhow::Ok(())
        };
        let (given, pdf, said) = tokio::join!(give, read(stdout, LARGEST), read(stderr, 1024));
        let ended = program.wait().await?;
        let (pdf, said) = (pdf?, said?);
        anyhow::ensure!(ended.success(), "{ended}: {}", String::from_utf8_lossy(&said).trim());
        given?;
        anyhow::ensure!((pdf.len() as u64) < LARGEST, "it is larger than {LARGEST} bytes");
        Ok(pdf)
    }
}

/// Reads so many bytes, and lets the rest go by.
async fn read(from: Option<impl tokio::io::AsyncRead + Unpin>, most: u64) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        let mut from = from.take(most);
        from.read_to_end(&mut bytes).await?;
        tokio::io::copy(&mut from.into_inner(), &mut tokio::io::sink()).await?;
    }
    Ok(bytes)
}
