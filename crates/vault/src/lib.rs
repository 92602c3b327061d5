//! The vault: who is behind a person number, and under which keys.
//!
//! It gives numbers to identities ([`identity`]), keeps names, addresses and identifiers sealed under one random key per
//! person (`keys`), knows the staff and their sessions (`accounts`), and answers a question about a person's identity
//! only after its own ledger has the question on disk (`disclosure`). It never sees an event.
//!
//! [`Vault`] is all of that without a socket; [`Server`] is the socket. Nothing else in Frostpane opens these files.
//!
//! # Files of the vault directory
//!
//! `vault.db` (identities, fields, feed), `keys.db` (wrapped keys only), `accounts.db` (staff), `ledger/` (disclosures of
//! identity), `vault.lock`, and in tier T0 `root.key`. SQLite with WAL, `synchronous=FULL` and `secure_delete`. Keys are
//! committed before the rows that use them, so no transaction spans two files.
//!
//! # Known gaps
//!
//! Grants and approvals are not built: owners and privacy officers may reveal, nobody else. There are no daily budgets
//! yet. Erasure, key generations, sealed batches, original identity merge and the cookieless kind of identity are not
//! built either. After a restore with [`VaultOptions::accept_restore`] numbers above the restored high-water mark are
//! not skipped by themselves; `frostpane restore` puts events and vault back as of one moment, where there are none.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod accounts;
pub mod backup;
pub mod clock;
mod crypto;
mod disclosure;
mod error;
mod identity;
mod keys;
mod lock;
mod process;
mod root;
mod server;
mod sqlite;
mod vault;

pub use accounts::{LINK_LIFE_MS, SESSION_IDLE_MS, SESSION_LIFE_MS};
pub use error::{Fault, VaultServeError};
pub use root::RootSource;
pub use server::{Server, Stop, VaultOptions, serve};
pub use sqlite::FORMAT_VERSION;
pub use vault::{Vault, init};
