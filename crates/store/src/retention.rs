//! How long events are kept, and from which instant on they still are.
//!
//! A row is past retention when its time lies before the cutoff of its event: the beginning of the UTC day that many days ago.
//! Whole days, so that an answer changes at midnight and not while one looks at it. Answers leave such rows out from that
//! moment; compaction removes them from the disk ([`crate::maintain`]).

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// The longest and the shortest that can be asked for.
pub const RETENTION_DAYS_MAX: u32 = 36_500;
pub const RETENTION_DAYS_MIN: u32 = 1;

/// How long a project's events are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Retention {
    /// Days that events are kept; `None` for ever.
    pub days: Option<u32>,
    /// Events that are kept for another number of days, by name.
    pub events: BTreeMap<String, u32>,
}

impl Retention {
    /// What is wrong with it, in words for whoever set it.
    pub fn fault(&self) -> Option<String> {
        let range = RETENTION_DAYS_MIN..=RETENTION_DAYS_MAX;
        let all = self.days.iter().chain(self.events.values());
        let wrong = all.copied().find(|days| !range.contains(days))?;
        Some(format!(
            "{wrong} days are not between {RETENTION_DAYS_MIN} and {RETENTION_DAYS_MAX}"
        ))
    }
}

/// A [`Retention`] at one moment: the first instant that is kept, by event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cutoffs {
    /// Of events without one of their own.
    usual_ms: i64,
    events: BTreeMap<String, i64>,
}

impl Default for Cutoffs {
    fn default() -> Cutoffs {
        Cutoffs {
            usual_ms: i64::MIN,
            events: BTreeMap::new(),
        }
    }
}

impl Cutoffs {
    pub fn new(retention: &Retention, now_ms: i64) -> Cutoffs {
        let cutoff = |days: u32| (now_ms.div_euclid(DAY_MS) - i64::from(days)) * DAY_MS;
        Cutoffs {
            usual_ms: retention.days.map_or(i64::MIN, cutoff),
            events: retention
                .events
                .iter()
                .map(|(name, days)| (name.clone(), cutoff(*days)))
                .collect(),
        }
    }

    /// Whether every row is kept, whatever its time.
    pub fn keep_all(&self) -> bool {
        self.latest_ms() == i64::MIN
    }

    /// The first instant of which rows of the event are kept.
    pub fn of(&self, event: &str) -> i64 {
        self.events.get(event).copied().unwrap_or(self.usual_ms)
    }

    /// Rows before here are not kept, whatever their event.
    pub fn earliest_ms(&self) -> i64 {
        self.events.values().copied().fold(self.usual_ms, i64::min)
    }

    /// Rows from here on are kept, whatever their event.
    pub fn latest_ms(&self) -> i64 {
        self.events.values().copied().fold(self.usual_ms, i64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retention(days: Option<u32>, events: &[(&str, u32)]) -> Retention {
        Retention {
            days,
            events: events.iter().map(|(name, days)| ((*name).to_owned(), *days)).collect(),
        }
    }

    #[test]
    fn an_event_may_be_kept_longer_or_shorter_than_the_others() {
        let noon = 20_000 * DAY_MS + DAY_MS / 2;
        let cutoffs = Cutoffs::new(&retention(Some(30), &[("heartbeat", 1), ("order", 365)]), noon);
        assert_eq!(cutoffs.of("visit"), 19_970 * DAY_MS);
        assert_eq!(cutoffs.of("heartbeat"), 19_999 * DAY_MS);
        assert_eq!(cutoffs.of("order"), 19_635 * DAY_MS);
        assert_eq!(cutoffs.latest_ms(), 19_999 * DAY_MS);
        assert_eq!(cutoffs.earliest_ms(), 19_635 * DAY_MS);
        assert!(!cutoffs.keep_all());
        let cutoffs = Cutoffs::new(&retention(None, &[]), noon);
        assert!(cutoffs.keep_all() && cutoffs == Cutoffs::default());
        assert_eq!(Cutoffs::new(&retention(None, &[("a", 2)]), -1).of("a"), -3 * DAY_MS);
    }

    #[test]
    fn impossible_numbers_of_days_are_refused() {
        assert_eq!(retention(Some(1), &[("a", RETENTION_DAYS_MAX)]).fault(), None);
        for wrong in [
            retention(Some(0), &[]),
            retention(None, &[("a", 0)]),
            retention(Some(RETENTION_DAYS_MAX + 1), &[]),
        ] {
            assert!(wrong.fault().is_some(), "{wrong:?}");
        }
    }
}
