//! Numbers over time.

mod breakdown;
mod cell;
mod check;
mod formula;
mod measure;

pub use breakdown::*;
pub use cell::*;
pub use formula::*;
pub use measure::*;

use super::{Segment, Unit, segments_default, session_timeout_default};
use crate::Expression;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub const METRICS_MAX: usize = 20;
pub const FORMULAS_MAX: usize = 20;
pub const BREAKDOWNS_MAX: usize = 3;
pub const ROLLING_MAX: u32 = 366;

/// Numbers over time.
///
/// Metrics have letters by position: the first is A, the second B. Every metric is measured in each bucket of the range,
/// and once over the whole range for its total. What lies in a *bucket* depends on the options:
/// - Without them it is the events of the bucket's time that lie in the range.
/// - With `cumulative` it is the events from the range's beginning to the bucket's end.
/// - With `rolling` it is the events of that many whole buckets, of which the bucket is the last, also of those before
///   the range; but none after `to`. Totals stay those of the range.
///
/// So persons, values and percentiles are those of all these events together, not sums or means of smaller buckets.
///
/// A segment belongs to the answer when a metric selects an event of it in the time that one of the metric's numbers is
/// measured over. Formulas are evaluated on the finished numbers: per segment in each bucket, and on the totals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "metrics": [
        {"event": "Order completed", "measure": {"sum": {"property": "revenue"}}},
        {"event": "Order completed", "measure": "unique", "hidden": true}
    ],
    "formulas": [{"name": "Revenue per buyer", "formula": "round(A / B)"}],
    "unit": "week",
    "breakdown": ["user[\"plan\"]", {"value": "items", "edges": {"at": [1, 5, 10]}}],
    "limit": 10,
    "other": true,
    "rolling": 4,
    "compare": {"shift": {"count": 1, "unit": "year"}}
}))]
pub struct Insights {
    pub metrics: Vec<Metric>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub formulas: Vec<NamedFormula>,
    pub unit: Unit,
    /// Values that split every metric into segments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    pub breakdown: Vec<Breakdown>,
    /// How many segments are shown, largest first (by the sum over all metrics, hidden ones too, of their range totals,
    /// then by segment value). The answer says how many there were.
    #[serde(default = "segments_default")]
    pub limit: usize,
    /// Also show the segments beyond the limit together, as one. It is measured over their events: an event in several of
    /// them counts once, and so does a person. An event that is in a shown segment too counts in both.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub other: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cumulative: bool,
    /// Number of buckets, 2 to 366.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolling: Option<u32>,
    /// Also answer the same question for the range of equal length that ends the day before `from`.
    #[serde(default)]
    pub compare_previous: bool,
    /// Also answer the same question for another period or other events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare: Option<Compare>,
    /// See [`super::SESSION_TIMEOUT_MS`].
    #[serde(default = "session_timeout_default", skip_serializing_if = "is_session_default")]
    pub session_timeout_ms: i64,
}

fn is_session_default(timeout_ms: &i64) -> bool {
    *timeout_ms == session_timeout_default()
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
    /// Not in the answer itself; for formulas alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
}

/// What the answer is compared to. The comparison shows the segments of the answer, in their order, and the same ranges
/// of numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Compare {
    /// The range with both ends moved back. In a shorter month a day is the month's last.
    Shift { count: u32, unit: ShiftUnit },
    /// The same range, but only events that this filter keeps too: those of a cohort, say.
    Where {
        #[schema(value_type = Object)]
        filter: Expression,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShiftUnit {
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InsightsAnswer {
    /// Start of each bucket as local time: `2026-08-01` for days and longer, `2026-08-01 13:05:00` for shorter.
    pub buckets: Vec<String>,
    /// Whether the range holds only a part of the bucket, or it was not over at the time of asking; one per bucket.
    #[serde(default)]
    pub partial: Vec<bool>,
    /// Ordered by metric, then by the segment order of [`Insights::limit`], then the other segments together.
    pub series: Vec<Series>,
    /// Segments before the limit.
    pub segments_total: usize,
    /// The answer of [`Insights::compare_previous`] or [`Insights::compare`], for its own buckets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(no_recursion)]
    pub previous: Option<Box<InsightsAnswer>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Series {
    /// Index in [`Insights::metrics`]; formulas go on behind them.
    pub metric: usize,
    #[schema(value_type = Vec<Object>)]
    pub segment: Segment,
    /// All segments beyond the limit; `segment` is empty then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub other: bool,
    /// One per bucket; null where a formula has no result.
    pub values: Vec<Option<f64>>,
    /// Over the whole range; for persons not the sum of the buckets.
    pub total: Option<f64>,
}

impl Insights {
    /// Metrics over time with everything else as if left out.
    pub fn new(metrics: Vec<Metric>, unit: Unit) -> Insights {
        Insights {
            metrics,
            formulas: Vec::new(),
            unit,
            breakdown: Vec::new(),
            limit: segments_default(),
            other: false,
            cumulative: false,
            rolling: None,
            compare_previous: false,
            compare: None,
            session_timeout_ms: session_timeout_default(),
        }
    }

    /// Every expression of the question.
    pub fn expressions(&self) -> Vec<&Expression> {
        let mut expressions = Vec::new();
        for metric in &self.metrics {
            expressions.extend(&metric.filter);
            expressions.extend(metric.measure.property());
        }
        expressions.extend(self.breakdown.iter().map(Breakdown::value));
        if let Some(Compare::Where { filter }) = &self.compare {
            expressions.push(filter);
        }
        expressions
    }
}

impl Metric {
    pub fn new(event: Option<String>, measure: Measure) -> Metric {
        Metric {
            event,
            filter: None,
            measure,
            hidden: false,
        }
    }
}
