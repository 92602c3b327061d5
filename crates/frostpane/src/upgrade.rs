//! `frostpane upgrade`: which formats the files have, and bringing earlier ones up to this program's.
//!
//! `serve` does the same when it starts. Every step is one transaction that also writes the new version, so an upgrade that
//! is cut off goes on where it stopped. There is no way back: a backup made before it is.

use crate::console::say;
use anyhow::bail;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;
use store::{Store, StoreOptions};

#[derive(Args)]
pub struct Upgrade {
    /// Directory of events, profiles and the disclosure ledger.
    #[arg(long, value_name = "DIR", env = "FROSTPANE_DATA")]
    data: PathBuf,
    /// Directory of identities and keys.
    #[arg(long, value_name = "DIR", env = "FROSTPANE_VAULT")]
    vault: PathBuf,
    /// Only say what would be done. Ends with 1 if this program cannot open the files.
    #[arg(long)]
    check: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// One kind of file: what it is, where, and which versions were found and are known.
struct Format {
    name: &'static str,
    file: PathBuf,
    found: u32,
    known: u32,
}

impl Format {
    fn verdict(&self) -> &'static str {
        match self.found {
            found if found > self.known => "refused",
            found if found < self.known => "upgrade",
            _ => "current",
        }
    }
}

impl Upgrade {
    pub fn run(self) -> anyhow::Result<()> {
        let formats = self.formats()?;
        if !self.check && formats.iter().all(|format| format.verdict() != "refused") {
            let mut options = StoreOptions::new(&self.data);
            options.background = false;
            // Opening is what upgrades; a running server has done so.
            Store::open(options)?.close();
            vault::backup::upgrade(&self.vault)?;
            return self.tell(&self.formats()?);
        }
        self.tell(&formats)
    }

    fn formats(&self) -> anyhow::Result<Vec<Format>> {
        let mut formats: Vec<Format> = store::formats(&self.data)?
            .into_iter()
            .map(|found| Format {
                name: found.name,
                file: found.file,
                found: found.found,
                known: found.known,
            })
            .collect();
        for (file, found) in vault::backup::formats(&self.vault)? {
            formats.push(Format {
                name: "vault",
                file,
                found,
                known: vault::FORMAT_VERSION,
            });
        }
        Ok(formats)
    }

    fn tell(&self, formats: &[Format]) -> anyhow::Result<()> {
        if self.json {
            let view = |format: &Format| {
                json!({ "name": format.name, "file": format.file, "found": format.found, "known": format.known,
                "verdict": format.verdict() })
            };
            say(json!({ "program": env!("CARGO_PKG_VERSION"), "formats": formats.iter().map(view).collect::<Vec<_>>() }).to_string());
        } else {
            for format in formats {
                let (found, known) = (format.found, format.known);
                say(format!(
                    "{:<8} {:<8} format {found}, known up to {known}: {}",
                    format.verdict(),
                    format.name,
                    format.file.display()
                ));
            }
        }
        let refused: Vec<String> = formats
            .iter()
            .filter(|format| format.verdict() == "refused")
            .map(|format| format.file.display().to_string())
            .collect();
        if !refused.is_empty() {
            bail!(
                "written by a later program: {}; start that program again, or restore a backup that was made before it first ran",
                refused.join(", ")
            );
        }
        Ok(())
    }
}
