//! Numbers over time.

use super::{BUCKETS_MAX, InvalidReport, Segment, Unit, check_limit, refuse, segments_default, unit_fits};
use crate::Expression;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub const METRICS_MAX: usize = 20;
pub const BREAKDOWNS_MAX: usize = 3;

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

impl Insights {
    /// Checks the rules that the types cannot express, for a range of `days`.
    pub(super) fn check(&self, days: usize) -> Result<(), InvalidReport> {
        if self.metrics.is_empty() || self.metrics.len() > METRICS_MAX {
            return refuse("/question/metrics", format!("give 1 to {METRICS_MAX} metrics"));
        }
        if self.breakdown.len() > BREAKDOWNS_MAX {
            return refuse(
                "/question/breakdown",
                format!("give at most {BREAKDOWNS_MAX} breakdowns"),
            );
        }
        if !unit_fits(self.unit, days) {
            return refuse(
                "/question/unit",
                format!("more than {BUCKETS_MAX} buckets; take a longer unit or a shorter range"),
            );
        }
        check_limit(self.limit)
    }
}
