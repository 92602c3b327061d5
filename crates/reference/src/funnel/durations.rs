//! How long something took.

use model::report::{DurationBin, DurationPercentile, Durations, TimesToConvert};

pub(super) fn durations(times: &TimesToConvert, mut took_ms: Vec<i64>) -> Durations {
    took_ms.sort_unstable();
    Durations {
        median_ms: percentile(&took_ms, 50),
        percentiles: times
            .percentiles
            .iter()
            .map(|percent| DurationPercentile {
                percent: *percent,
                ms: percentile(&took_ms, *percent),
            })
            .collect(),
        histogram: if times.histogram {
            histogram(times.edges_ms(), &took_ms)
        } else {
            Vec::new()
        },
    }
}

/// Of at least one duration, in order.
fn percentile(took_ms: &[i64], percent: u8) -> f64 {
    let place = f64::from(percent) / 100.0 * (took_ms.len() - 1) as f64;
    let below = took_ms[place.floor() as usize] as f64;
    let above = took_ms[place.ceil() as usize] as f64;
    below + (above - below) * (place - place.floor())
}

fn histogram(edges_ms: &[i64], took_ms: &[i64]) -> Vec<DurationBin> {
    let mut bins = Vec::new();
    for bin in 0..=edges_ms.len() {
        let from_ms = if bin == 0 { 0 } else { edges_ms[bin - 1] };
        let to_ms = edges_ms.get(bin).copied();
        let inside = |took_ms: &&i64| **took_ms >= from_ms && to_ms.is_none_or(|to_ms| **took_ms < to_ms);
        bins.push(DurationBin {
            from_ms,
            to_ms,
            count: took_ms.iter().filter(inside).count() as u64,
        });
    }
    while bins.last().is_some_and(|bin| bin.count == 0) {
        bins.pop();
    }
    while bins.first().is_some_and(|bin| bin.count == 0) {
        bins.remove(0);
    }
    bins
}
