//! Who is behind a number of a flow.

use super::{Counted, End, Path, counted, graph};
use crate::{Asked, ReferenceError};
use model::PersonNumber;
use model::report::{Flow, FlowCell, FlowNumber, FlowSide, FlowStep, PathStep};
use std::collections::BTreeSet;

pub(crate) fn members(
    asked: &Asked<'_>,
    flow: &Flow,
    cell: &FlowCell,
) -> Result<BTreeSet<PersonNumber>, ReferenceError> {
    let counted = counted(asked, flow)?;
    let mut inside: Vec<&Counted> = counted.iter().collect();
    if !cell.segment.is_empty() {
        inside.retain(|one| one.segments.contains(&cell.segment));
    }
    // Which nodes are `other` is told by the answer.
    let answered = graph::segment(flow, cell.segment.clone(), &inside);
    let mut members = BTreeSet::new();
    for one in inside {
        let behind = match (&cell.number, &one.path) {
            (FlowNumber::Incomplete, path) => path.is_none(),
            (_, None) => false,
            (number, Some(path)) => counts(number, path, &answered.steps),
        };
        if behind {
            members.insert(one.person);
        }
    }
    Ok(members)
}

fn counts(number: &FlowNumber, path: &Path, steps: &[FlowStep]) -> bool {
    let is = |step: &PathStep, asked: &PathStep| {
        let place = graph::place(steps, step);
        let shown_as = &steps[place.column].nodes[place.node].name;
        step.column == asked.column && (step.name == asked.name || *shown_as == asked.name)
    };
    let first = path.steps.first();
    let last = path.steps.last();
    match number {
        FlowNumber::Complete => true,
        FlowNumber::Incomplete => false,
        FlowNumber::Reached { column } => path.steps.iter().any(|step| step.column == *column),
        FlowNumber::Node { at, side } => match side {
            FlowSide::Through => path.steps.iter().any(|step| is(step, at)),
            FlowSide::Began => first.is_some_and(|step| is(step, at)),
            FlowSide::DroppedOff | FlowSide::WindowEnded => last.is_some_and(|step| is(step, at)) && ends(path, *side),
        },
        FlowNumber::Link { from, to } => path.steps.windows(2).any(|pair| is(&pair[0], from) && is(&pair[1], to)),
        FlowNumber::Path { steps, side } => path.steps == *steps && ends(path, *side),
    }
}

fn ends(path: &Path, side: FlowSide) -> bool {
    match side {
        FlowSide::DroppedOff => path.end == End::DroppedOff,
        FlowSide::WindowEnded => path.end == End::WindowEnded,
        FlowSide::Through | FlowSide::Began => true,
    }
}
