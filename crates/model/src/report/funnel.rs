//! How many go through steps.

mod answer;
mod check;
mod step;

pub use answer::*;
pub use step::*;

use super::{Unit, segments_default, session_timeout_default};
use crate::Expression;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub const STEPS_MIN: usize = 2;
pub const STEPS_MAX: usize = 20;
pub const EXCLUSIONS_MAX: usize = 10;
pub const HELD_MAX: usize = 3;
/// Selectors of all steps and exclusions together.
pub const FUNNEL_SELECTORS_MAX: usize = 64;
/// How far apart events may be and still come in either order, where a definition does not say, in milliseconds.
pub const TIE_MS: i64 = 2_000;

/// How many go through steps.
///
/// # Attempts
/// An *attempt* starts at an event of a step that may come first, whose time lies in the range. Each further step takes
/// the earliest (then first received) event of a step that may come next which is not used yet in this attempt, is not
/// earlier than the step before minus `tie_ms`, nor earlier than the start minus `tie_ms`, and is not later than the
/// start plus `window_ms`; the attempt ends at the first step without one. So events within `tie_ms` of each other may
/// come in either order. Events after `to` can complete an attempt that started before.
///
/// An event *lies between* two steps of an attempt if it is later than the earlier one plus `tie_ms`, earlier than the
/// later one minus `tie_ms`, and not used in the attempt: an event that could just as well have come before the first
/// or after the second does not lie between them.
///
/// - [`Order::Ordered`]: the steps come as they are listed.
/// - [`Order::Any`]: an anchored step keeps its place; a run of steps without anchor comes in any order. An event that
///   may be several of them is the first listed. What the answer says of the step at index `i` then is about the
///   `i + 1`th step that an attempt takes, whichever it is.
/// - [`Order::Strict`]: as ordered, and no other event of the person, of any name, lies between the start and any step.
///   The report's filter decides which events there are: an event that it drops is in nobody's way.
///
/// # Conditions on attempts
/// - *Sessions*: with `window_sessions = n` all steps must lie in the session of the start or in the `n − 1` after it,
///   besides the window in time. Sessions are made of all events of the person from the start of the range minus
///   `tie_ms` to its end plus `window_ms` (see [`super::SESSION_TIMEOUT_MS`]).
/// - *Held properties*: all steps of an attempt have the same value of each. Values are compared as a breakdown shows
///   them (a list is its distinct elements in order). An event on which one of them is not set is no step.
/// - *Exclusions*: an excluded event that lies between the step at index `from` and a later one, up to that at `to`,
///   ends the attempt before that one; so the attempt counts up to the step before. Steps are counted as the attempt
///   takes them. An excluded event with another value of a held property does not matter; one without a value does.
/// - *First time*: an event is such a step only if it is the first (then first received) of all events ever, also before
///   the range, that the step's selectors and the report's filter let through for this person.
///
/// # What is counted
/// - [`FunnelCount::Uniques`]: persons. One attempt is counted per person for the whole range, and one per person and
///   bucket (by the time of the start) for the trend: with [`Attempt::First`] the earliest start, with
///   [`Attempt::Furthest`] the one with most steps, then the earliest start.
/// - [`FunnelCount::Totals`]: attempts that do not overlap. The next attempt of a person starts at their earliest possible
///   start after the one before is over: after the last of its events (in order of time, then reception) if it took all
///   steps; at or after the first event that ended it (an exclusion, or any event of a strict funnel); after the
///   window, in time or sessions, otherwise. An attempt without a next step is ended by such an event too.
/// - [`FunnelCount::Sessions`]: sessions. Only steps within the session of the start count, and one attempt is counted per
///   session, chosen as for persons, in the bucket of its start.
///
/// # Segments
/// A counted attempt is in the segments of the values that `attribution` takes from the events of its steps. An attempt
/// that has no such event, because it does not come to the step in question, is in the segment `null`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "steps": [
        {"event": "Sign up", "first_time": true},
        {"any_of": [{"event": "Invite"}, {"event": "Create project", "filter": "properties[\"template\"] != \"demo\""}]},
        {"event": "Upgrade"}
    ],
    "window_ms": 604_800_000,
    "exclusions": [{"event": "Cancel", "from": 0, "to": 2}],
    "hold": ["properties[\"workspace\"]"],
    "breakdown": "properties[\"plan\"]",
    "attribution": "last",
    "count": "uniques",
    "times": {"percentiles": [50, 90], "histogram": true},
    "unit": "week"
}))]
pub struct Funnel {
    pub steps: Vec<StepSelector>,
    /// Time from the first step within which the last must happen, in milliseconds.
    pub window_ms: i64,
    /// Sessions from that of the first step on within which the last must happen too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_sessions: Option<u32>,
    /// Longest gap within a session, in milliseconds.
    #[serde(
        default = "session_timeout_default",
        skip_serializing_if = "is_session_timeout_default"
    )]
    pub session_timeout_ms: i64,
    #[serde(default = "tie_default")]
    pub tie_ms: i64,
    #[serde(default, skip_serializing_if = "is_default")]
    pub order: Order,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclusions: Vec<Exclusion>,
    /// Up to three expressions that have the same value on all steps of an attempt.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    pub hold: Vec<Expression>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub count: FunnelCount,
    #[serde(default)]
    pub attempt: Attempt,
    /// Buckets of the trend; no trend when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// Value on the events of the counted attempt that `attribution` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub breakdown: Option<Expression>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub attribution: Attribution,
    /// Also say how long the steps took, beyond the mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<TimesToConvert>,
    #[serde(default = "segments_default")]
    pub limit: usize,
}

/// Two seconds, as in Mixpanel (contract FN5).
fn tie_default() -> i64 {
    TIE_MS
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn is_session_timeout_default(timeout_ms: &i64) -> bool {
    *timeout_ms == session_timeout_default()
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    #[default]
    Ordered,
    Any,
    Strict,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FunnelCount {
    #[default]
    Uniques,
    Totals,
    Sessions,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Attempt {
    First,
    #[default]
    Furthest,
}

/// Which events of an attempt give it its segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Attribution {
    /// The first step taken on which the value is set.
    First,
    /// The last step taken on which the value is set.
    Last,
    /// Every step taken on which it is set: the attempt counts in each of the segments.
    Any,
    /// The step listed at this index.
    Step(usize),
}

impl Default for Attribution {
    fn default() -> Attribution {
        Attribution::Step(0)
    }
}

/// How long steps took: percentiles and a histogram of the whole range, from the step before and from the first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TimesToConvert {
    /// Between 1 and 99.
    #[serde(default = "percentiles_default")]
    pub percentiles: Vec<u8>,
    /// Also count how many took how long.
    #[serde(default)]
    pub histogram: bool,
    /// Where one bin ends and the next begins, ascending; [`HISTOGRAM_EDGES_MS`] when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edges_ms: Vec<i64>,
}

fn percentiles_default() -> Vec<u8> {
    vec![10, 25, 50, 75, 90]
}

impl TimesToConvert {
    pub fn edges_ms(&self) -> &[i64] {
        if self.edges_ms.is_empty() {
            &HISTOGRAM_EDGES_MS
        } else {
            &self.edges_ms
        }
    }
}

/// Bins that a reader of durations expects: seconds, minutes, hours, days.
pub const HISTOGRAM_EDGES_MS: [i64; 21] = {
    const SECOND: i64 = 1_000;
    const MINUTE: i64 = 60 * SECOND;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    [
        SECOND,
        5 * SECOND,
        10 * SECOND,
        30 * SECOND,
        MINUTE,
        2 * MINUTE,
        5 * MINUTE,
        10 * MINUTE,
        30 * MINUTE,
        HOUR,
        2 * HOUR,
        6 * HOUR,
        12 * HOUR,
        DAY,
        2 * DAY,
        3 * DAY,
        7 * DAY,
        14 * DAY,
        30 * DAY,
        90 * DAY,
        180 * DAY,
    ]
};

impl Funnel {
    /// A funnel without anything special: in order, persons counted by the attempt in which they came furthest.
    pub fn of(steps: Vec<StepSelector>, window_ms: i64) -> Funnel {
        Funnel {
            steps,
            window_ms,
            window_sessions: None,
            session_timeout_ms: session_timeout_default(),
            tie_ms: tie_default(),
            order: Order::default(),
            exclusions: Vec::new(),
            hold: Vec::new(),
            count: FunnelCount::default(),
            attempt: Attempt::default(),
            unit: None,
            breakdown: None,
            attribution: Attribution::default(),
            times: None,
            limit: segments_default(),
        }
    }

    /// Whether the answer depends on sessions.
    pub fn needs_sessions(&self) -> bool {
        self.window_sessions.is_some() || self.count == FunnelCount::Sessions
    }
}
