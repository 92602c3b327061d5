//! Random funnels.

use super::*;

/// A number of a funnel's answer, or one that might have been.
pub fn cell(rng: &mut Rng, funnel: &Funnel, answer: &FunnelAnswer) -> FunnelCell {
    let side = if rng.bool() {
        FunnelSide::Reached
    } else {
        FunnelSide::DroppedOff
    };
    let last = funnel.steps.len() - if side == FunnelSide::Reached { 1 } else { 2 };
    let bucket = (!answer.buckets.is_empty() && rng.bool()).then(|| rng.usize(0..=answer.buckets.len()));
    let segment = match rng.u32(0..10) {
        _ if funnel.breakdown.is_none() => Vec::new(),
        0 => vec![Some("never".into())],
        1..4 => Vec::new(),
        _ => answer.overall[rng.usize(0..answer.overall.len())].segment.clone(),
    };
    FunnelCell {
        step: rng.usize(0..=last),
        side,
        bucket,
        segment,
    }
}

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
