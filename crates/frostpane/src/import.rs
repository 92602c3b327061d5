//! `frostpane import`: files of events or profiles, sent to a running server.
//!
//! Safe to repeat: events with an `$insert_id` count once however often they are sent.

use crate::client::Target;
use crate::console::{Progress, say};
use anyhow::Context;
use clap::Args;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

/// Objects in one request.
const BATCH: usize = 2000;
/// Bytes in one request, below the server's limit for what a body unpacks to.
const BATCH_BYTES: usize = 8 << 20;
/// Refused lines that are told one by one.
const TOLD_MAX: usize = 20;

#[derive(Args)]
pub struct Import {
    /// NDJSON in the form of Mixpanel's raw export or of its profile export; `.gz` or plain; `-` for standard input.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    target: Target,
    /// The project's write token, needed for profiles.
    #[arg(long, value_name = "TOKEN", env = "FROSTPANE_TOKEN")]
    token: Option<String>,
}

impl Import {
    pub fn run(self) -> anyhow::Result<()> {
        let mut totals = Totals::default();
        for file in &self.files {
            self.one(file, &mut totals)
                .with_context(|| format!("import of {} stopped", file.display()))?;
        }
        say(format!("{} accepted, {} refused", totals.accepted, totals.refused));
        anyhow::ensure!(totals.refused == 0, "{} lines were refused", totals.refused);
        Ok(())
    }

    fn one(&self, path: &Path, totals: &mut Totals) -> anyhow::Result<()> {
        let mut progress = Progress::new("Importing");
        let mut batch = Batch::default();
        for (index, line) in open(path)?.lines().enumerate() {
            let line = line.with_context(|| format!("line {} cannot be read", index + 1))?;
            if line.trim().is_empty() {
                continue;
            }
            // A profile line has no "event"; a file holds one kind or the other.
            let is_profile = line.contains("\"$distinct_id\"") && !line.contains("\"event\"");
            if batch.lines.len() == BATCH || batch.bytes + line.len() > BATCH_BYTES || batch.profiles != is_profile {
                self.send(&mut batch, totals)?;
                progress.at(totals.accepted);
            }
            batch.profiles = is_profile;
            batch.bytes += line.len() + 1;
            batch.lines.push((index + 1, line));
        }
        self.send(&mut batch, totals)?;
        progress.done(&format!("{} of {}", totals.accepted, path.display()));
        Ok(())
    }

    fn send(&self, batch: &mut Batch, totals: &mut Totals) -> anyhow::Result<()> {
        let Batch { lines, profiles, .. } = std::mem::take(batch);
        if lines.is_empty() {
            return Ok(());
        }
        let refused = if profiles {
            self.send_profiles(&lines)?
        } else {
            self.send_events(&lines)?
        };
        totals.accepted += (lines.len() - refused.len()) as u64;
        for (line, why) in refused {
            totals.refused += 1;
            if totals.refused <= TOLD_MAX as u64 {
                eprintln!("line {line}: {why}");
            }
        }
        Ok(())
    }

    fn send_events(&self, lines: &[(usize, String)]) -> anyhow::Result<Vec<(usize, String)>> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        for (_, line) in lines {
            encoder.write_all(line.as_bytes())?;
            encoder.write_all(b"\n")?;
        }
        let path = format!("/import?strict=1&project_id={}", self.target.project);
        let answer = self
            .target
            .post(&path, "application/x-ndjson", true, &encoder.finish()?)?;
        if answer.status != 400 {
            return answer.success().map(|_| Vec::new());
        }
        let json: Value = serde_json::from_str(&answer.body)?;
        let failed = json["failed_records"]
            .as_array()
            .with_context(|| format!("the server refused a batch: {}", json["error"]))?;
        let told = failed.iter().map(|record| {
            let index = record["index"].as_u64().unwrap_or(0) as usize;
            let line = lines.get(index).map_or(0, |(line, _)| *line);
            (line, record["message"].as_str().unwrap_or("refused").to_owned())
        });
        Ok(told.collect())
    }

    fn send_profiles(&self, lines: &[(usize, String)]) -> anyhow::Result<Vec<(usize, String)>> {
        let token = self
            .token
            .as_deref()
            .context("profiles need the project's write token: --token")?;
        let mut refused = Vec::new();
        let mut updates = Vec::new();
        for (line, text) in lines {
            match serde_json::from_str::<Value>(text) {
                Ok(profile) => updates.push(json!({
                    "$token": token,
                    "$distinct_id": profile["$distinct_id"],
                    "$ip": 0,
                    "$ignore_time": true,
                    "$set": profile["$properties"],
                })),
                Err(error) => refused.push((*line, error.to_string())),
            }
        }
        let body = Value::Array(updates).to_string();
        self.target
            .post("/engage?verbose=1", "application/json", false, body.as_bytes())?
            .success()?;
        Ok(refused)
    }
}

#[derive(Default)]
struct Totals {
    accepted: u64,
    refused: u64,
}

#[derive(Default)]
struct Batch {
    /// (line number from 1, text).
    lines: Vec<(usize, String)>,
    bytes: usize,
    profiles: bool,
}

/// The lines of a file, unpacked if it is gzip by content.
fn open(path: &Path) -> anyhow::Result<Box<dyn BufRead>> {
    let raw: Box<dyn Read> = match path.as_os_str() == "-" {
        true => Box::new(std::io::stdin()),
        false => Box::new(File::open(path).with_context(|| format!("cannot open {}", path.display()))?),
    };
    let mut reader = BufReader::with_capacity(1 << 20, raw);
    let is_gzip = reader.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    Ok(match is_gzip {
        true => Box::new(BufReader::with_capacity(1 << 20, MultiGzDecoder::new(reader))),
        false => Box::new(reader),
    })
}
