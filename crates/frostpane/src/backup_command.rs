//! `frostpane backup`: events, vault ciphertext and keystore, each into a set of its own, whether a server runs or not.
//!
//! Events come first and the vault after them: the vault is never behind the log that way, so that no person number in the
//! events is free to be given to somebody else after a restore. The keystore comes last, see `vault::backup`.

use crate::console::say;
use crate::control::{self, Command};
use crate::formats;
use anyhow::{Context, bail};
use backup::{BackupSet, Copied, Pruned, RunId};
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use store::{Store, StoreOptions};
use vault::backup::{CIPHERTEXT, KEYSTORE, LEDGER};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Names of the three sets, which are also the names of their folders.
pub const EVENTS_SET: &str = "events";
pub const VAULT_SET: &str = "vault";
pub const KEYSTORE_SET: &str = "keystore";

#[derive(Args)]
pub struct Backup {
    /// Directory of events, profiles and the disclosure ledger.
    #[arg(long, value_name = "DIR", env = "FROSTPANE_DATA")]
    data: Option<PathBuf>,
    /// Directory of identities and keys.
    #[arg(long, value_name = "DIR", env = "FROSTPANE_VAULT")]
    vault: Option<PathBuf>,
    /// Where the backups lie; made if it is missing. Later runs copy what has changed.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Another place for the wrapped keys; `keystore` below the backups when absent.
    #[arg(long, value_name = "DIR")]
    keystore: Option<PathBuf>,
    /// Days that backups of events and of the vault's ciphertext are kept.
    #[arg(long, value_name = "DAYS", default_value_t = 35)]
    keep_days: u32,
    /// Days that backups of the keystore are kept: for so long a destroyed key can come back.
    #[arg(long, value_name = "DAYS", default_value_t = 14)]
    keystore_keep_days: u32,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What is to be written to one set.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Order {
    pub set: PathBuf,
    pub run: RunId,
    /// Runs that began earlier have had their time.
    pub prune_before_ms: i64,
}

/// What was done to one set.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Done {
    copied: Copied,
    pruned: Pruned,
}

impl Backup {
    pub fn run(self) -> anyhow::Result<()> {
        if self.data.is_none() && self.vault.is_none() {
            bail!("nothing to back up; give --data, --vault or both");
        }
        let to = std::path::absolute(&self.to)?;
        let keystore = self
            .keystore
            .as_deref()
            .map_or(Ok(to.join(KEYSTORE_SET)), std::path::absolute)?;
        for source in [&self.data, &self.vault].into_iter().flatten() {
            let source = std::path::absolute(source)?;
            if to.starts_with(&source) || keystore.starts_with(&source) {
                bail!("a backup inside {} would be lost with it", source.display());
            }
        }
        let now_ms = jiff::Timestamp::now().as_millisecond();
        let run = RunId::at(now_ms);
        let order = |set: PathBuf, keep_days: u32| Order {
            set,
            run: run.clone(),
            prune_before_ms: now_ms - i64::from(keep_days) * DAY_MS,
        };
        let mut done = Vec::new();
        if let Some(data) = &self.data {
            let order = order(to.join(EVENTS_SET), self.keep_days);
            done.push((
                EVENTS_SET,
                back_up_data(data, order).context("cannot back up the events")?,
            ));
        }
        if let Some(vault) = &self.vault {
            let ciphertext = order(to.join(VAULT_SET), self.keep_days);
            done.push((
                VAULT_SET,
                back_up_ciphertext(vault, &ciphertext).context("cannot back up the vault")?,
            ));
            let keys = order(keystore.clone(), self.keystore_keep_days);
            done.push((
                KEYSTORE_SET,
                back_up_keystore(vault, &keys).context("cannot back up the keystore")?,
            ));
        }
        self.tell(&run, &to, &keystore, &done);
        Ok(())
    }

    fn tell(&self, run: &RunId, to: &Path, keystore: &Path, done: &[(&str, Done)]) {
        if self.json {
            let sets: serde_json::Map<_, _> = done
                .iter()
                .map(|(set, done)| ((*set).to_owned(), json!(done)))
                .collect();
            let kept = json!({ "events_days": self.keep_days, "vault_days": self.keep_days, "keystore_days": self.keystore_keep_days });
            say(json!({ "run": run, "to": to, "keystore": keystore, "sets": sets, "kept": kept }).to_string());
            return;
        }
        say(format!("Backup {run} in {}", to.display()));
        for (set, Done { copied, pruned }) in done {
            say(format!(
                "  {set:<9} {} files, {} bytes, {} of them new; {} backups past their time removed",
                copied.files, copied.bytes, copied.new_bytes, pruned.runs
            ));
        }
        say(format!(
            "Kept for {} days, the keystore for {}. Copies that others make of these directories live on; frostpane cannot see them.",
            self.keep_days, self.keystore_keep_days
        ));
        match self.vault {
            Some(_) => say(
                "The root key (root.key or the passphrase) is not in the backup. Keep it elsewhere: without it nothing opens.",
            ),
            None => say("The vault is not in this backup; without it nobody in here has a name."),
        }
    }
}

fn back_up_data(data: &Path, order: Order) -> anyhow::Result<Done> {
    let socket = control::socket(data);
    if let Some(done) = control::send(&socket, &Command::Backup(order.clone()))? {
        return Ok(serde_json::from_value(done)?);
    }
    let mut options = StoreOptions::new(data);
    options.background = false;
    let store = Store::open(options).context("cannot open the data directory")?;
    let done = back_up_events(&store, data, &order);
    store.close();
    done
}

/// Copies a store and the ledger beside it, while it runs.
pub fn back_up_events(store: &Store, data: &Path, order: &Order) -> anyhow::Result<Done> {
    let set = BackupSet::open_to_write(&order.set)?;
    let catalog = set.staging().join("catalog.db");
    // Made beforehand, because SQLite would make it readable to others.
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&catalog)?;
    let frozen = store.freeze(&catalog)?;
    let mut run = set.begin(BackupSet::manifest(
        EVENTS_SET,
        order.run.clone(),
        VERSION,
        formats::EVENTS,
    ))?;
    for mut file in frozen {
        let (path, identity) = (file.path.clone(), file.identity.take());
        run.add(&path, file.bytes, identity.as_deref(), |offset, buffer| {
            file.read(offset, buffer)
        })?;
    }
    run.add_file("catalog.db", &catalog)?;
    add_ledger(&mut run, &data.join("ledger"))?;
    finish(&set, run, order)
}

fn back_up_ciphertext(vault: &Path, order: &Order) -> anyhow::Result<Done> {
    let set = BackupSet::open_to_write(&order.set)?;
    let mut run = set.begin(BackupSet::manifest(
        VAULT_SET,
        order.run.clone(),
        VERSION,
        formats::VAULT,
    ))?;
    for name in CIPHERTEXT {
        let copy = vault::backup::copy_database(vault, name, &set.staging())?;
        run.add_file(name, &copy)?;
        std::fs::remove_file(&copy)?;
    }
    add_ledger(&mut run, &vault.join(LEDGER))?;
    finish(&set, run, order)
}

fn back_up_keystore(vault: &Path, order: &Order) -> anyhow::Result<Done> {
    let set = BackupSet::open_to_write(&order.set)?;
    let mut run = set.begin(BackupSet::manifest(
        KEYSTORE_SET,
        order.run.clone(),
        VERSION,
        formats::VAULT,
    ))?;
    let copy = vault::backup::copy_database(vault, KEYSTORE, &set.staging())?;
    run.add_file(KEYSTORE, &copy)?;
    finish(&set, run, order)
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Entries first: the set of persons that an entry names was on disk before it, so it is in the later copy.
fn add_ledger(run: &mut backup::Run<'_>, ledger: &Path) -> anyhow::Result<()> {
    for name in ["entries.log", "persons.log"] {
        let file = ledger.join(name);
        if file.exists() {
            run.add_file(&format!("{LEDGER}/{name}"), &file)?;
        }
    }
    Ok(())
}

fn finish(set: &BackupSet, run: backup::Run<'_>, order: &Order) -> anyhow::Result<Done> {
    let copied = run.commit()?;
    set.empty_staging()?;
    let pruned = set.prune(order.prune_before_ms)?;
    Ok(Done { copied, pruned })
}
