//! Who is new, who stays, who comes back and who leaves.

use super::{EventSelector, InvalidReport, Segment, Unit, check_limit, refuse, segments_default};
use crate::Expression;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub const LOOK_BACK_DAYS_MAX: u32 = 3_660;

/// Per bucket the persons who are new, returning, resurrected and dormant.
///
/// A person is *active* in a bucket that holds an event of `active` of theirs. Buckets are *whole* here: one that holds a
/// day of the range counts with all its days, because half a week has other neighbours than a week. Buckets that have
/// not begun at the time of asking are not in the answer.
///
/// In a bucket, a person is
/// - *new* if it is the first they are active in, of all time or of the time looked back;
/// - *returning* if they are active in it and in the bucket before;
/// - *resurrected* if they are active in it, not in the bucket before, but in an earlier one;
/// - *dormant* if they are not active in it, but were in the bucket before.
///
/// So those active in a bucket are its new, returning and resurrected persons, and those of the bucket before are its
/// returning and dormant ones.
///
/// With a breakdown, a person is what they are over all their events, and shown in the segment of their first event (by
/// time, then reception) of `active` in the bucket, a dormant one in that of the bucket before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"kind": "lifecycle", "active": {"event": "API Called"}, "unit": "week", "limit": 10}))]
pub struct Lifecycle {
    pub active: EventSelector,
    /// Day, week or month.
    pub unit: Unit,
    /// How many days before the first bucket are looked at, at least one bucket's (1, 7 or 31); all there are when
    /// absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look_back_days: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub breakdown: Option<Expression>,
    #[serde(default = "segments_default")]
    pub limit: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LifecycleAnswer {
    /// Bucket starts, up to the last that has begun.
    pub buckets: Vec<String>,
    /// Whether a bucket is not over at the time of asking: its dormant persons may still come.
    pub partial: Vec<bool>,
    /// First over everybody (empty segment), then by segment, largest sum of active persons over the buckets first.
    pub segments: Vec<LifecycleSegment>,
    pub segments_total: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LifecycleSegment {
    #[schema(value_type = Vec<Object>)]
    pub segment: Segment,
    /// One per bucket.
    pub buckets: Vec<LifecycleBucket>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LifecycleBucket {
    pub new: u64,
    pub returning: u64,
    pub resurrected: u64,
    pub dormant: u64,
}

/// Those who are in a stage in a bucket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LifecycleCell {
    /// Index of the bucket, begun or not.
    pub bucket: usize,
    pub stage: LifecycleStage,
    /// As the answer gives it; everybody when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    pub segment: Segment,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LifecycleStage {
    New,
    Returning,
    Resurrected,
    Dormant,
}

impl Lifecycle {
    /// Checks the rules that the types cannot express.
    pub(super) fn check(&self) -> Result<(), InvalidReport> {
        let bucket_days = match self.unit {
            Unit::Day => 1,
            Unit::Week => 7,
            Unit::Month => 31,
            _ => return refuse("/question/unit", "lifecycle goes by day, week or month".into()),
        };
        if self
            .look_back_days
            .is_some_and(|days| !(bucket_days..=LOOK_BACK_DAYS_MAX).contains(&days))
        {
            return refuse(
                "/question/look_back_days",
                format!("give {bucket_days} to {LOOK_BACK_DAYS_MAX} days, or leave it out to look at all"),
            );
        }
        check_limit(self.limit)
    }
}
