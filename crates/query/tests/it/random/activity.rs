//! Random frequency, stickiness and lifecycle.

use super::*;

pub fn frequency(rng: &mut Rng) -> Frequency {
    let (unit, part) = *pick(
        rng,
        &[
            (Unit::Day, Unit::Hour),
            (Unit::Week, Unit::Hour),
            (Unit::Week, Unit::Day),
            (Unit::Month, Unit::Day),
            (Unit::Month, Unit::Hour),
        ],
    );
    Frequency {
        active: selector(rng),
        unit,
        part,
        breakdown: rng.bool().then(|| broken_down(rng)),
        limit: *pick(rng, &[1, 2, 50]),
    }
}

pub fn stickiness(rng: &mut Rng) -> Stickiness {
    Stickiness {
        active: selector(rng),
        unit: *pick(rng, &[Unit::Week, Unit::Month]),
        breakdown: rng.bool().then(|| broken_down(rng)),
        limit: *pick(rng, &[1, 2, 50]),
    }
}

pub fn lifecycle(rng: &mut Rng) -> Lifecycle {
    Lifecycle {
        active: selector(rng),
        unit: *pick(rng, &[Unit::Day, Unit::Week, Unit::Month]),
        look_back_days: chance(rng, 30).then(|| rng.u32(31..70)),
        breakdown: rng.bool().then(|| broken_down(rng)),
        limit: *pick(rng, &[1, 2, 50]),
    }
}

pub fn frequency_cell(rng: &mut Rng, frequency: &Frequency, answer: &FrequencyAnswer) -> FrequencyCell {
    let segments = answer.segments.iter().map(|segment| &segment.segment);
    FrequencyCell {
        bucket: rng.usize(0..=answer.buckets.len()),
        at_least: rng.usize(1..=3),
        segment: asked_segment(rng, frequency.breakdown.is_some(), segments),
    }
}

pub fn stickiness_cell(rng: &mut Rng, stickiness: &Stickiness, answer: &StickinessAnswer) -> StickinessCell {
    let segments = answer.segments.iter().map(|segment| &segment.segment);
    StickinessCell {
        bucket: rng.usize(0..=answer.buckets.len()),
        days: rng.usize(1..=3),
        count: *pick(rng, &[DayCount::Exactly, DayCount::AtLeast]),
        segment: asked_segment(rng, stickiness.breakdown.is_some(), segments),
    }
}

pub fn lifecycle_cell(rng: &mut Rng, lifecycle: &Lifecycle, answer: &LifecycleAnswer) -> LifecycleCell {
    use LifecycleStage::*;
    let segments = answer.segments.iter().map(|segment| &segment.segment);
    LifecycleCell {
        bucket: rng.usize(0..=answer.buckets.len()),
        stage: *pick(rng, &[New, Returning, Resurrected, Dormant]),
        segment: asked_segment(rng, lifecycle.breakdown.is_some(), segments),
    }
}
