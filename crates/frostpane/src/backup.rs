//! `frostpane backup`: a consistent copy of the data directory, whether a server runs on it or not.

use crate::console::say;
use crate::control::{self, Command};
use anyhow::Context;
use clap::Args;
use std::path::PathBuf;
use store::{Store, StoreOptions};

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
        let to = std::path::absolute(&self.to)?;
        let socket = self.data.join("run").join("control.sock");
        if control::send(&socket, &Command::Backup { to: to.clone() })?.is_none() {
            let mut options = StoreOptions::new(&self.data);
            options.background = false;
            let store = Store::open(options).context("cannot open the data directory")?;
            let copied = control::backup(&store, &self.data.join("ledger"), &to);
            store.close();
            copied?;
        }
        say(format!("{} copied to {}", self.data.display(), to.display()));
        say("The vault is not in this copy. Back it up elsewhere; without it nobody in here has a name.");
        Ok(())
    }
}
