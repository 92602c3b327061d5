//! From HTTP-free requests to durable log records: decode, firewall, split, resolve, append, reply.
//!
//! This is the only crate that sees what clients send. Data goes one way, and each type says how far it has come:
//!
//! ```text
//! bytes → Json → RawEvent → Clean → (Tuple, Reference, FieldWrite) → vault: numbers
//!        decode  raw_event  firewall └ pending events and updates ──→ join ──→ Record → log
//! ```
//!
//! Identities, group values and identifying profile fields leave in the vault call and nowhere else; the record names
//! nobody. Addresses, user agents and tokens live as long as the request. Types that may hold any of this have no
//! `Debug`. What was taken out is counted by project, property and reason, never by content.
//!
//! # Known gaps
//!
//! - While the vault is away requests are answered with 503: there are no sealed batches and no spool yet.
//! - Identity is always simplified; the events of original identity merge are stored as plain events.
//! - Only open mode exists. City, region, time zone and device model are dropped until the crowd gate exists
//!   (`policy`), and profile strings move to the vault by their length, not yet by how distinct they are.
//! - Replayed updates of ordinary profile properties are recognised until the process ends.
//! - `mp_processing_time_ms` is not added to events; `strict` on other routes than `/import` is ignored.
//! - National phone numbers and bare national ids without a telling key are not recognised, names and postal addresses
//!   never.
//!
//! [`Collector::handle`] is the whole of it. It blocks; a success means that the log holds the batch.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod access;
mod batch;
#[doc(hidden)]
pub mod benchmark;
mod cache;
mod collector;
mod country;
mod decode;
mod firewall;
mod identity;
mod intake;
mod json;
mod metrics;
mod pipeline;
mod policy;
mod raw_event;
mod raw_update;
mod replays;
mod reply;
mod request;
mod tables;
mod time;
mod turns;
mod user_agent;

pub use access::token_digest;
pub use collector::{Collector, CollectorOptions};
pub use metrics::CollectMetrics;
pub use request::{Endpoint, IngestReply, IngestRequest, Method};
pub use tables::TableFirewall;
