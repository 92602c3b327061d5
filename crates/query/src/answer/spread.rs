//! Percentiles and aggregates of numbers that are known with how often each is there.

use model::report::Aggregate;

/// A percentile, as [`model::report::Measure`] defines it; 0 of nothing.
pub(super) fn percentile(spread: &[(f64, u64)], percent: f64) -> f64 {
    let count: u64 = spread.iter().map(|(_, times)| times).sum();
    if count == 0 {
        return 0.0;
    }
    let mut sorted = spread.to_vec();
    sorted.sort_unstable_by(|left, right| left.0.total_cmp(&right.0));
    let place = percent / 100.0 * (count - 1) as f64;
    let lower = at(&sorted, place.floor() as u64);
    let upper = at(&sorted, place.ceil() as u64);
    lower + (upper - lower) * (place - place.floor())
}

/// The number at a place of a sorted spread, the first being at 0.
fn at(sorted: &[(f64, u64)], place: u64) -> f64 {
    let mut before = 0;
    let found = sorted.iter().find(|(_, times)| {
        before += times;
        before > place
    });
    found.or(sorted.last()).map_or(0.0, |(number, _)| *number)
}

pub(super) fn aggregate(spread: &[(f64, u64)], aggregate: Aggregate) -> f64 {
    let numbers = || spread.iter().map(|(number, _)| *number);
    match aggregate {
        _ if spread.is_empty() => 0.0,
        Aggregate::Mean => {
            let count: u64 = spread.iter().map(|(_, times)| times).sum();
            let sum: f64 = spread.iter().map(|(number, times)| number * *times as f64).sum();
            sum / count as f64
        }
        Aggregate::Median => percentile(spread, 50.0),
        Aggregate::Percentile(percent) => percentile(spread, percent),
        Aggregate::Min => numbers().fold(f64::INFINITY, f64::min),
        Aggregate::Max => numbers().fold(f64::NEG_INFINITY, f64::max),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What DuckDB's `quantile_cont` gives.
    #[test]
    fn percentiles_lie_on_the_line_between_neighbours() {
        let spread = [(4.0, 1), (1.0, 1), (2.0, 2)];
        let cases = [(0.0, 1.0), (50.0, 2.0), (90.0, 3.4), (100.0, 4.0), (25.0, 1.75)];
        for (percent, expected) in cases {
            let got = percentile(&spread, percent);
            assert!((got - expected).abs() < 1e-12, "{percent}: {got}");
        }
        assert_eq!(percentile(&[], 50.0), 0.0);
        assert_eq!(percentile(&[(7.0, 1)], 33.0), 7.0);
    }
}
