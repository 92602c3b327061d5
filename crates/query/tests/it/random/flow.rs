//! Random flows.

use super::*;
use model::report::{
    ANCHORS_MAX, Expansion, Flow, FlowAnswer, FlowCell, FlowCount, FlowLink, FlowNumber, FlowSegment, FlowSide,
    NodePlace, PathStep, Repeats,
};

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

/// A number of the answer, or one that might have been.
pub fn cell(rng: &mut Rng, flow: &Flow, answer: &FlowAnswer) -> FlowCell {
    let segments = answer.segments.iter().map(|segment| &segment.segment);
    let segment = asked_segment(rng, flow.breakdown.is_some(), segments);
    let of_segment = answer.segments.iter().find(|one| one.segment == segment);
    let of_segment = of_segment.unwrap_or(&answer.segments[0]);
    FlowCell {
        number: number(rng, flow, answer, of_segment),
        segment,
    }
}

fn number(rng: &mut Rng, flow: &Flow, answer: &FlowAnswer, segment: &FlowSegment) -> FlowNumber {
    let node = |place: &NodePlace| PathStep {
        column: place.column,
        name: segment.steps[place.column].nodes[place.node].name.clone(),
    };
    let column = rng.usize(0..answer.columns.len());
    match rng.u32(0..12) {
        0 => FlowNumber::Complete,
        1 => FlowNumber::Incomplete,
        2 => FlowNumber::Reached { column },
        3..6 if !segment.links.is_empty() => {
            let FlowLink { from, to, .. } = pick(rng, &segment.links);
            FlowNumber::Link {
                from: node(from),
                to: node(to),
            }
        }
        6..8 if !segment.paths.is_empty() => {
            let path = pick(rng, &segment.paths);
            let last = path.steps[path.steps.len() - 1].column;
            if rng.bool() {
                // Perhaps one that is rare.
                let at = pick(rng, &path.steps).clone();
                let side = side(rng, flow, answer, at.column, true);
                return FlowNumber::Node { at, side };
            }
            FlowNumber::Path {
                steps: path.steps.clone(),
                side: side(rng, flow, answer, last, false),
            }
        }
        _ => match segment.steps[column].nodes.len() {
            0 => FlowNumber::Reached { column },
            nodes => FlowNumber::Node {
                at: node(&NodePlace {
                    column,
                    node: rng.usize(0..nodes),
                }),
                side: side(rng, flow, answer, column, true),
            },
        },
    }
}

/// One that the column has.
fn side(rng: &mut Rng, flow: &Flow, answer: &FlowAnswer, column: usize, may_begin: bool) -> FlowSide {
    let last = answer.columns.len() - 1;
    match rng.u32(0..5) {
        0 if may_begin && (1..=flow.before as usize).contains(&column) => FlowSide::Began,
        1..3 if (last - flow.after as usize..last).contains(&column) => FlowSide::DroppedOff,
        3 if (last - flow.after as usize..last).contains(&column) => FlowSide::WindowEnded,
        _ => FlowSide::Through,
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
