//! From the store to DataFusion: events and profiles as tables.

mod columns;
mod profiles;
mod pushdown;
mod table;

pub(crate) use columns::{text_type, view_type};
pub(crate) use profiles::{ProfileColumns, column_of};
pub(crate) use pushdown::{Pushed, push, push_instant};
pub(crate) use table::{EventTable, ScanCounters};
