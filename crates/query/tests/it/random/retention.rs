//! Random retention.

use super::*;
use model::report::RetentionSide;

pub fn retention(rng: &mut Rng) -> Retention {
    let brackets: Vec<u32> = match rng.u32(0..5) {
        0..2 => (0..rng.usize(1..7)).map(|_| rng.u32(1..5)).collect(),
        _ => Vec::new(),
    };
    Retention {
        born: selector(rng),
        returning: selector(rng),
        unit: *pick(rng, &[Unit::Day, Unit::Week, Unit::Month]),
        intervals: match brackets.len() as u32 {
            0 => rng.u32(0..12),
            brackets => brackets - 1,
        },
        brackets,
        rule: if rng.bool() {
            Intervals::Rolling
        } else {
            Intervals::Calendar
        },
        cohorts: *pick(rng, &[Cohorts::Birth, Cohorts::FirstEver, Cohorts::Recurring]),
        on_or_after: rng.bool(),
        breakdown: rng.bool().then(|| broken_down(rng)),
        limit: *pick(rng, &[1, 2, 50]),
    }
}

/// A number of the answer, or one that might have been.
pub fn cell(rng: &mut Rng, retention: &Retention, answer: &RetentionAnswer) -> RetentionCell {
    let segments = answer.segments.iter().map(|segment| &segment.segment);
    let interval = chance(rng, 70).then(|| rng.u32(0..=retention.intervals));
    let cohorts = &answer.segments[0].cohorts;
    let with_births: Vec<usize> = (0..cohorts.len()).filter(|bucket| cohorts[*bucket].born > 0).collect();
    RetentionCell {
        bucket: match with_births.as_slice() {
            buckets if !buckets.is_empty() && chance(rng, 70) => *pick(rng, buckets),
            _ => rng.usize(0..=answer.buckets.len()),
        },
        interval,
        side: match interval {
            Some(_) if chance(rng, 40) => RetentionSide::NotReturned,
            _ => RetentionSide::Returned,
        },
        segment: asked_segment(rng, retention.breakdown.is_some(), segments),
    }
}
