//! The words of the domain: ids, time, property values, events, expressions, report definitions, error codes.
//!
//! Everything else in Frostpane speaks in these types, so this crate knows no I/O, no clock and no async. A type
//! lives here when two crates that must not know each other have to agree on it: `store` and `query` on what an
//! [`event::Event`] is, `query` and `reference` on what a [`report::Report`] asks. Evaluation never lives here:
//! the engine and the reference would share its mistakes.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod cohort;
pub mod csv;
pub mod definitions;
pub mod error_code;
pub mod event;
pub mod expression;
pub mod ids;
pub mod purpose;
pub mod report;
pub mod saved;
pub mod table;
pub mod value;

pub use cohort::Cohort;
pub use definitions::{DefinitionError, Definitions};
pub use error_code::ErrorCode;
pub use event::{Event, FeedEntry, FeedItem, ProfileOp, ProfileUpdate, Record, Subject};
pub use expression::Expression;
pub use ids::{AccountNumber, BatchId, EventTime, GroupNumber, InsertId, PersonNumber, ProjectId};
pub use purpose::PurposeCode;
pub use value::Value;
