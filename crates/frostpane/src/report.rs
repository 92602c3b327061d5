//! `frostpane report`: a report definition, answered by a running server.

use crate::client::Target;
use crate::console::say;
use anyhow::Context;
use clap::{Args, ValueEnum};
use model::report::{Answer, Report};
use model::{csv, table};
use std::io::Read;
use std::path::{Path, PathBuf};

#[derive(Args)]
pub struct ReportCommand {
    /// The definition as JSON; `-` for standard input.
    file: PathBuf,
    #[command(flatten)]
    target: Target,
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// The same as --format json.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub enum Format {
    Json,
    Csv,
    Table,
}

impl ReportCommand {
    pub fn run(self) -> anyhow::Result<()> {
        let report = read(&self.file)?;
        let path = format!("/api/v1/projects/{}/query", self.target.project);
        let body = serde_json::to_vec(&report)?;
        let answer = self.target.post(&path, "application/json", false, &body)?.success()?;
        let explained: serde_json::Value = serde_json::from_str(&answer)?;
        if self.json || self.format == Format::Json {
            say(serde_json::to_string_pretty(&explained)?);
            return Ok(());
        }
        let answer: Answer = serde_json::from_value(explained["answer"].clone())?;
        print(&answer, self.format);
        if self.format == Format::Table {
            let explanation = &explained["explanation"];
            eprintln!("{}", explanation["definition"].as_str().unwrap_or_default());
            eprintln!(
                "at most {} rows read in {} ms",
                explanation["rows_read"],
                explanation["took_ms"].as_f64().unwrap_or_default()
            );
        }
        Ok(())
    }
}

/// Reads and checks a definition.
pub fn read(path: &Path) -> anyhow::Result<Report> {
    let mut text = String::new();
    match path.as_os_str() == "-" {
        true => std::io::stdin().read_to_string(&mut text)?,
        false => std::fs::File::open(path)
            .with_context(|| format!("cannot open {}", path.display()))?
            .read_to_string(&mut text)?,
    };
    let report: Report = serde_json::from_str(&text).context("this is not a report definition")?;
    report.check().context("this report definition is refused")?;
    Ok(report)
}

/// Prints an answer as a table or as CSV.
pub fn print(answer: &Answer, format: Format) {
    let rows = table::rows(answer);
    let text = if format == Format::Csv {
        csv::text(&rows)
    } else {
        table::aligned(&rows)
    };
    say(text.trim_end());
}
