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
mod json;
mod metrics;
mod pipeline;
mod policy;
mod raw_event;
mod raw_update;
mod replays;
mod reply;
mod request;
mod time;
mod user_agent;

pub use access::token_digest;
pub use collector::{Collector, CollectorOptions};
pub use metrics::CollectMetrics;
pub use request::{Endpoint, IngestReply, IngestRequest, Method};
