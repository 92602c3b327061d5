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
    let plain = Funnel {
        tie_ms: *pick(rng, &[0, 2_000, 2_000, 60_000]),
        attempt: if rng.bool() { Attempt::First } else { Attempt::Furthest },
        unit: rng.bool().then_some(unit),
        breakdown: rng.bool().then(|| broken_down(rng)),
        limit: *pick(rng, &[1, 2, 50]),
        ..Funnel::of(
            (0..steps).map(|_| selector(rng).into()).collect(),
            *pick(
                rng,
                &[1, 1_000, 3_600_000, 86_400_000, 10 * 86_400_000, 367 * 86_400_000],
            ),
        )
    };
    if chance(rng, 30) { plain } else { general(rng, plain) }
}

/// Each option alone often enough, and all of them together.
fn general(rng: &mut Rng, plain: Funnel) -> Funnel {
    let order = *pick(
        rng,
        &[Order::Ordered, Order::Ordered, Order::Any, Order::Any, Order::Strict],
    );
    let count = *pick(rng, &[FunnelCount::Uniques, FunnelCount::Totals, FunnelCount::Sessions]);
    let steps = plain.steps.len();
    let exclusions = if chance(rng, 40) { rng.usize(1..=2) } else { 0 };
    let hold = if chance(rng, 35) { rng.usize(1..=2) } else { 0 };
    Funnel {
        steps: plain.steps.iter().map(|step| several(rng, step, order)).collect(),
        order,
        count,
        window_sessions: chance(rng, 25).then(|| rng.u32(1..=3)),
        session_timeout_ms: *pick(rng, &[1_000, 1_800_000, 21_600_000, 86_400_000]),
        exclusions: (0..exclusions).map(|_| exclusion(rng, steps)).collect(),
        hold: (0..hold).map(|_| broken_down(rng)).collect(),
        attribution: match rng.u32(0..5) {
            0 => Attribution::First,
            1 => Attribution::Last,
            2 => Attribution::Any,
            _ => Attribution::Step(rng.usize(0..steps)),
        },
        times: chance(rng, 40).then(|| times(rng)),
        ..plain
    }
}

fn several(rng: &mut Rng, step: &StepSelector, order: Order) -> StepSelector {
    let mut step = step.clone();
    if chance(rng, 30) {
        let count = rng.usize(1..=3);
        step = StepSelector {
            any_of: (0..count).map(|_| selector(rng)).collect(),
            ..StepSelector::default()
        };
    }
    step.first_time = chance(rng, 15);
    step.anchored = order == Order::Any && chance(rng, 30);
    step
}

fn exclusion(rng: &mut Rng, steps: usize) -> Exclusion {
    let EventSelector { event, filter } = selector(rng);
    let from = rng.usize(0..steps - 1);
    Exclusion {
        event,
        filter,
        from,
        to: rng.bool().then(|| rng.usize(from + 1..steps)),
    }
}

fn times(rng: &mut Rng) -> TimesToConvert {
    TimesToConvert {
        percentiles: vec![rng.u8(1..100), 10, 90],
        histogram: rng.bool(),
        edges_ms: if rng.bool() {
            vec![1, 500, 86_400_000]
        } else {
            Vec::new()
        },
    }
}
