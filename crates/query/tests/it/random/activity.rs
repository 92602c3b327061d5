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
