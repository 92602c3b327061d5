//! Which segments to merge. A pure function of what there is, so that the policy can be tested as data.

use super::period::{DAY_MS, RECENT_DAYS, month_of_day_partition};
use std::collections::BTreeMap;

/// Segments that make a merge worth while. With fewer, reading them separately costs less than rewriting.
const FAN_IN: usize = 4;

/// Rows of the largest segment that is still merged with others, and of the largest result.
const ROWS_MAX: u64 = 8_000_000;

/// Share of deleted rows from which a segment is rewritten for their sake.
const DELETED_SHARE: u64 = 4;

/// What the policy looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Figures {
    pub id: u64,
    pub shard: u32,
    pub period: String,
    pub rows: u64,
    pub deleted: u64,
}

impl Figures {
    fn live(&self) -> u64 {
        self.rows - self.deleted
    }
}

/// Segments to replace by one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Merge {
    pub shard: u32,
    pub period: String,
    pub inputs: Vec<u64>,
}

/// What should be merged now. Running the plan and planning again ends: every merge leaves fewer segments, or fewer
/// deleted rows.
pub(super) fn plan(segments: &[Figures], now_ms: i64) -> Vec<Merge> {
    let mut groups: BTreeMap<(u32, String), Vec<&Figures>> = BTreeMap::new();
    for segment in segments {
        let period = target_period(&segment.period, now_ms);
        groups.entry((segment.shard, period)).or_default().push(segment);
    }
    let merges = groups.into_iter();
    merges
        .filter_map(|((shard, period), group)| {
            let inputs = choose(group)?;
            Some(Merge { shard, period, inputs })
        })
        .collect()
}

/// A day that is no longer recent belongs to its month.
fn target_period(period: &str, now_ms: i64) -> String {
    match month_of_day_partition(period) {
        Some((month, day_end_ms)) if day_end_ms <= now_ms - RECENT_DAYS * DAY_MS => month,
        _ => period.to_owned(),
    }
}

/// The smallest segments of a group, as long as each is not much larger than those before it together: so a row is
/// rewritten a logarithmic number of times.
fn choose(mut group: Vec<&Figures>) -> Option<Vec<u64>> {
    group.sort_by_key(|segment| (segment.live(), segment.id));
    let mut sum = 0;
    let mut run = Vec::new();
    for segment in &group {
        let fits = sum + segment.live() <= ROWS_MAX;
        if !fits || (run.len() >= FAN_IN && segment.live() > sum) {
            break;
        }
        sum += segment.live();
        run.push(segment.id);
    }
    if run.len() >= FAN_IN {
        return Some(run);
    }
    let decayed = group
        .iter()
        .find(|segment| segment.deleted * DELETED_SHARE > segment.rows);
    decayed.map(|segment| vec![segment.id])
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: i64 = 20_000 * DAY_MS;

    fn segment(id: u64, period: &str, rows: u64, deleted: u64) -> Figures {
        Figures {
            id,
            shard: 0,
            period: period.into(),
            rows,
            deleted,
        }
    }

    fn check(segments: &[Figures], expected: &[(&str, &[u64])]) {
        let merges = plan(segments, NOW_MS);
        let found: Vec<(&str, &[u64])> = merges
            .iter()
            .map(|m| (m.period.as_str(), m.inputs.as_slice()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn few_segments_are_left_alone() {
        let few: Vec<Figures> = (1..4).map(|id| segment(id, "2024-10-04", 100, 0)).collect();
        check(&few, &[]);
    }

    #[test]
    fn small_segments_merge_without_the_large_one() {
        let mut segments: Vec<Figures> = (1..6).map(|id| segment(id, "2024-10-04", 100, 0)).collect();
        segments.push(segment(6, "2024-10-04", 10_000, 0));
        check(&segments, &[("2024-10-04", &[1, 2, 3, 4, 5])]);
    }

    #[test]
    fn old_days_go_to_their_month() {
        let days = ["2024-09-01", "2024-09-02", "2024-09-03", "2024-09"];
        let segments: Vec<Figures> = days.iter().zip(1..).map(|(day, id)| segment(id, day, 100, 0)).collect();
        check(&segments, &[("2024-09", &[1, 2, 3, 4])]);
    }

    #[test]
    fn a_segment_of_deleted_rows_is_rewritten() {
        check(&[segment(1, "2024-09", 100, 26)], &[("2024-09", &[1])]);
        check(&[segment(1, "2024-09", 100, 25)], &[]);
    }

    #[test]
    fn no_result_is_too_large() {
        let segments: Vec<Figures> = (1..9).map(|id| segment(id, "2024-09", 3_000_000, 0)).collect();
        check(&segments, &[]);
        let segments: Vec<Figures> = (1..9).map(|id| segment(id, "2024-09", 1_900_000, 0)).collect();
        check(&segments, &[("2024-09", &[1, 2, 3, 4])]);
    }
}
