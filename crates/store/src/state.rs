//! Everything that is held in memory per project: what the catalog said at the last flush, plus the log since.
//!
//! [`project::ProjectState::apply`] is the only way a record takes effect. Steady state calls it after the fsync,
//! recovery calls it for every record behind the watermark; so a restart cannot compute anything else than what
//! was answered before. Every part that a snapshot shares is behind an `Arc` and copied on write, at a grain that
//! keeps both a snapshot and the next append cheap.

pub(crate) mod encoded;
pub(crate) mod fresh;
pub(crate) mod identity;
mod operations;
pub(crate) mod prepared;
pub(crate) mod profiles;
pub(crate) mod project;
pub(crate) mod registry;
