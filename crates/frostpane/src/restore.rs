//! `frostpane restore`: an installation out of its backups, into new directories, on this machine or another.
//!
//! Nothing can be opened before everything is in place: the catalog and the keystore get their names last. The keystore is
//! the newest there is, whichever run the rest is of: keys that were destroyed since then stay destroyed.

use crate::backup_command::{EVENTS_SET, KEYSTORE_SET, VAULT_SET};
use crate::console::say;
use crate::formats;
use anyhow::{Context, bail};
use backup::{BackupSet, Manifest, RunId};
use clap::Args;
use serde_json::json;
use std::collections::BTreeSet;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use vault::backup::{CIPHERTEXT, KEYSTORE};

#[derive(Args)]
pub struct Restore {
    /// Where the backups lie.
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// Where the wrapped keys lie; `keystore` below the backups when absent.
    #[arg(long, value_name = "DIR")]
    keystore: Option<PathBuf>,
    /// New directory for events, profiles and the disclosure ledger.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// New directory for identities and keys.
    #[arg(long, value_name = "DIR")]
    vault: Option<PathBuf>,
    /// Which backup; the newest when absent.
    #[arg(long, value_name = "RUN", value_parser = parse_run)]
    run: Option<RunId>,
    /// Only list the backups there are.
    #[arg(long)]
    list: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn parse_run(text: &str) -> Result<RunId, &'static str> {
    RunId::parse(text).ok_or("a backup is named like 20261120T000000000Z; --list shows them")
}

/// The sets that a restore reads.
struct Sets {
    events: PathBuf,
    vault: PathBuf,
    keystore: PathBuf,
}

impl Restore {
    pub fn run(self) -> anyhow::Result<()> {
        let sets = Sets {
            events: self.from.join(EVENTS_SET),
            vault: self.from.join(VAULT_SET),
            keystore: self.keystore.clone().unwrap_or_else(|| self.from.join(KEYSTORE_SET)),
        };
        if self.list {
            return self.tell_runs(&sets);
        }
        if self.data.is_none() && self.vault.is_none() {
            bail!("nothing to restore; give --data, --vault or both");
        }
        let run = match &self.run {
            Some(run) => run.clone(),
            None => self.newest(&sets)?,
        };
        // Everything that can be refused is, before anything is written.
        let data = self
            .data
            .as_deref()
            .map(|to| Part::plan(&sets.events, &run, to, formats::EVENTS));
        let vault = self.vault.as_deref().map(|to| VaultPart::plan(&sets, &run, to));
        let (data, vault) = (data.transpose()?, vault.transpose()?);
        if let Some(data) = data {
            restore_data(data).context("cannot restore the events")?;
        }
        if let Some(vault) = vault {
            restore_vault(vault).context("cannot restore the vault")?;
        }
        self.tell(&run);
        Ok(())
    }

    /// The newest run that every wanted set has. Those of a run that was cut off between two sets are passed over.
    fn newest(&self, sets: &Sets) -> anyhow::Result<RunId> {
        let mut common: Option<BTreeSet<RunId>> = None;
        let wanted = [(&self.data, &sets.events), (&self.vault, &sets.vault)];
        for (_, set) in wanted.iter().filter(|(to, _)| to.is_some()) {
            let runs: BTreeSet<RunId> = BackupSet::open(set)?.run_ids()?.into_iter().collect();
            common = Some(match common {
                None => runs,
                Some(common) => common.intersection(&runs).cloned().collect(),
            });
        }
        let newest = common.unwrap_or_default().pop_last();
        newest.with_context(|| format!("{} holds no finished backup of all that is wanted", self.from.display()))
    }

    fn tell(&self, run: &RunId) {
        if self.json {
            return say(json!({ "run": run, "data": self.data, "vault": self.vault }).to_string());
        }
        for restored in [&self.data, &self.vault].into_iter().flatten() {
            say(format!("Restored {} from backup {run}", restored.display()));
        }
        if let Some(vault) = &self.vault {
            say(format!(
                "The root key is not in a backup. Put it back as {} (tier T0) or give its passphrase at the start.",
                vault.join("root.key").display()
            ));
            say("Everybody is signed out. `frostpane login` makes a new link for the owner.");
        }
    }

    fn tell_runs(&self, sets: &Sets) -> anyhow::Result<()> {
        let mut listed = Vec::new();
        for (name, directory) in [
            (EVENTS_SET, &sets.events),
            (VAULT_SET, &sets.vault),
            (KEYSTORE_SET, &sets.keystore),
        ] {
            let Ok(set) = BackupSet::open(directory) else { continue };
            for recorded in set.runs()? {
                listed.push((name, recorded.manifest));
            }
        }
        if self.json {
            let view = |(set, manifest): &(&str, Manifest)| {
                json!({ "run": manifest.run, "set": set, "files": manifest.files.len(),
                "bytes": manifest.bytes(), "program": manifest.program, "formats": manifest.formats })
            };
            say(json!(listed.iter().map(view).collect::<Vec<_>>()).to_string());
            return Ok(());
        }
        for (set, manifest) in &listed {
            say(format!(
                "{}  {set:<9} {:>6} files {:>14} bytes",
                manifest.run,
                manifest.files.len(),
                manifest.bytes()
            ));
        }
        Ok(())
    }
}

/// One set's run and where it goes.
struct Part {
    set: BackupSet,
    manifest: Manifest,
    to: PathBuf,
}

impl Part {
    fn plan(set: &Path, run: &RunId, to: &Path, known: &[(&str, u32)]) -> anyhow::Result<Part> {
        if to.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
            bail!("{} is not empty; restore into a new directory", to.display());
        }
        let set = BackupSet::open(set)?;
        let manifest = set.run(Some(run))?;
        check_formats(&manifest, known)?;
        Ok(Part {
            set,
            manifest,
            to: to.to_path_buf(),
        })
    }
}

fn check_formats(manifest: &Manifest, known: &[(&str, u32)]) -> anyhow::Result<()> {
    let unknown = formats::unknown(&manifest.formats, known);
    if !unknown.is_empty() {
        bail!(
            "backup {} was made by frostpane {} and has formats that this program ({}) cannot read: {}; restore it with that \
             program or a later one",
            manifest.run,
            manifest.program,
            env!("CARGO_PKG_VERSION"),
            unknown.join(", ")
        );
    }
    Ok(())
}

struct VaultPart {
    ciphertext: Part,
    keystore: BackupSet,
    keys: Manifest,
}

impl VaultPart {
    fn plan(sets: &Sets, run: &RunId, to: &Path) -> anyhow::Result<VaultPart> {
        let ciphertext = Part::plan(&sets.vault, run, to, formats::VAULT)?;
        let keystore = BackupSet::open(&sets.keystore)?;
        let keys = keystore.run(None)?;
        check_formats(&keys, formats::VAULT)?;
        if keys.run < ciphertext.manifest.run {
            bail!(
                "the newest keystore ({}) is older than backup {run}; fields sealed in between would have no key",
                keys.run
            );
        }
        Ok(VaultPart {
            ciphertext,
            keystore,
            keys,
        })
    }
}

fn restore_data(part: Part) -> anyhow::Result<()> {
    let restoring = part.set.restore(&part.manifest, &part.to, "catalog.db")?;
    for folder in ["log", "segments"] {
        // A store that never had an event has no file in them.
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(part.to.join(folder))?;
    }
    Ok(restoring.finish()?)
}

fn restore_vault(part: VaultPart) -> anyhow::Result<()> {
    let to = &part.ciphertext.to;
    let ciphertext = part
        .ciphertext
        .set
        .restore(&part.ciphertext.manifest, to, CIPHERTEXT[0])?;
    ciphertext.finish()?;
    let keys = part.keystore.restore_beside(&part.keys, to, KEYSTORE)?;
    vault::backup::adopt_restored(to, &keys.held_back())?;
    keys.finish()?;
    let verified = vault::backup::verify(to);
    match verified.damage.first() {
        None => Ok(()),
        Some(damage) => bail!("{}: {}", damage.file.display(), damage.what),
    }
}
