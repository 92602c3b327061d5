//! The event store: what is durable, and how it is read again.
//!
//! A [`Store`] takes [`model::Record`]s, each everything that one ingestion batch changed, and makes them durable in
//! an append-only log before it says so. Everything else is a view of that log: rows in memory, Parquet segments
//! sharded by person, profiles, merged identities, names and counts. Views are written down by a flush, together
//! with the place in the log that they stand for, in one transaction of a SQLite catalog; after a crash the rest of
//! the log is applied again by the same function that applied it the first time.
//!
//! A [`Snapshot`] is a project at one place in the log. Its partitions are read with [`Snapshot::scan`]: rows with
//! canonical person numbers, each event once, erased persons absent, all rows of a person in one partition. So
//! questions about persons are answered partition by partition, without moving rows between them.
//!
//! Nothing here knows who anybody is: persons and groups are numbers, insert ids are keyed digests, and the crate
//! has no dependency that could resolve them.
//!
//! Where to look: `log` for durability, `state` for what a record does, `segment` for files, `scan` for
//! reading, `maintain` for flush and compaction, `catalog` for everything that is not an event.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod backup;
mod catalog;
mod clock;
mod columns;
mod core;
mod damaged;
pub mod disk;
mod error;
mod lock;
mod log;
mod maintain;
mod memory;
mod options;
mod retention;
mod rows;
mod scan;
mod segment;
mod snapshot;
mod state;
mod store;
mod upgrade;
mod verify;

pub use backup::FrozenFile;
pub use catalog::{
    CATALOG_VERSION, Catalog, Credential, CredentialKind, Document, Draft, Project, ProjectSettings, Replaced, Stamp,
};
pub use columns::{Column, ColumnKind, EventSummary, parse_physical, physical_name, string_type};
pub use damaged::examine_at_start;
pub use error::StoreError;
pub use log::FORMAT_VERSION as LOG_VERSION;
pub use log::commit::Position;
pub use memory::{GivesWay, Memory, MemoryFigures, MemoryUse, Reservation, available_bytes, resident_bytes};
pub use options::{StoreMetrics, StoreOptions};
pub use retention::{RETENTION_DAYS_MAX, RETENTION_DAYS_MIN, Retention};
pub use scan::{Scan, ScanRequest};
pub use segment::FORMAT_VERSION as SEGMENT_VERSION;
pub use snapshot::Snapshot;
pub use state::profiles::{Profile, Profiles};
pub use store::Store;
pub use upgrade::{FormatFound, formats};
pub use verify::{Damage, Verified, verify};
