//! SQLite databases whose pages carry checksums, so that a flipped bit is an error and never an answer.
//!
//! SQLite trusts what it reads. A bit that flips in a name, in a number of rows or in a watermark is served as if it had been
//! written. Here every page of a database file ends with a checksum of its content and its place ([`page`]), made when the page
//! is written and compared whenever it is read; `docs/formats/pages.md` has the format. The eight bytes it takes are reserved with
//! SQLite's own means (as SQLite's `cksumvfs` does), so such a file stays an ordinary database for whoever only reads it. The
//! write-ahead log has checksums already, but its reader takes a damaged frame for the torn end of the log and drops, without a
//! word, every commit behind it; [`wal`] tells the two apart before a database is opened.
//!
//! Detection lives below SQLite, in the place where it reads and writes files ([`shim`]), and not in columns of our tables: so it
//! covers every bit of every page in use, indexes and schema included, and no statement can forget it. That place is C's, which
//! makes [`shim`] the one module of the workspace with `unsafe` in it ([decision 8](../../../docs/decisions/0008-page-checksums.md)).

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod page;
mod seal;
mod shim;
pub mod wal;

pub use seal::{SealError, is_sealed, seal_existing, seal_new};
pub use shim::register;

use std::path::PathBuf;

/// What an error tells of a database that is not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// `None` if SQLite found pages that make no sense: it does not say in which file.
    pub file: Option<PathBuf>,
    pub offset: u64,
    pub what: &'static str,
}

/// The damage that an error tells of, if it does. To be asked by the thread that got the error, before its next statement.
pub fn damage(error: &rusqlite::Error) -> Option<Damage> {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    let failure = error.sqlite_error()?;
    if failure.extended_code == rusqlite::ffi::SQLITE_IOERR_DATA {
        let (file, offset) = shim::last_damage()?;
        return Some(Damage {
            file: Some(file),
            offset,
            what: "a page fails its checksum",
        });
    }
    matches!(failure.code, DatabaseCorrupt | NotADatabase).then_some(Damage {
        file: None,
        offset: 0,
        what: "its pages make no sense",
    })
}
