//! On how many days of a week or month persons are active.

use super::{EventSelector, InvalidReport, Segment, Unit, check_limit, refuse, segments_default};
use crate::Expression;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Of the persons active in a week or month, how many were active on exactly and on at least 1, 2, … of its days.
///
/// Counts as [`super::Frequency`] by day does: days of the report's time zone, only those of the range, each segment as if
/// only its events had happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"kind": "stickiness", "active": {"event": "API Called"}, "unit": "week", "limit": 10}))]
pub struct Stickiness {
    pub active: EventSelector,
    /// Week or month.
    pub unit: Unit,
    /// Value on the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub breakdown: Option<Expression>,
    #[serde(default = "segments_default")]
    pub limit: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StickinessAnswer {
    /// Bucket starts, every bucket of the range.
    pub buckets: Vec<String>,
    /// Whether a bucket is cut by the range or not over at the time of asking.
    pub partial: Vec<bool>,
    /// Days of each bucket that lie in the range and have begun at the time of asking.
    pub days: Vec<u64>,
    /// First over everybody (empty segment), then by segment, largest sum of active persons over the buckets first.
    pub segments: Vec<StickinessSegment>,
    pub segments_total: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StickinessSegment {
    #[schema(value_type = Vec<Object>)]
    pub segment: Segment,
    /// One per bucket.
    pub buckets: Vec<StickinessBucket>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StickinessBucket {
    /// Persons active on exactly 1, 2, … 7 (31) days.
    pub exactly: Vec<u64>,
    /// Persons active on at least 1, 2, … days. The first number is all who were active.
    pub at_least: Vec<u64>,
    /// Persons active on a mean day as a share of those active in the bucket: the days of activity of all persons
    /// together, divided by `days` and by the persons. What is called DAU/WAU and DAU/MAU. Absent where nobody was
    /// active or no day has begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
}

/// Those active on so many days of a bucket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StickinessCell {
    pub bucket: usize,
    pub days: usize,
    #[serde(default)]
    pub count: DayCount,
    /// As the answer gives it; everybody when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    pub segment: Segment,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DayCount {
    #[default]
    Exactly,
    AtLeast,
}

impl Stickiness {
    /// Days of the longest bucket.
    pub fn days_max(&self) -> usize {
        if self.unit == Unit::Month { 31 } else { 7 }
    }

    /// Checks the rules that the types cannot express.
    pub(super) fn check(&self) -> Result<(), InvalidReport> {
        if !matches!(self.unit, Unit::Week | Unit::Month) {
            return refuse("/question/unit", "stickiness goes by week or month".into());
        }
        check_limit(self.limit)
    }
}
