//! Questions: from a report definition to exact numbers, over the event store and through Apache DataFusion.
//!
//! A question goes one way: definition → plan → scan → operators → cells → answer. `plan` compiles filters and
//! breakdowns into typed column expressions and puts one of our `operators` on top; `scan` feeds it from a snapshot,
//! one partition per shard; operators keep whole persons together and end in `operators::cells`; `answer` orders and
//! cuts, and notes which persons the answer shows. What leaves is always [`ledger::Undisclosed`]: only the gate opens
//! it.
//!
//! What every number means is written in [`model::report`]; `reference` computes the same by plain loops, and the tests
//! here hold the two against each other.
//!
//! Nothing in this crate knows who anybody is, and no other crate names DataFusion.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod answer;
mod answers;
mod asking;
mod calendar;
mod cohorts;
mod definition;
mod definitions;
mod engine;
mod error;
mod explanation;
mod limits;
mod moment;
mod named;
mod operators;
mod people;
mod persons;
mod plan;
mod rows;
mod scan;
mod segments;
mod spread;
mod sql;
mod windows;

pub use definitions::{COHORT_KIND, COMPUTED_KIND, LOOKUP_TABLE_KIND, load};
pub use engine::{Engine, EngineOptions, Explained, ExplainedRows, SqlOutcome};
pub use error::{QueryError, SqlFault, SqlPosition};
pub use explanation::{BYTES_READ_STEP, Explanation, ROWS_READ_STEP};
pub use limits::EngineMetrics;
pub use named::named_persons;
pub use people::{
    Behavior, DISTINCT_ID, GroupRow, GroupSet, LAST_SEEN, Page, PeopleFilter, PeoplePage, PeopleQuery, PeopleSet,
    PersonRow,
};
pub use rows::{EventRow, EventsQuery};
pub use sql::{SQL_BYTES_MAX, SQL_ROWS_DEFAULT, SQL_ROWS_MAX, SqlColumn, SqlQuestion, SqlRows, SqlView};
