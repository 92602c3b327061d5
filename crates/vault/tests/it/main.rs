//! The vault from outside: through its calls, its socket and its files.

#![allow(clippy::unwrap_used)]

mod backups;
mod disclosure;
mod fields;
mod files;
mod history;
mod process;
mod socket;
mod support;
mod table;
mod tamper;
