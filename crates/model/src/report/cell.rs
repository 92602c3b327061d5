//! Names one number of an answer, to ask who is behind it.

use super::{
    FlowCell, FrequencyCell, InsightsCell, InvalidReport, LifecycleCell, Question, Report, RetentionCell, Segment,
    StickinessCell, refuse,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One number of an answer that is about persons. Its *members* are exactly the persons that the number counts, or whose
/// events it is measured over, whether or not the limit lets the answer show it: nothing is ever cut.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[schema(example = json!({"kind": "funnel", "step": 1, "side": "dropped_off", "segment": ["pro"]}))]
pub enum ReportCell {
    Insights(InsightsCell),
    Funnel(FunnelCell),
    Retention(RetentionCell),
    Frequency(FrequencyCell),
    Stickiness(StickinessCell),
    Lifecycle(LifecycleCell),
    Flow(FlowCell),
}

/// Those who came to a step of a funnel, or those of them who came no further.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FunnelCell {
    /// Index of the step, from 0.
    pub step: usize,
    #[serde(default)]
    pub side: FunnelSide,
    /// Index of the trend's bucket; the whole range when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket: Option<usize>,
    /// As the answer gives it; everybody when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    pub segment: Segment,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FunnelSide {
    /// Their counted attempt reached the step.
    #[default]
    Reached,
    /// Their counted attempt ended with the step, which is not the last.
    DroppedOff,
}

impl ReportCell {
    /// Events that being behind the number tells of, besides those that the report names.
    pub fn events(&self) -> Vec<&str> {
        match self {
            ReportCell::Flow(cell) => cell.events(),
            _ => Vec::new(),
        }
    }

    /// Checks that `report`, which has passed its own check, has such a number. A bucket beyond the last and a segment
    /// or node that no event has are allowed: nobody is in them.
    pub fn check(&self, report: &Report) -> Result<(), InvalidReport> {
        match (self, &report.question) {
            (ReportCell::Insights(cell), Question::Insights(insights)) => cell.check(insights),
            (ReportCell::Flow(cell), Question::Flow(flow)) => cell.check(flow),
            (ReportCell::Funnel(cell), Question::Funnel(funnel)) => {
                let last = match cell.side {
                    FunnelSide::Reached => funnel.steps.len() - 1,
                    FunnelSide::DroppedOff => funnel.steps.len() - 2,
                };
                if cell.step > last {
                    return refuse("/cell/step", format!("give a step of 0 to {last}"));
                }
                if cell.bucket.is_some() && funnel.unit.is_none() {
                    return refuse("/cell/bucket", "a funnel without a unit has no buckets".into());
                }
                check_segment(&cell.segment, usize::from(funnel.breakdown.is_some()))
            }
            (ReportCell::Retention(cell), Question::Retention(retention)) => {
                cell.check(retention)?;
                check_segment(&cell.segment, usize::from(retention.breakdown.is_some()))
            }
            (ReportCell::Frequency(cell), Question::Frequency(frequency)) => {
                check_parts("/cell/at_least", cell.at_least, frequency.parts_max())?;
                check_segment(&cell.segment, usize::from(frequency.breakdown.is_some()))
            }
            (ReportCell::Stickiness(cell), Question::Stickiness(stickiness)) => {
                check_parts("/cell/days", cell.days, stickiness.days_max())?;
                check_segment(&cell.segment, usize::from(stickiness.breakdown.is_some()))
            }
            (ReportCell::Lifecycle(cell), Question::Lifecycle(lifecycle)) => {
                check_segment(&cell.segment, usize::from(lifecycle.breakdown.is_some()))
            }
            (_, _) => refuse("/cell/kind", "the report is of another kind".into()),
        }
    }
}

fn check_parts(at: &'static str, parts: usize, max: usize) -> Result<(), InvalidReport> {
    if (1..=max).contains(&parts) {
        return Ok(());
    }
    refuse(at, format!("give 1 to {max}"))
}

pub(super) fn check_segment(segment: &Segment, breakdowns: usize) -> Result<(), InvalidReport> {
    if segment.is_empty() || segment.len() == breakdowns {
        return Ok(());
    }
    refuse(
        "/cell/segment",
        format!("give {breakdowns} values, one per breakdown, or none for everybody"),
    )
}
