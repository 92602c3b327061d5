//! A report that somebody gave a name.

use super::{DESCRIPTION_CHARS_MAX, InvalidSaved, check_text, refuse};
use crate::report::{DateRange, Report};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Longest moving range: ten years, as for reports.
pub const LAST_DAYS_MAX: u32 = 3_660;
const CHART_CHARS_MAX: usize = 20;

/// A saved report. Its name, number and version stand beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SavedReportBody {
    /// What it is for, as plain text.
    #[serde(default)]
    pub description: String,
    /// The question. Its range is the one that it was last saved with.
    pub report: Report,
    /// Asks for the last so many days, today included, instead of the range in `report`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_days: Option<u32>,
    /// How the app shows the answer, in the app's words (`line`, `columns`, …); it changes no number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chart: Option<String>,
}

impl SavedReportBody {
    /// Checks what the types cannot express, but for the question itself ([`Report::check`]).
    pub fn check(&self) -> Result<(), InvalidSaved> {
        check_text("/description", &self.description, DESCRIPTION_CHARS_MAX)?;
        check_last_days("/last_days", self.last_days)?;
        check_chart("/chart", self.chart.as_deref())
    }

    /// The question as it is asked on a day.
    pub fn asked_on(&self, today: Date) -> Report {
        let mut report = self.report.clone();
        if let Some(days) = self.last_days {
            report.range = last_days(days, today);
        }
        report
    }
}

/// `days` days that end with `today`.
pub(super) fn last_days(days: u32, today: Date) -> DateRange {
    let before = jiff::Span::new().days(i64::from(days.clamp(1, LAST_DAYS_MAX)) - 1);
    DateRange {
        from: today.saturating_sub(before),
        to: today,
    }
}

pub(super) fn check_last_days(at: &str, days: Option<u32>) -> Result<(), InvalidSaved> {
    match days {
        Some(days) if !(1..=LAST_DAYS_MAX).contains(&days) => refuse(at, format!("give 1 to {LAST_DAYS_MAX} days")),
        _ => Ok(()),
    }
}

pub(super) fn check_chart(at: &str, chart: Option<&str>) -> Result<(), InvalidSaved> {
    let is_word = |word: &str| {
        (1..=CHART_CHARS_MAX).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
    };
    match chart {
        Some(chart) if !is_word(chart) => refuse(at, "give a word of lower-case letters, like 'line'"),
        _ => Ok(()),
    }
}
