//! Sessions of one person, as [`model::report::SESSION_TIMEOUT_MS`] defines them.

use super::group::OfPerson;
use std::ops::Range;

/// The sessions of one person's rows, which are all their events in the interval of the question, in order.
pub(crate) fn sessions<R: OfPerson>(rows: &[R], timeout_ms: i64) -> impl Iterator<Item = Range<usize>> {
    let mut next = 0;
    std::iter::from_fn(move || {
        let begin = next;
        let mut last_ms = rows.get(begin)?.order().0;
        next += 1;
        while let Some(row) = rows.get(next)
            && row.order().0 - last_ms <= timeout_ms
        {
            last_ms = row.order().0;
            next += 1;
        }
        Some(begin..next)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_times(times_ms: &[i64], timeout_ms: i64) -> Vec<(usize, usize)> {
        let rows: Vec<(u32, i64, u64)> = times_ms.iter().map(|time_ms| (1, *time_ms, 0)).collect();
        let found = sessions(&rows, timeout_ms);
        found.map(|session| (session.start, session.end)).collect()
    }

    #[test]
    fn a_gap_longer_than_the_timeout_begins_a_session() {
        assert!(of_times(&[], 10).is_empty());
        assert_eq!(of_times(&[5], 10), [(0, 1)]);
        // Exactly the timeout still belongs together; the whole may last longer than it.
        assert_eq!(of_times(&[0, 10, 20, 31, 31, 60], 10), [(0, 3), (3, 5), (5, 6)]);
    }
}
