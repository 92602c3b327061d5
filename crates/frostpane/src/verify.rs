//! `frostpane verify`: every checksum of a data directory, a vault directory and a backup, in use or not.
//!
//! Over a running server the server does it, so that its metrics and alarms know what was found.

use crate::backup_command::{EVENTS_SET, KEYSTORE_SET, VAULT_SET};
use crate::console::say;
use crate::control::{self, Command};
use crate::pace::Pace;
use crate::places::Places;
use anyhow::{Context, bail};
use backup::BackupSet;
use clap::Args;
use serde::{Deserialize, Serialize};
use server::App;
use std::path::{Path, PathBuf};

#[derive(Args)]
pub struct Verify {
    /// Directory of events, profiles and the disclosure ledger.
    #[arg(long, value_name = "DIR", env = "FROSTPANE_DATA")]
    data: Option<PathBuf>,
    /// Directory of identities and keys.
    #[arg(long, value_name = "DIR", env = "FROSTPANE_VAULT")]
    vault: Option<PathBuf>,
    /// Where backups lie.
    #[arg(long, value_name = "DIR")]
    backup: Option<PathBuf>,
    /// Where backups of the keystore lie, if not below the others.
    #[arg(long, value_name = "DIR", requires = "backup")]
    keystore: Option<PathBuf>,
    /// Read at most so many MiB a second; 0 is no limit.
    #[arg(long, value_name = "MIB", default_value_t = 0)]
    rate: u64,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What was verified and what was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub verified: Vec<Verified>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    /// `events`, `ledger`, `vault`, `vault ledger`, `backup of events` and so on.
    pub what: String,
    pub directory: PathBuf,
    pub files: u64,
    pub bytes: u64,
    pub damage: Vec<Finding>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub file: PathBuf,
    /// Byte at which it was noticed, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    pub what: String,
    /// Files of backups that cannot be restored because of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needed_by: Vec<String>,
}

impl Report {
    pub fn damage(&self) -> impl Iterator<Item = &Finding> {
        self.verified.iter().flat_map(|verified| &verified.damage)
    }

    fn files(&self) -> Vec<PathBuf> {
        self.damage().map(|finding| finding.file.clone()).collect()
    }

    fn bytes(&self) -> u64 {
        self.verified.iter().map(|verified| verified.bytes).sum()
    }
}

impl Verify {
    pub fn run(self) -> anyhow::Result<()> {
        if self.data.is_none() && self.vault.is_none() && self.backup.is_none() {
            bail!("nothing to verify; give --data, --vault or --backup");
        }
        let mut report = self.directories()?;
        if let Some(backup) = &self.backup {
            let mut pace = Pace::new(self.rate);
            let keystore = self.keystore.clone().unwrap_or_else(|| backup.join(KEYSTORE_SET));
            let sets = [
                (EVENTS_SET, backup.join(EVENTS_SET)),
                (VAULT_SET, backup.join(VAULT_SET)),
                (KEYSTORE_SET, keystore),
            ];
            let found: Vec<_> = sets.into_iter().filter(|(_, set)| set.exists()).collect();
            if found.is_empty() {
                bail!("{} holds no backup", backup.display());
            }
            for (name, set) in found {
                report.verified.push(verify_set(name, &set, &mut pace)?);
            }
        }
        self.tell(&report);
        match report.damage().count() {
            0 => Ok(()),
            count => bail!("{count} damaged"),
        }
    }

    fn directories(&self) -> anyhow::Result<Report> {
        // A server verifies both of its directories, and its metrics say what was found.
        if let Some(data) = &self.data
            && let Some(report) = control::send(&control::socket(data), &Command::Verify { rate: self.rate })?
        {
            return Ok(serde_json::from_value(report)?);
        }
        let mut pace = Pace::new(self.rate);
        let mut report = Report::default();
        if let Some(data) = &self.data {
            verify_data(data, &mut pace, &mut report)?;
            // The directory may be one that must not or cannot be written.
            if let Err(error) = store::examine_at_start(data, &report.files()) {
                tracing::warn!(%error, "The next start will not know of it");
            }
        }
        if let Some(vault) = &self.vault {
            verify_vault(vault, &mut pace, &mut report);
        }
        Ok(report)
    }

    fn tell(&self, report: &Report) {
        if self.json {
            let text = serde_json::to_string(report).expect("texts and numbers are JSON");
            return say(text);
        }
        for verified in &report.verified {
            let found = match verified.damage.len() {
                0 => "sound".to_owned(),
                count => format!("{count} DAMAGED"),
            };
            let (files, bytes) = (verified.files, verified.bytes);
            say(format!(
                "{:<18} {found}: {files} files, {bytes} bytes in {}",
                verified.what,
                verified.directory.display()
            ));
            for finding in &verified.damage {
                let at = finding
                    .offset
                    .map_or(String::new(), |offset| format!(" at byte {offset}"));
                say(format!("  {}{at}: {}", finding.file.display(), finding.what));
                finding
                    .needed_by
                    .iter()
                    .for_each(|who| say(format!("    needed by {who}")));
            }
        }
    }
}

/// Verifies the directories of the server that this process is, and lets its metrics know.
pub fn verify_running(places: &Places, app: &App, rate: u64) -> anyhow::Result<Report> {
    let mut pace = Pace::new(rate);
    let mut report = Report::default();
    verify_data(&places.data, &mut pace, &mut report)?;
    verify_vault(&places.vault, &mut pace, &mut report);
    for file in report.files() {
        app.store.examine(&file);
    }
    for finding in report.damage() {
        tracing::error!(file = %finding.file.display(), offset = finding.offset, "Damaged: {}", finding.what);
    }
    app.integrity.finished(report.bytes(), report.damage().count() as u64);
    Ok(report)
}

fn verify_data(data: &Path, pace: &mut Pace, report: &mut Report) -> anyhow::Result<()> {
    let events = store::verify(data, &mut |bytes| pace.read(bytes)).context("cannot verify the data directory")?;
    let finding = |damage: store::Damage| Finding {
        file: damage.file,
        offset: damage.offset,
        what: damage.what,
        needed_by: Vec::new(),
    };
    report.verified.push(Verified {
        what: "events".into(),
        directory: data.to_path_buf(),
        files: events.files,
        bytes: events.bytes,
        damage: events.damage.into_iter().map(finding).collect(),
    });
    verify_ledger("ledger", &data.join("ledger"), pace, report);
    Ok(())
}

fn verify_vault(directory: &Path, pace: &mut Pace, report: &mut Report) {
    let databases = vault::backup::verify(directory);
    pace.read(databases.bytes);
    let finding = |damage: vault::backup::VaultDamage| Finding {
        file: damage.file,
        offset: None,
        what: damage.what,
        needed_by: Vec::new(),
    };
    report.verified.push(Verified {
        what: "vault".into(),
        directory: directory.to_path_buf(),
        files: databases.files,
        bytes: databases.bytes,
        damage: databases.damage.into_iter().map(finding).collect(),
    });
    verify_ledger("vault ledger", &directory.join(vault::backup::LEDGER), pace, report);
}

fn verify_ledger(what: &str, directory: &Path, pace: &mut Pace, report: &mut Report) {
    let verified = ledger::verify(directory, &mut |bytes| pace.read(bytes));
    let finding = |damage: ledger::LedgerDamage| Finding {
        file: damage.file,
        offset: Some(damage.offset),
        what: damage.what,
        needed_by: Vec::new(),
    };
    report.verified.push(Verified {
        what: what.into(),
        directory: directory.to_path_buf(),
        files: verified.files,
        bytes: verified.bytes,
        damage: verified.damage.into_iter().map(finding).collect(),
    });
}

fn verify_set(name: &str, directory: &Path, pace: &mut Pace) -> anyhow::Result<Verified> {
    let verified = BackupSet::open(directory)?.verify(&mut |bytes| pace.read(bytes))?;
    let finding = |damage: backup::Damage| Finding {
        file: damage.file,
        offset: None,
        what: damage.what,
        needed_by: damage.needed_by,
    };
    Ok(Verified {
        what: format!("backup of {name}"),
        directory: directory.to_path_buf(),
        files: verified.objects + verified.runs,
        bytes: verified.bytes,
        damage: verified.damage.into_iter().map(finding).collect(),
    })
}
