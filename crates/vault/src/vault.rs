//! The vault without its socket: one method that answers calls.

use crate::accounts::{self, Accounts};
use crate::error::{Fault, VaultServeError};
use crate::identity::{self, Directory, DirectoryOptions, Steps};
use crate::keys::KeyStore;
use crate::lock::DirectoryLock;
use crate::root::RootSource;
use crate::server::VaultOptions;
use ledger::{Gate, Ledger};
use model::ErrorCode;
use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;
use vault_client::protocol::{Reply, Request};
use vault_client::{Hello, Tier, VaultError};

/// An open vault. Answers from any number of threads.
pub struct Vault {
    pub(crate) directory: Directory,
    pub(crate) accounts: Accounts,
    pub(crate) gate: Gate,
    store: Arc<KeyStore>,
    /// Held for as long as the files are open: a second process would be a second writer.
    _lock: DirectoryLock,
}

/// Makes a vault in a directory of its own (created with mode 0700): the databases, the ledger's folder and, for
/// [`RootSource::File`], the root key's file.
///
/// # Errors
/// [`VaultServeError::Exists`] when the directory holds a vault already; nothing is changed then.
pub fn init(directory: &Path, root: &RootSource) -> Result<(), VaultServeError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(VaultServeError::io(directory))?;
    let exists = || VaultServeError::Exists(directory.to_owned());
    if directory.join("keys.db").exists() {
        return Err(exists());
    }
    let _lock = DirectoryLock::take(directory)?;
    if !identity::is_unused(&directory.join("vault.db"))? {
        return Err(exists());
    }
    // What an `init` that was cut off left behind. `keys.db` comes last: where it is missing there is no vault yet.
    for name in [
        "vault.db",
        "vault.db-wal",
        "vault.db-shm",
        "accounts.db",
        "accounts.db-wal",
        "accounts.db-shm",
    ] {
        let _ = std::fs::remove_file(directory.join(name));
    }
    identity::create(directory)?;
    accounts::create(directory)?;
    KeyStore::create(directory, root)?;
    File::open(directory)
        .and_then(|folder| folder.sync_all())
        .map_err(VaultServeError::io(directory))
}

impl Vault {
    /// Opens the files and starts the writer. The socket and process options are the server's and not used here.
    pub fn open(options: &VaultOptions) -> Result<Vault, VaultServeError> {
        Vault::open_with(options, Steps::default())
    }

    pub(crate) fn open_with(options: &VaultOptions, steps: Steps) -> Result<Vault, VaultServeError> {
        let path = &options.directory;
        if !path.join("keys.db").exists() {
            return Err(VaultServeError::Missing(path.clone()));
        }
        let lock = DirectoryLock::take(path)?;
        let store = Arc::new(KeyStore::open(path, &options.root)?);
        let accounts = Accounts::open(path, &store, Arc::clone(&options.clock))?;
        let ledger = Ledger::open(&path.join("ledger")).map_err(Fault::from)?;
        let directory = Directory::open(
            path,
            Arc::clone(&store),
            DirectoryOptions {
                clock: Arc::clone(&options.clock),
                steps,
                index_entries_max: options.index_entries_max,
                page_cache_bytes: options.page_cache_bytes,
                accept_restore: options.accept_restore,
            },
        )?;
        Ok(Vault {
            directory,
            accounts,
            gate: Gate::new(Arc::new(ledger)),
            store,
            _lock: lock,
        })
    }

    pub fn tier(&self) -> Tier {
        self.store.tier
    }

    /// Answers one call. What cannot be done is an error of the client's kind; nothing in it names anybody.
    pub fn answer(&self, request: Request) -> Result<Reply, VaultError> {
        self.dispatch(request).map_err(|fault| {
            if !matches!(fault, Fault::Refused { .. } | Fault::Overloaded) {
                tracing::error!(error = %fault, "A call to the vault failed");
            }
            VaultError::from(fault)
        })
    }

    fn dispatch(&self, request: Request) -> Result<Reply, Fault> {
        Ok(match request {
            Request::Hello => Reply::Hello(self.hello()),
            Request::CreateProject(project) => {
                self.directory.create_project(project)?;
                Reply::Done
            }
            Request::DedupKey(project) => Reply::Key32(self.directory.dedup_key(project)?),
            Request::Resolve(request) => Reply::Resolved(self.directory.resolve(request)?),
            Request::FeedSince { project, seq } => {
                let (items, more) = self.directory.feed_since(project, seq)?;
                Reply::Feed { items, more }
            }
            Request::CreateAccount { email, role } => Reply::Account(Some(self.accounts.create_account(&email, role)?)),
            Request::CreateLoginLink(account) => Reply::Secret(Some(self.accounts.create_login_link(account)?)),
            Request::OwnerAccount => Reply::Account(self.accounts.owner()?),
            Request::SignIn(code) => Reply::SignedIn(self.accounts.sign_in(&code)?),
            Request::CheckSession(secret) => Reply::Session(self.accounts.check_session(&secret)?),
            Request::EndSession(secret) => {
                self.accounts.end_session(&secret)?;
                Reply::Done
            }
            Request::Reveal(request) => Reply::Revealed(self.reveal(&request)?),
            Request::Lookup(request) => Reply::Person(self.lookup(&request)?),
            Request::GroupLabels {
                project,
                key,
                numbers,
                asker,
            } => Reply::Labels(self.group_labels(project, &key, &numbers, &asker)?),
            Request::PseudonymKey { project, stream } => Reply::Key64(self.directory.pseudonym_key(project, &stream)?),
            Request::PutSecret { project, name, text } => {
                check_name(&name)?;
                self.directory
                    .put_document(project, SECRET, name.as_bytes(), text.expose())?;
                Reply::Done
            }
            Request::Secret { project, name } => {
                let text = self.directory.document(project, SECRET, name.as_bytes())?;
                Reply::Secret(text.map(|text| vault_client::SecretText::new(text.as_str())))
            }
        })
    }

    fn hello(&self) -> Hello {
        Hello {
            vault_id: self.store.vault_id,
            lineage: self.directory.lineage(),
            tier: self.store.tier,
            projects: self.directory.projects(),
        }
    }
}

/// Kind of document under which callers' secrets are kept.
const SECRET: &str = "secret";

fn check_name(name: &str) -> Result<(), Fault> {
    match name.len() {
        1..=255 => Ok(()),
        _ => Err(Fault::refused(
            ErrorCode::InvalidRequest,
            "a secret's name has 1 to 255 bytes",
        )),
    }
}

#[cfg(test)]
mod tests;
