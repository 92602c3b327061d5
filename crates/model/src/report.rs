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

mod cell;
mod flow;
mod frequency;
mod funnel;
mod insights;
mod lifecycle;
mod retention;
mod session;
mod stickiness;

pub use cell::*;
pub use flow::*;
pub use frequency::*;
pub use funnel::*;
pub use insights::*;
pub use lifecycle::*;
pub use retention::*;
pub use session::*;
pub use stickiness::*;

use crate::Expression;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Version of the definition format that this build reads and writes.
pub const VERSION: u32 = 1;
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
    Frequency(Frequency),
    Stickiness(Stickiness),
    Lifecycle(Lifecycle),
    Flow(Flow),
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

/// The numbers that answer a [`Report`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Answer {
    Insights(InsightsAnswer),
    Funnel(FunnelAnswer),
    Retention(RetentionAnswer),
    Frequency(FrequencyAnswer),
    Stickiness(StickinessAnswer),
    Lifecycle(LifecycleAnswer),
    Flow(FlowAnswer),
}

/// One value per breakdown; `None` (JSON null) where it is not set. Strings, numbers and booleans as JSON.
pub type Segment = Vec<Option<serde_json::Value>>;

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
        match &self.question {
            Question::Insights(insights) => insights.check(days),
            Question::Funnel(funnel) => funnel.check(days),
            Question::Retention(retention) => retention.check(),
            Question::Frequency(frequency) => frequency.check(days),
            Question::Stickiness(stickiness) => stickiness.check(),
            Question::Lifecycle(lifecycle) => lifecycle.check(),
            Question::Flow(flow) => flow.check(),
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

fn refuse(at: &'static str, message: String) -> Result<(), InvalidReport> {
    Err(InvalidReport { at, message })
}

/// Whether a range of `days` has few enough buckets.
fn unit_fits(unit: Unit, days: usize) -> bool {
    match unit {
        Unit::Minute => days * 1440 <= BUCKETS_MAX,
        Unit::Hour => days * 24 <= BUCKETS_MAX,
        _ => true,
    }
}

fn segments_default() -> usize {
    50
}
