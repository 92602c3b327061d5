//! Where things lie below the two directories.

use clap::Args;
use std::path::{Path, PathBuf};

/// The two directories of an installation. They belong on different disks, and the vault's out of the data's backups.
#[derive(Args, Clone, Debug)]
pub struct Places {
    /// Directory of events, profiles and the disclosure ledger.
    #[arg(long, value_name = "DIR", env = "FROSTPANE_DATA")]
    pub data: PathBuf,
    /// Directory of identities and keys.
    #[arg(long, value_name = "DIR", env = "FROSTPANE_VAULT")]
    pub vault: PathBuf,
}

impl Places {
    pub fn ledger(&self) -> PathBuf {
        self.data.join("ledger")
    }
}

/// The vault's socket, in a directory that only its user and group may enter.
pub fn vault_socket(vault: &Path) -> PathBuf {
    vault.join("run").join("vault.sock")
}
