//! `frostpane backup`: a consistent copy of the data directory.

use crate::console::say;
use anyhow::Context;
use clap::Args;
use std::path::PathBuf;

#[derive(Args)]
pub struct Backup {
    /// Directory of events, profiles and the disclosure ledger.
    #[arg(long, value_name = "DIR", env = "FROSTPANE_DATA")]
    data: PathBuf,
    /// New directory for the copy. It opens like the original.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
}

impl Backup {
    pub fn run(self) -> anyhow::Result<()> {
        store::backup(&self.data, &self.to).context("the backup failed; what it had copied is useless")?;
        let ledger = self.data.join("ledger");
        // Entries first: the set that an entry names was on disk before the entry, so it is in the later copy.
        for name in ["entries.log", "persons.log"] {
            let (from, to) = (ledger.join(name), self.to.join("ledger").join(name));
            if from.exists() {
                std::fs::create_dir_all(self.to.join("ledger"))?;
                std::fs::copy(&from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
            }
        }
        say(format!("{} copied to {}", self.data.display(), self.to.display()));
        say("The vault is not in this copy. Back it up elsewhere, with another life; without it nobody in here has a name.");
        Ok(())
    }
}
