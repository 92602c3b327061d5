//! The gate and the disclosure ledger: no answer about persons leaves without a record of it.
//!
//! An engine wraps what it found in [`Undisclosed`], together with the [`Disclosure`] that handing it out would be:
//! which persons, which fields, how closely. The only way to the value is [`Gate::release`], which decides, appends an
//! entry to the [`Ledger`], waits until that entry is on disk, and then opens the wrapper. A handler that forgets the
//! gate does not compile, because there is nothing else it could do with an `Undisclosed`.
//!
//! The ledger holds numbers, field names and digests: no identity, so that erasing a person never has to rewrite it
//! (secrecy contract 5.7). It is an append-only file; entries are canonical JSON (RFC 8785), persons are roaring
//! bitmaps stored beside it under their digest. `docs/formats/ledger.md` gives the bytes.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod disclosure;
mod entry;
mod frames;
mod gate;
mod ledger;
mod verify;

pub use disclosure::{Class, Disclosure, Undisclosed, digest_of};
pub use entry::{Actor, Asker, Decision, Entry, PersonsRef, Purpose, PurposeError};
pub use gate::{Gate, GateError};
pub use ledger::{EntryFilter, Ledger, LedgerError};
pub use model::PurposeCode;
pub use verify::{LedgerDamage, LedgerVerified, verify};

/// Version of the ledger's files, as every entry names it in `v`.
pub const FORMAT_VERSION: u32 = 1;
