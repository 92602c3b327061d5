//! Names one number of insights.

use super::super::cell::check_segment;
use super::super::{InvalidReport, refuse};
use super::{Insights, Segment};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Those whose events one number of a metric is measured over: its bucket's with everything that `cumulative`, `rolling` or
/// days of activity add to that. Of them are
/// - with a sum, mean, median, percentile, smallest or largest number, the persons of events that have a number;
/// - with distinct values, the persons of events that have a value;
/// - with sessions, the persons of the sessions counted;
/// - with everything else, the persons of all events that the metric selects.
///
/// A hidden metric has numbers too. A formula has none of its own: ask for a metric that it is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"metric": 0, "bucket": 3, "segment": ["pro", "1 - 5"]}))]
pub struct InsightsCell {
    /// Index in [`Insights::metrics`].
    pub metric: usize,
    /// Index of the bucket; the total when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket: Option<usize>,
    /// As the answer gives it, ranges of numbers by their names; empty without breakdown and for `other`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    pub segment: Segment,
    /// The segments beyond the limit together. Nobody, where there are none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub other: bool,
    /// The number of [`super::InsightsAnswer::previous`], what the answer is compared to, in its own buckets.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub previous: bool,
}

impl InsightsCell {
    /// Checks that the insights have such a number.
    pub(in crate::report) fn check(&self, insights: &Insights) -> Result<(), InvalidReport> {
        let metrics = insights.metrics.len();
        if self.metric >= metrics {
            let formula = self.metric - metrics < insights.formulas.len();
            let reason = if formula {
                "a formula counts nobody itself; "
            } else {
                ""
            };
            return refuse(
                "/cell/metric",
                format!("{reason}give the index of a metric, 0 to {}", metrics - 1),
            );
        }
        if self.previous && !insights.compare_previous && insights.compare.is_none() {
            return refuse("/cell/previous", "the report compares with nothing".into());
        }
        self.check_segment(insights)
    }

    fn check_segment(&self, insights: &Insights) -> Result<(), InvalidReport> {
        let breakdowns = insights.breakdown.len();
        if !self.other {
            if self.segment.is_empty() && breakdowns > 0 {
                let asked = if insights.other { ", or ask for 'other'" } else { "" };
                return refuse(
                    "/cell/segment",
                    format!(
                        "give {breakdowns} values, one per breakdown{asked}: the answer has no number of everybody"
                    ),
                );
            }
            return check_segment(&self.segment, breakdowns);
        }
        if !insights.other || breakdowns == 0 {
            return refuse(
                "/cell/other",
                "the report does not show other segments together; set 'other' in it".into(),
            );
        }
        if !self.segment.is_empty() {
            return refuse("/cell/segment", "other segments have no values; leave it out".into());
        }
        Ok(())
    }
}
