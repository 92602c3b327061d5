//! Backup sets: directories that hold many backups of the same files, each piece of content once.
//!
//! A [`BackupSet`] is a folder of objects (pieces of files, named by the SHA-256 of their bytes) and of manifests (one per
//! run: which files there were, and of which objects they are made). Every run is complete in itself: there is no chain of
//! differences, so any run may be removed and any object belongs to every run that names it. What has not changed since
//! the run before is not copied, and what the caller can vouch for ([`Run::add`]'s `identity`) is not even read.
//!
//! The commit point of a run is the renaming of its manifest, after everything that it names is durable. A run that was
//! killed leaves objects without a manifest: the next run finds and uses them, and [`BackupSet::prune`] removes those
//! that nobody names. `docs/formats/backup.md` gives the bytes, `docs/decisions/0006-backup-sets.md` the reasons.
//!
//! The crate knows files and nothing of what is in them: which files make an installation, and how to get them consistent
//! while it runs, is the business of the store, the vault and the command line.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod error;
mod files;
mod manifest;
mod objects;
mod restore;
mod run;
mod set;
mod verify;

pub use error::BackupError;
pub use manifest::{Entry, Manifest, Recorded, RunId};
pub use restore::Restoring;
pub use run::{Copied, Run};
pub use set::{BackupSet, Pruned};
pub use verify::{Damage, Verified};
