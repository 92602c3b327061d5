//! Report definitions and their answers: what is asked, with every rule that decides a number written down here.
//!
//! A definition is JSON, versioned, the same in the app, the API, the CLI and the Mixpanel translation. `query` answers
//! it fast, `reference` answers it slowly; both must give the same [`Answer`] for the same events.
//!
//! Rules that hold for every kind:
//! - *Days* are calendar days of the report's time zone; `from` and `to` are both included.
//! - *Persons* are canonical: an event counts for the person its own person was merged into. Events of
//!   [`crate::PersonNumber::NOBODY`] count in totals and nowhere else.
//! - *Copies* of an event (same name, canonical person, time and `$insert_id`) count once, the latest received wins.
//! - A filter keeps an event when it evaluates to `true`; everything else drops it (contract X9).
//! - *Segments*: a breakdown value that is a list puts the event into the segment of each distinct element; a value
//!   that is not set, null or an empty list makes the segment `null`; an object is its JSON text.

use crate::Expression;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Version of the definition format that this build reads and writes.
pub const VERSION: u32 = 1;
pub const METRICS_MAX: usize = 20;
pub const BREAKDOWNS_MAX: usize = 3;
pub const STEPS_MIN: usize = 2;
pub const STEPS_MAX: usize = 20;
pub const INTERVALS_MAX: u32 = 90;
pub const BUCKETS_MAX: usize = 10_000;
pub const SEGMENTS_MAX: usize = 10_000;

/// A question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Version of this format; [`VERSION`].
    #[serde(default = "version")]
    pub version: u32,
    pub range: DateRange,
    /// IANA name; the project's time zone when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// Applies to every event that the question looks at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub filter: Option<Expression>,
    pub question: Question,
}

fn version() -> u32 {
    VERSION
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DateRange {
    #[schema(value_type = String, format = "date")]
    pub from: Date,
    #[schema(value_type = String, format = "date")]
    pub to: Date,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Question {
    Insights(Insights),
    Funnel(Funnel),
    Retention(Retention),
}

/// Which events a metric, step or cohort looks at.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EventSelector {
    /// Event name; absent for any event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub filter: Option<Expression>,
}

/// Length of a time bucket. Weeks begin on Monday; quarters in January, April, July and October.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
}

// ---------------------------------------------------------------- insights

/// Numbers over time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Insights {
    pub metrics: Vec<Metric>,
    pub unit: Unit,
    /// Expressions whose values split every metric into segments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    pub breakdown: Vec<Expression>,
    /// How many segments are shown, largest first (by the sum over all metrics of their range totals, then by
    /// segment value). The answer says how many there were.
    #[serde(default = "segments_default")]
    pub limit: usize,
    /// Also answer the same question for the range of equal length that ends the day before `from`.
    #[serde(default)]
    pub compare_previous: bool,
}

fn segments_default() -> usize {
    50
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// Event name; absent for any event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub filter: Option<Expression>,
    pub measure: Measure,
}

/// What is counted. In each bucket, and once over the whole range for the total.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Events.
    Total,
    /// Distinct persons; nobody does not count.
    Unique,
    /// Events of persons divided by distinct persons; 0 where there are none.
    PerPerson,
    /// Sum of a number; values that are not numbers count as 0.
    Sum {
        #[schema(value_type = Object)]
        property: Expression,
    },
    /// Mean of a number over the events that have one; 0 where none has.
    Mean {
        #[schema(value_type = Object)]
        property: Expression,
    },
    /// Smallest number; 0 where no event has one.
    Min {
        #[schema(value_type = Object)]
        property: Expression,
    },
    /// Largest number; 0 where no event has one.
    Max {
        #[schema(value_type = Object)]
        property: Expression,
    },
}

// ---------------------------------------------------------------- funnel

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

// ---------------------------------------------------------------- retention

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

// ---------------------------------------------------------------- answers

/// The numbers that answer a [`Report`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Answer {
    Insights(InsightsAnswer),
    Funnel(FunnelAnswer),
    Retention(RetentionAnswer),
}

/// One value per breakdown; `None` (JSON null) where it is not set. Strings, numbers and booleans as JSON.
pub type Segment = Vec<Option<serde_json::Value>>;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InsightsAnswer {
    /// Start of each bucket as local time: `2026-08-01` for days and longer, `2026-08-01 13:05:00` for shorter.
    pub buckets: Vec<String>,
    /// Ordered by metric, then by the segment order of [`Insights::limit`].
    pub series: Vec<Series>,
    /// Segments before the limit.
    pub segments_total: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(no_recursion)]
    pub previous: Option<Box<InsightsAnswer>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Series {
    /// Index in [`Insights::metrics`].
    pub metric: usize,
    #[schema(value_type = Vec<Object>)]
    pub segment: Segment,
    /// One per bucket.
    pub values: Vec<f64>,
    /// Over the whole range; for persons not the sum of the buckets.
    pub total: f64,
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

// ---------------------------------------------------------------- validation

/// Why a definition is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {message}")]
pub struct InvalidReport {
    /// JSON pointer into the definition.
    pub at: &'static str,
    pub message: String,
}

impl Report {
    /// Checks the rules that the types cannot express. Both engines may assume them afterwards.
    pub fn check(&self) -> Result<(), InvalidReport> {
        let refuse = |at, message: String| Err(InvalidReport { at, message });
        if self.version != VERSION {
            return refuse("/version", format!("this build reads version {VERSION}"));
        }
        if self.range.from > self.range.to {
            return refuse("/range", "'from' is later than 'to'".into());
        }
        let days = (self.range.to - self.range.from).get_days() as usize + 1;
        if days > 3_660 {
            return refuse("/range", "the range is longer than ten years".into());
        }
        let buckets_fit = |unit: Unit| match unit {
            Unit::Minute => days * 1440 <= BUCKETS_MAX,
            Unit::Hour => days * 24 <= BUCKETS_MAX,
            _ => true,
        };
        match &self.question {
            Question::Insights(insights) => {
                if insights.metrics.is_empty() || insights.metrics.len() > METRICS_MAX {
                    return refuse("/question/metrics", format!("give 1 to {METRICS_MAX} metrics"));
                }
                if insights.breakdown.len() > BREAKDOWNS_MAX {
                    return refuse(
                        "/question/breakdown",
                        format!("give at most {BREAKDOWNS_MAX} breakdowns"),
                    );
                }
                if !buckets_fit(insights.unit) {
                    return refuse(
                        "/question/unit",
                        format!("more than {BUCKETS_MAX} buckets; take a longer unit or a shorter range"),
                    );
                }
                check_limit(insights.limit)
            }
            Question::Funnel(funnel) => {
                if !(STEPS_MIN..=STEPS_MAX).contains(&funnel.steps.len()) {
                    return refuse("/question/steps", format!("give {STEPS_MIN} to {STEPS_MAX} steps"));
                }
                if funnel.window_ms <= 0 || funnel.window_ms > 367 * 86_400_000 {
                    return refuse("/question/window_ms", "give a window of 1 ms to 367 days".into());
                }
                if !(0..=60_000).contains(&funnel.tie_ms) {
                    return refuse("/question/tie_ms", "give 0 to 60000 ms".into());
                }
                if !funnel.unit.is_none_or(buckets_fit) {
                    return refuse(
                        "/question/unit",
                        format!("more than {BUCKETS_MAX} buckets; take a longer unit or a shorter range"),
                    );
                }
                check_limit(funnel.limit)
            }
            Question::Retention(retention) => {
                if !matches!(retention.unit, Unit::Day | Unit::Week | Unit::Month) {
                    return refuse("/question/unit", "retention goes by day, week or month".into());
                }
                if retention.intervals > INTERVALS_MAX {
                    return refuse("/question/intervals", format!("give at most {INTERVALS_MAX} intervals"));
                }
                check_limit(retention.limit)
            }
        }
    }
}

fn check_limit(limit: usize) -> Result<(), InvalidReport> {
    if (1..=SEGMENTS_MAX).contains(&limit) {
        return Ok(());
    }
    Err(InvalidReport {
        at: "/question/limit",
        message: format!("give 1 to {SEGMENTS_MAX} segments"),
    })
}
