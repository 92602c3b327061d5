//! What a funnel answers.

use crate::report::Segment;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FunnelAnswer {
    /// The whole range, first over everybody (empty segment), then by segment, largest first step first.
    pub overall: Vec<FunnelSegment>,
    /// Bucket starts; empty without a unit.
    pub buckets: Vec<String>,
    /// One entry per bucket, each like `overall` with the same segments.
    pub trend: Vec<Vec<FunnelSegment>>,
    /// Segments before the limit.
    pub segments_total: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FunnelSegment {
    #[schema(value_type = Vec<Object>)]
    pub segment: Segment,
    pub steps: Vec<FunnelStep>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FunnelStep {
    /// Persons (attempts, sessions) whose counted attempt reached this step.
    pub count: u64,
    /// Mean milliseconds from the step before, over those persons; absent for the first step and where count is 0.
    /// A step that came before its predecessor by the tie rule counts as 0 ms.
    pub mean_ms_from_previous: Option<f64>,
    /// Mean milliseconds from the first step, likewise.
    pub mean_ms_from_start: Option<f64>,
    /// How long they took from the step before, where the question asks for times; over the whole range only, and
    /// absent where the means are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times_from_previous: Option<Durations>,
    /// How long they took from the first step, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times_from_start: Option<Durations>,
}

/// How long something took, exactly, over everybody who is counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Durations {
    /// The 50th percentile.
    pub median_ms: f64,
    /// As asked for and in that order.
    pub percentiles: Vec<DurationPercentile>,
    /// Every bin from the first to the last that holds any; empty if no histogram is asked for.
    pub histogram: Vec<DurationBin>,
}

/// The duration at place `percent / 100 × (count − 1)` of all durations in ascending order, counted from 0; between two
/// places, as far between their two durations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DurationPercentile {
    pub percent: u8,
    pub ms: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DurationBin {
    pub from_ms: i64,
    /// Excluded; absent for the bin behind the last edge.
    pub to_ms: Option<i64>,
    pub count: u64,
}
