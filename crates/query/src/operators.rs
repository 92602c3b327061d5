//! Our own operators: what databases do badly, done over whole persons.
//!
//! All work alike. The rows of a person lie in one partition, so each partition is answered alone: an
//! [`Accumulate`] reads its batches and ends with *cells*, one row per number of the answer. Cells of different
//! partitions are about different persons, so [`merge`] just adds them up. [`node`] is the frame in DataFusion's
//! order (logical node, planner, physical plan, stream); the files beside it hold what each operator computes.

pub(crate) mod cells;
pub(crate) mod extremes;
pub(crate) mod flow;
pub(crate) mod frequency;
pub(crate) mod funnel;
mod group;
pub(crate) mod input;
pub(crate) mod insights;
pub(crate) mod lifecycle;
pub(crate) mod merge;
pub(crate) mod node;
pub(crate) mod persons_who;
pub(crate) mod retention;
pub(crate) mod sessions;
mod tally;
mod values;

pub(crate) use node::{Accumulate, Memory, Operator};
