//! Random funnels.

use super::*;

pub fn funnel(rng: &mut Rng, unit: Unit) -> Funnel {
    let steps = rng.usize(2..=4);
    Funnel {
        steps: (0..steps).map(|_| selector(rng)).collect(),
        window_ms: *pick(
            rng,
            &[1, 1_000, 3_600_000, 86_400_000, 10 * 86_400_000, 367 * 86_400_000],
        ),
        tie_ms: *pick(rng, &[0, 2_000, 2_000, 60_000]),
        attempt: if rng.bool() { Attempt::First } else { Attempt::Furthest },
        unit: rng.bool().then_some(unit),
        breakdown: rng.bool().then(|| broken_down(rng)),
        limit: *pick(rng, &[1, 2, 50]),
    }
}
