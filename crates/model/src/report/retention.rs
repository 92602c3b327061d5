//! How many come back.

use super::{EventSelector, InvalidReport, Segment, Unit, check_limit, refuse, segments_default};
use crate::Expression;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub const INTERVALS_MAX: u32 = 90;

/// How many persons come back.
///
/// [`Cohorts::Birth`]: a person is *born* at their first event of `born` in the range and belongs to that bucket's
/// cohort. [`Cohorts::Recurring`]: in every bucket with such an event, born at the first in the bucket.
///
/// A *return* is an event of `returning` strictly later than the birth. With [`Intervals::Rolling`] it falls into interval
/// `floor((return − birth) / unit)`, a unit being 24 hours, 7 or 30 days; with [`Intervals::Calendar`] into the
/// number of bucket boundaries between the two. Interval 0 is the one that holds the birth. Returns after `to` count.
///
/// A cohort shows the intervals 0 … `intervals` of which the earliest possible start has come by the time of asking: the
/// start of the cohort's bucket plus `i` units (rolling), or the start of the `i`-th bucket after it (calendar).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    pub born: EventSelector,
    pub returning: EventSelector,
    /// Day, week or month.
    pub unit: Unit,
    /// Number of the last interval.
    pub intervals: u32,
    #[serde(default, rename = "interval_rule")]
    pub rule: Intervals,
    #[serde(default)]
    pub cohorts: Cohorts,
    /// A return in a later interval counts in every earlier one too ("on or after").
    #[serde(default)]
    pub on_or_after: bool,
    /// Value on the birth event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub breakdown: Option<Expression>,
    #[serde(default = "segments_default")]
    pub limit: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Intervals {
    #[default]
    Rolling,
    Calendar,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cohorts {
    #[default]
    Birth,
    Recurring,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RetentionAnswer {
    /// Bucket starts of the cohorts, every bucket of the range.
    pub buckets: Vec<String>,
    /// First over everybody (empty segment), then by segment, largest number of births first.
    pub segments: Vec<RetentionSegment>,
    pub segments_total: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RetentionSegment {
    #[schema(value_type = Vec<Object>)]
    pub segment: Segment,
    /// One per bucket.
    pub cohorts: Vec<Cohort>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Cohort {
    /// Persons born in the bucket.
    pub born: u64,
    /// Persons who returned in interval 0, 1, …; ends with the last interval that has begun.
    pub returned: Vec<u64>,
}

impl Retention {
    /// Checks the rules that the types cannot express.
    pub(super) fn check(&self) -> Result<(), InvalidReport> {
        if !matches!(self.unit, Unit::Day | Unit::Week | Unit::Month) {
            return refuse("/question/unit", "retention goes by day, week or month".into());
        }
        if self.intervals > INTERVALS_MAX {
            return refuse("/question/intervals", format!("give at most {INTERVALS_MAX} intervals"));
        }
        check_limit(self.limit)
    }
}
