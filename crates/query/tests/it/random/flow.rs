//! Random flows.

use super::*;
use model::report::{ANCHORS_MAX, Expansion, Flow, FlowCount, Repeats};

pub fn flow(rng: &mut Rng) -> Flow {
    let anchors = *pick(rng, &[1, 1, 1, 2, 2, 3, ANCHORS_MAX]);
    let mut anchors: Vec<EventSelector> = (0..anchors).map(|_| selector(rng)).collect();
    let hide = names(rng, 20);
    anchors.retain(|anchor| anchor.event.as_ref().is_none_or(|event| !hide.contains(event)));
    if anchors.is_empty() {
        anchors.push(EventSelector::default());
    }
    let steps = |rng: &mut Rng| *pick(rng, &[0, 1, 2, 3, 10]);
    Flow {
        before: steps(rng),
        between: steps(rng),
        after: steps(rng).max(u32::from(anchors.len() == 1)),
        anchors,
        window_ms: chance(rng, 65).then(|| {
            *pick(
                rng,
                &[1, 1_000, 3_600_000, 86_400_000, 10 * 86_400_000, 367 * 86_400_000],
            )
        }),
        session_timeout_ms: *pick(rng, &[1_000, 1_800_000, 21_600_000, 86_400_000]),
        count: *pick(rng, &[FlowCount::Person, FlowCount::Session, FlowCount::Total]),
        expand: (0..*pick(rng, &[0, 0, 1, 2])).map(|_| expansion(rng)).collect(),
        collapse: match rng.u32(0..4) {
            0 => Repeats::None,
            1 => Repeats::Events(names(rng, 100)),
            _ => Repeats::All,
        },
        hide,
        only: names(rng, 20),
        nodes: *pick(rng, &[1, 2, 3, 100]),
        paths: *pick(rng, &[0, 1, 3, 1_000]),
        breakdown: chance(rng, 30).then(|| broken_down(rng)),
        limit: *pick(rng, &[1, 2, 50]),
    }
}

fn expansion(rng: &mut Rng) -> Expansion {
    Expansion {
        event: chance(rng, 70).then(|| (*pick(rng, &EVENTS)).to_owned()),
        property: broken_down(rng),
    }
}

/// Some events, or none.
fn names(rng: &mut Rng, percent: u32) -> Vec<String> {
    if !chance(rng, percent) {
        return Vec::new();
    }
    let count = rng.usize(1..=2);
    (0..count).map(|_| (*pick(rng, &EVENTS)).to_owned()).collect()
}
