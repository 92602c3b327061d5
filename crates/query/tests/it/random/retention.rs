//! Random retention.

use super::*;

pub fn retention(rng: &mut Rng) -> Retention {
    Retention {
        born: selector(rng),
        returning: selector(rng),
        unit: *pick(rng, &[Unit::Day, Unit::Week, Unit::Month]),
        intervals: rng.u32(0..12),
        rule: if rng.bool() {
            Intervals::Rolling
        } else {
            Intervals::Calendar
        },
        cohorts: if rng.bool() { Cohorts::Birth } else { Cohorts::Recurring },
        on_or_after: rng.bool(),
        breakdown: rng.bool().then(|| broken_down(rng)),
        limit: *pick(rng, &[1, 2, 50]),
    }
}
