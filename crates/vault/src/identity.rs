//! Identities and their numbers: `vault.db`, the RAM index before it and the one writer behind it.
//!
//! [`Directory`] is the whole of it. A call that finds everything known is answered from RAM ([`index`]) under a read
//! lock. Everything else goes to the writer thread ([`writer`]), which groups calls into one transaction
//! ([`transaction`]), commits with `synchronous=FULL`, then updates the RAM index, then answers (secrecy contract 1.6).
//! What a tuple means is decided in one pure function ([`table`]), used by both.

mod directory;
mod feed;
mod field_ops;
mod index;
mod load;
mod normal;
mod owner;
mod project;
mod queue;
mod reading;
mod references;
mod schema;
mod table;
mod transaction;
mod writer;
mod writes;

pub(crate) use directory::{Directory, DirectoryOptions, adopt_restored, create, is_unused};
pub(crate) use load::{inconsistencies, keyless};
#[cfg(test)]
pub(crate) use writer::Step;
pub(crate) use writer::Steps;
