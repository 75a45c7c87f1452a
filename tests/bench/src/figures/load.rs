//! The bots, on the other core. Comes in: how many, and where. Goes out: their report.

use super::stand::{Stand, text};
use crate::process::{LOAD_CORE, Process, on_core, program};
use anyhow::{Context, Result};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

/// Running bots.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) process: Process,
    json: PathBuf,
}

impl Load {
    /// Sends `bots` out, `ramp` of them per second, who stay until they are called back.
    pub(crate) fn start(stand: &Stand, bots: u32, ramp: u32, more: &[String]) -> Result<Self> {
        let json = stand.folder.file("bots.json");
        let mut command = on_core(LOAD_CORE, program("client-bot")?);
        command.args(["--url", &stand.url(), "--bots", &bots.to_string()]);
        command.args(["--ramp", &ramp.to_string(), "--duration", "0"]);
        command.args(["--metrics", "none", "--json", text(&json)?]).args(more);
        if let Some(certificate) = &stand.certificate {
            command.arg("--tls-ca").arg(&certificate.file);
        }
        let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self { process: Process::start(quiet)?, json })
    }

    /// Calls them back, and waits for that; what they say. A run that did not go well has a report too, which says so.
    pub(crate) fn report(self) -> Result<Value> {
        self.process.interrupt()?;
        let ended = self.process.finish();
        let read = fs::read_to_string(&self.json).ok().filter(|text| !text.is_empty());
        let text = match (read, ended) {
            (Some(text), _) => text,
            (None, ended) => return Err(ended.err().context("the bots left no report")?),
        };
        Ok(serde_json::from_str(&text)?)
    }
}
