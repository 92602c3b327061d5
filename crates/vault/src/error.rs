//! What goes wrong inside the vault, and what the caller of it is told.

use model::ErrorCode;
use std::path::PathBuf;
use thiserror::Error;
use vault_client::VaultError;

/// Failure of one call. No variant can hold an identity or a key.
#[derive(Debug, Error)]
pub enum Fault {
    /// The database refused; nothing was stored. Trying again may help.
    #[error("the vault's storage refused")]
    Storage(#[source] rusqlite::Error),
    /// A page of a database fails its checksum. Never served; other pages are.
    #[error("a database of the vault is damaged ({what}); restore it from a backup")]
    Damaged { what: String },
    /// A commit ended in an unknown state, so nothing more is written until a restart has read the files again.
    #[error("the vault stopped writing and must be restarted")]
    Stopped,
    /// Something that was stored does not verify: damaged, moved or put back to an older state. Never served.
    #[error("{0} does not verify; the vault files were damaged or changed from outside")]
    Tampered(&'static str),
    /// The call waited too long or the queue is full.
    #[error("overloaded")]
    Overloaded,
    /// The call asks for what it may not have, or makes no sense.
    #[error("{code}: {message}")]
    Refused { code: ErrorCode, message: String },
    /// The disclosure ledger could not record, so nothing is disclosed.
    #[error("the disclosure ledger refused")]
    Ledger(#[from] ledger::LedgerError),
    /// The operating system gave no randomness.
    #[error("no randomness from the operating system")]
    Randomness,
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Fault {
        match pages::damage(&error) {
            Some(damage) => Fault::Damaged {
                what: format!("{} at byte {}", name_of(&damage), damage.offset),
            },
            None => Fault::Storage(error),
        }
    }
}

/// The file's name alone: what a caller is told says nothing about directories.
fn name_of(damage: &pages::Damage) -> String {
    let name = damage.file.as_deref().and_then(std::path::Path::file_name);
    name.map_or_else(|| damage.what.to_owned(), |name| name.to_string_lossy().into_owned())
}

impl Fault {
    pub(crate) fn refused(code: ErrorCode, message: impl Into<String>) -> Fault {
        Fault::Refused {
            code,
            message: message.into(),
        }
    }

    pub(crate) fn unknown_project() -> Fault {
        Fault::refused(ErrorCode::NotFound, "the vault does not know this project")
    }
}

/// What leaves the vault says less than what is logged: a database message may quote a statement.
impl From<Fault> for VaultError {
    fn from(fault: Fault) -> VaultError {
        match fault {
            Fault::Storage(_) | Fault::Stopped | Fault::Ledger(_) | Fault::Randomness => {
                VaultError::Unavailable(fault.to_string())
            }
            Fault::Tampered(_) | Fault::Damaged { .. } => VaultError::refused(ErrorCode::Internal, fault.to_string()),
            Fault::Overloaded => VaultError::Overloaded,
            Fault::Refused { code, message } => VaultError::Refused { code, message },
        }
    }
}

/// Why a vault could not be made, opened or served.
#[derive(Debug, Error)]
pub enum VaultServeError {
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    /// `init` was asked for a directory that holds a vault.
    #[error("{} holds a vault already", .0.display())]
    Exists(PathBuf),
    #[error("{} holds no vault; make one with `frostpane init`", .0.display())]
    Missing(PathBuf),
    /// The file or passphrase is not the one this vault was made with.
    #[error("this is not the root key of the vault")]
    WrongRoot,
    /// The root key's source cannot be read, or holds no key.
    #[error("root key: {0}")]
    RootSource(String),
    /// A file is older than its copy elsewhere knows: somebody put back a backup.
    #[error("{file} is older than its counterpart (state {found}, expected {expected}); open it as a restore to go on")]
    Restored {
        file: &'static str,
        found: u64,
        expected: u64,
    },
    /// The file was written by a later version of the program. Nothing was changed.
    #[error(
        "{} has format {found}, and this program reads up to {}; start the later program again, or restore a backup that was \
         made before it first ran", file.display(), crate::FORMAT_VERSION
    )]
    NewerFormat { file: PathBuf, found: u32 },
    /// A database is not what was written.
    #[error("{} is damaged at byte {offset}: {what}; restore it from a backup", file.display())]
    Damaged {
        file: PathBuf,
        offset: u64,
        what: &'static str,
    },
    /// A file of an earlier version could not be brought up to date. It is as it was.
    #[error("{} cannot be brought up to date: {source}", file.display())]
    Upgrade { file: PathBuf, source: pages::SealError },
    /// The folder of the socket would let others in.
    #[error("{} must not be open to other users (mode 0750 or less)", .0.display())]
    OpenFolder(PathBuf),
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl VaultServeError {
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> VaultServeError {
        let path = path.into();
        move |source| VaultServeError::Io { path, source }
    }
}

impl From<rusqlite::Error> for VaultServeError {
    fn from(error: rusqlite::Error) -> VaultServeError {
        VaultServeError::Fault(error.into())
    }
}
