//! How many go through steps.

use super::{
    BUCKETS_MAX, EventSelector, InvalidReport, Segment, Unit, check_limit, refuse, segments_default, unit_fits,
};
use crate::Expression;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub const STEPS_MIN: usize = 2;
pub const STEPS_MAX: usize = 20;

/// How many persons go through steps in order.
///
/// An *attempt* starts at an event of the first step whose time lies in the range. Each further step takes the earliest
/// (then first received) event of that step that is not used yet in this attempt, is not earlier than the step before
/// minus `tie_ms`, nor earlier than the start minus `tie_ms`, and is not later than the start plus `window_ms`; the
/// attempt ends at the first step without one. So events within `tie_ms` of each other may come in either order.
/// Events after `to` can complete an attempt that started before.
///
/// One attempt is counted per person for the whole range, and one per person and bucket (by the time of the start) for
/// the trend: with [`Attempt::First`] the earliest start, with [`Attempt::Furthest`] the one with most steps, then the
/// earliest start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Funnel {
    pub steps: Vec<EventSelector>,
    /// Time from the first step within which the last must happen, in milliseconds.
    pub window_ms: i64,
    #[serde(default = "tie_default")]
    pub tie_ms: i64,
    #[serde(default)]
    pub attempt: Attempt,
    /// Buckets of the trend; no trend when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// Value on the first step's event of the counted attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub breakdown: Option<Expression>,
    #[serde(default = "segments_default")]
    pub limit: usize,
}

/// Two seconds, as in Mixpanel (contract FN5).
fn tie_default() -> i64 {
    2_000
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Attempt {
    First,
    #[default]
    Furthest,
}

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
    /// Persons whose counted attempt reached this step.
    pub count: u64,
    /// Mean milliseconds from the step before, over those persons; absent for the first step and where count is 0.
    /// A step that came before its predecessor by the tie rule counts as 0 ms.
    pub mean_ms_from_previous: Option<f64>,
    /// Mean milliseconds from the first step, likewise.
    pub mean_ms_from_start: Option<f64>,
}

impl Funnel {
    /// Checks the rules that the types cannot express, for a range of `days`.
    pub(super) fn check(&self, days: usize) -> Result<(), InvalidReport> {
        if !(STEPS_MIN..=STEPS_MAX).contains(&self.steps.len()) {
            return refuse("/question/steps", format!("give {STEPS_MIN} to {STEPS_MAX} steps"));
        }
        if self.window_ms <= 0 || self.window_ms > 367 * 86_400_000 {
            return refuse("/question/window_ms", "give a window of 1 ms to 367 days".into());
        }
        if !(0..=60_000).contains(&self.tie_ms) {
            return refuse("/question/tie_ms", "give 0 to 60000 ms".into());
        }
        if !self.unit.is_none_or(|unit| unit_fits(unit, days)) {
            return refuse(
                "/question/unit",
                format!("more than {BUCKETS_MAX} buckets; take a longer unit or a shorter range"),
            );
        }
        check_limit(self.limit)
    }
}
