//! How often persons are active within a time.

use super::{
    BUCKETS_MAX, EventSelector, InvalidReport, Segment, Unit, check_limit, refuse, segments_default, unit_fits,
};
use crate::Expression;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Of the persons active in a bucket, how many were active in at least 1, 2, … of its parts.
///
/// A person is *active* in a part (an hour or day by the clock of the report's time zone) that holds an event of `active`.
/// Only the days of the range count, so a bucket that the range cuts has fewer parts.
///
/// With a breakdown, a segment is answered as if only its events had happened: who is active in two segments in one
/// hour each is active in two hours, but in one hour of either segment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"kind": "frequency", "active": {"event": "API Called"}, "unit": "day", "part": "hour", "limit": 10}))]
pub struct Frequency {
    pub active: EventSelector,
    /// Day, week or month.
    pub unit: Unit,
    /// Hour, or day within a week or month.
    pub part: Unit,
    /// Value on the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub breakdown: Option<Expression>,
    #[serde(default = "segments_default")]
    pub limit: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FrequencyAnswer {
    /// Bucket starts, every bucket of the range.
    pub buckets: Vec<String>,
    /// Whether a bucket is cut by the range or not over at the time of asking.
    pub partial: Vec<bool>,
    /// First over everybody (empty segment), then by segment, largest sum of active persons over the buckets first.
    pub segments: Vec<FrequencySegment>,
    pub segments_total: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FrequencySegment {
    #[schema(value_type = Vec<Object>)]
    pub segment: Segment,
    /// Per bucket the persons active in at least 1, 2, … parts: never more than the number before. As many numbers as the
    /// longest bucket of the unit has parts: 24, 168 or 744 hours, 7 or 31 days (more only where a clock went back by so
    /// much that a bucket of the range has more).
    pub at_least: Vec<Vec<u64>>,
}

/// Those active in at least so many parts of a bucket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FrequencyCell {
    pub bucket: usize,
    pub at_least: usize,
    /// As the answer gives it; everybody when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    pub segment: Segment,
}

impl Frequency {
    /// Parts of the longest bucket: hours of a day, week or month, days of a week or month.
    pub fn parts_max(&self) -> usize {
        let days = match self.unit {
            Unit::Week => 7,
            Unit::Month => 31,
            _ => 1,
        };
        if self.part == Unit::Hour { days * 24 } else { days }
    }

    /// Checks the rules that the types cannot express, for a range of `days`.
    pub(super) fn check(&self, days: usize) -> Result<(), InvalidReport> {
        if !matches!(self.unit, Unit::Day | Unit::Week | Unit::Month) {
            return refuse("/question/unit", "frequency goes by day, week or month".into());
        }
        if !matches!(
            (self.part, self.unit),
            (Unit::Hour, _) | (Unit::Day, Unit::Week | Unit::Month)
        ) {
            return refuse("/question/part", "give hour, or day within a week or month".into());
        }
        if !unit_fits(self.part, days) {
            return refuse(
                "/question/part",
                format!("more than {BUCKETS_MAX} hours; take days or a shorter range"),
            );
        }
        check_limit(self.limit)
    }
}
