//! How far the time of asking matters to an answer.
//!
//! Answers look at it in one way only: whether the start or end of a bucket or interval has come. These lie on whole
//! minutes in every zone since 1973 (and on whole seconds before), so every moment within a minute gives the same answer;
//! and long after the last of them, every moment does.

use model::EventTime;
use model::report::{Question, Report};

/// Ranges from here on have whole minutes only, also the range before them that they are compared to.
const WHOLE_MINUTES_SINCE: i16 = 1990;
/// The longest bucket is a quarter, and begins in the range; no zone is a day away from UTC.
const LAST_BUCKET_DAYS: i64 = 100;
const DAY_MS: i64 = 86_400_000;

/// The part of `now` that an answer can depend on; `None` when all of it is past.
pub(crate) fn of(report: &Report, now: EventTime) -> Option<i64> {
    let ends_days = match &report.question {
        Question::Insights(_) | Question::Funnel(_) => Some(LAST_BUCKET_DAYS),
        Question::Retention(retention) => {
            let brackets: i64 = retention.brackets.iter().copied().map(i64::from).sum();
            let units = brackets.max(i64::from(retention.intervals)) + 2;
            Some(LAST_BUCKET_DAYS + units * 31)
        }
        _ => None,
    };
    let midnight = report.range.to.to_zoned(jiff::tz::TimeZone::UTC);
    let last_ms = midnight.map(|midnight| midnight.timestamp().as_millisecond());
    if let (Some(days), Ok(last_ms)) = (ends_days, last_ms)
        && now.0 > last_ms.saturating_add(days * DAY_MS)
    {
        return None;
    }
    let step_ms = if report.range.from.year() >= WHOLE_MINUTES_SINCE {
        60_000
    } else {
        1_000
    };
    // The first and last millisecond are moments of their own: ends may be meant inclusively.
    let into_ms = now.0.rem_euclid(step_ms);
    Some(match into_ms == 0 || into_ms == step_ms - 1 {
        true => now.0,
        false => now.0 - into_ms + 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn moments_of_a_minute_are_one_and_all_later_ones_too() {
        let report = |from: &str, to: &str| -> Report {
            let question = json!({"kind": "insights", "unit": "day", "metrics": [{"measure": "total"}]});
            serde_json::from_value(json!({"range": {"from": from, "to": to}, "question": question})).unwrap()
        };
        let at = |text: &str| EventTime(text.parse::<jiff::Timestamp>().unwrap().as_millisecond());
        let march = report("2026-03-01", "2026-03-31");
        let noon = of(&march, at("2026-03-10T12:00:00.001Z"));
        assert_eq!(of(&march, at("2026-03-10T12:00:59.998Z")), noon);
        for other in ["12:00:00", "12:00:59.999", "12:01:00", "12:01:00.001"] {
            assert_ne!(of(&march, at(&format!("2026-03-10T{other}Z"))), noon);
        }
        assert_eq!(of(&march, at("2026-09-01T00:00:00Z")), None);
        let old = report("1971-03-01", "1971-03-31");
        assert_ne!(
            of(&old, at("1971-03-10T12:00:00Z")),
            of(&old, at("1971-03-10T12:00:30Z"))
        );
    }
}
