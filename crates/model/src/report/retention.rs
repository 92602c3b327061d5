//! How many come back.

use super::{EventSelector, InvalidReport, Segment, Unit, check_limit, refuse, segments_default};
use crate::Expression;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub const INTERVALS_MAX: u32 = 90;
/// Most units that brackets may reach.
pub const BRACKETS_UNITS_MAX: u32 = 1_000;

/// How many persons come back.
///
/// [`Cohorts::Birth`]: a person is *born* at their first event of `born` in the range and belongs to that bucket's
/// cohort. [`Cohorts::FirstEver`]: at the first such event there is of them; if that lies before the range, they are in
/// no cohort. [`Cohorts::Recurring`]: in every bucket with such an event, born at the first in the bucket. The report's
/// filter and that of `born` are part of what "such" means, before the range too.
///
/// Between two births of one instant, the one received first decides the segment.
///
/// A *return* is an event of `returning` strictly later than the birth. It falls into *unit* number
/// `floor((return − birth) / unit)` after the birth with [`Intervals::Rolling`], a unit being 24 hours, 7 times or 30
/// times 24 hours; with [`Intervals::Calendar`] into the number of bucket boundaries between the two, so that a month
/// is the calendar's. Returns after `to` count.
///
/// Each unit is an *interval*, or as many in a row as `brackets` says: brackets 1, 1, 2, 4 by day are the intervals day 0,
/// day 1, days 2–3 and days 4–7. Interval 0 holds the birth. A return beyond the last interval counts in none (but see
/// `on_or_after`).
///
/// A cohort shows the intervals whose earliest possible start has come by the time of asking: the start of the cohort's
/// bucket plus the units before the interval (rolling), or the start of that bucket after it (calendar). Of these, the
/// *complete* ones are over for everybody: the end of the cohort's bucket or of the range, whichever is earlier, plus the
/// units up to the interval's end (rolling), or the end of the interval's last bucket (calendar), has come. The others
/// still fill. With `on_or_after`, a return that is yet to come counts in complete intervals too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"kind": "retention", "born": {"event": "Sign up"}, "returning": {}, "unit": "day", "intervals": 4,
    "brackets": [1, 1, 2, 4, 7], "cohorts": "first_ever", "limit": 10}))]
pub struct Retention {
    pub born: EventSelector,
    pub returning: EventSelector,
    /// Day, week or month.
    pub unit: Unit,
    /// Number of the last interval; with brackets, one less than there are.
    pub intervals: u32,
    /// Length of each interval in units; all are of one unit when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub brackets: Vec<u32>,
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
    FirstEver,
    Recurring,
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
    /// One per interval: the cohorts in which it is complete, together.
    pub curve: Vec<CurvePoint>,
}

/// The weighted mean of an interval is `returned / born`; nobody was born where no cohort is complete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CurvePoint {
    pub born: u64,
    pub returned: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Cohort {
    /// Persons born in the bucket.
    pub born: u64,
    /// Persons who returned in interval 0, 1, …; ends with the last interval that has begun.
    pub returned: Vec<u64>,
    /// How many of these intervals, from the first on, are over for everybody of the cohort.
    pub complete: u32,
}

/// Those born in a cohort, or those of them who returned in an interval, or who did not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetentionCell {
    /// Index of the cohort's bucket.
    pub bucket: usize,
    /// Number of the interval, begun or not; all who were born when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<u32>,
    #[serde(default)]
    pub side: RetentionSide,
    /// As the answer gives it; everybody when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    pub segment: Segment,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RetentionSide {
    /// The interval counts a return of theirs.
    #[default]
    Returned,
    /// It counts none: everybody else who was born in the cohort. In an interval that is not complete, not yet.
    NotReturned,
}

impl RetentionCell {
    /// Checks that the retention has such a number.
    pub(super) fn check(&self, retention: &Retention) -> Result<(), InvalidReport> {
        let last = retention.intervals;
        match (self.interval, self.side) {
            (Some(interval), _) if interval > last => {
                refuse("/cell/interval", format!("give an interval of 0 to {last}"))
            }
            (None, RetentionSide::NotReturned) => refuse(
                "/cell/interval",
                format!("say in which interval they did not return, 0 to {last}"),
            ),
            _ => Ok(()),
        }
    }
}

impl Retention {
    /// Checks the rules that the types cannot express.
    pub(super) fn check(&self) -> Result<(), InvalidReport> {
        if !matches!(self.unit, Unit::Day | Unit::Week | Unit::Month) {
            return refuse("/question/unit", "retention goes by day, week or month".into());
        }
        if self.intervals > INTERVALS_MAX {
            return refuse("/question/intervals", format!("give at most {INTERVALS_MAX} intervals"));
        }
        self.check_brackets()?;
        check_limit(self.limit)
    }

    fn check_brackets(&self) -> Result<(), InvalidReport> {
        if self.brackets.is_empty() {
            return Ok(());
        }
        let units = self
            .brackets
            .iter()
            .fold(0_u32, |sum, units| sum.saturating_add(*units));
        if self.brackets.contains(&0) || units > BRACKETS_UNITS_MAX {
            return refuse(
                "/question/brackets",
                format!("give lengths of at least one unit, {BRACKETS_UNITS_MAX} in all at most"),
            );
        }
        if self.brackets.len() != self.intervals as usize + 1 {
            return refuse(
                "/question/intervals",
                "with brackets, give their number less one: intervals count from 0".into(),
            );
        }
        Ok(())
    }
}
