//! From the store to DataFusion: events and profiles as tables.

mod bridge;
mod profiles;
mod pushdown;
mod table;

pub(crate) use bridge::text_type;
pub(crate) use profiles::ProfileColumns;
pub(crate) use table::{EventTable, ScanCounters};
