//! Paths counted: nodes, links, whole paths.

use super::{Counted, End, Path};
use crate::segment::compare;
use model::report::{
    Flow, FlowLink, FlowNode, FlowPath, FlowSegment, FlowStep, FlowTotal, NodeKind, NodeName, NodePlace, PathStep,
    Segment,
};
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// What is counted, with its path.
type WithPath<'a> = (&'a Counted, &'a Path);

pub(super) fn segment(flow: &Flow, segment: Segment, counted: &[&Counted]) -> FlowSegment {
    let mut with_paths: Vec<WithPath<'_>> = Vec::new();
    for one in counted {
        if let Some(path) = &one.path {
            with_paths.push((one, path));
        }
    }
    let steps: Vec<FlowStep> = (0..flow.columns().len())
        .map(|column| step(flow, column, &with_paths))
        .collect();
    let links = links(&steps, &with_paths);
    let (paths, paths_total) = paths(flow, &with_paths);
    FlowSegment {
        segment,
        complete: total(counted.iter().filter(|one| one.path.is_some()).copied()),
        incomplete: total(counted.iter().filter(|one| one.path.is_none()).copied()),
        steps,
        links,
        paths,
        paths_total,
    }
}

fn total<'a>(counted: impl Iterator<Item = &'a Counted>) -> FlowTotal {
    let persons: Vec<u64> = counted.map(|one| one.person.0).collect();
    FlowTotal {
        count: persons.len() as u64,
        persons: persons.iter().collect::<BTreeSet<_>>().len() as u64,
    }
}

/// What a path has in a column.
fn name_in(path: &Path, column: usize) -> Option<&NodeName> {
    path.steps
        .iter()
        .find(|step| step.column == column)
        .map(|step| &step.name)
}

fn step(flow: &Flow, column: usize, paths: &[WithPath<'_>]) -> FlowStep {
    let mut sizes: Vec<(&NodeName, u64)> = Vec::new();
    for name in paths.iter().filter_map(|(_, path)| name_in(path, column)) {
        match sizes.iter_mut().find(|(known, _)| *known == name) {
            Some((_, size)) => *size += 1,
            None => sizes.push((name, 1)),
        }
    }
    sizes.sort_by(|(left, left_size), (right, right_size)| {
        right_size.cmp(left_size).then_with(|| compare_names(left, right))
    });
    let large: Vec<&NodeName> = sizes.iter().map(|(name, _)| *name).take(flow.nodes).collect();
    let rare = sizes.len() - large.len();

    let mut nodes: Vec<FlowNode> = large
        .iter()
        .map(|name| {
            let more = match name.kind {
                NodeKind::More => {
                    let gap = flow.columns()[column].anchor as usize;
                    paths.iter().map(|(_, path)| path.more[gap]).sum()
                }
                _ => 0,
            };
            node(flow, column, paths, (*name).clone(), more, |found| found == *name)
        })
        .collect();
    if rare > 0 {
        let name = NodeName::of_kind(NodeKind::Other);
        nodes.push(node(flow, column, paths, name, rare as u64, |found| {
            !large.contains(&found)
        }));
    }
    let reached = paths.iter().filter(|(_, path)| name_in(path, column).is_some());
    FlowStep {
        reached: total(reached.map(|(one, _)| *one)),
        nodes,
    }
}

fn node(
    flow: &Flow,
    column: usize,
    paths: &[WithPath<'_>],
    name: NodeName,
    stands_for: u64,
    is_it: impl Fn(&NodeName) -> bool,
) -> FlowNode {
    let through: Vec<WithPath<'_>> = paths
        .iter()
        .filter(|(_, path)| name_in(path, column).is_some_and(&is_it))
        .copied()
        .collect();
    let ending = |end: End| {
        let here = |path: &Path| path.end == end && path.steps.last().is_some_and(|step| step.column == column);
        total(through.iter().filter(|(_, path)| here(path)).map(|(one, _)| *one))
    };
    let begins = |path: &Path| column > 0 && path.steps[0].column == column && column <= flow.before as usize;
    let FlowTotal { count, persons } = total(through.iter().map(|(one, _)| *one));
    FlowNode {
        name,
        stands_for,
        count,
        persons,
        began: total(through.iter().filter(|(_, path)| begins(path)).map(|(one, _)| *one)),
        dropped_off: ending(End::DroppedOff),
        window_ended: ending(End::WindowEnded),
    }
}

/// The node of a step's column that stands for a path's step.
pub(super) fn place(steps: &[FlowStep], step: &PathStep) -> NodePlace {
    let nodes = &steps[step.column].nodes;
    let itself = nodes.iter().position(|node| node.name == step.name);
    NodePlace {
        column: step.column,
        // `other` is the last.
        node: itself.unwrap_or(nodes.len() - 1),
    }
}

fn links(steps: &[FlowStep], paths: &[WithPath<'_>]) -> Vec<FlowLink> {
    let mut links: Vec<(NodePlace, NodePlace, Vec<&Counted>)> = Vec::new();
    for (one, path) in paths {
        for pair in path.steps.windows(2) {
            let (from, to) = (place(steps, &pair[0]), place(steps, &pair[1]));
            match links.iter_mut().find(|link| link.0 == from && link.1 == to) {
                Some((_, _, through)) => through.push(*one),
                None => links.push((from, to, vec![*one])),
            }
        }
    }
    links.sort_by_key(|(from, to, _)| (*from, *to));
    links
        .into_iter()
        .map(|(from, to, through)| {
            let FlowTotal { count, persons } = total(through.into_iter());
            FlowLink {
                from,
                to,
                count,
                persons,
            }
        })
        .collect()
}

fn paths(flow: &Flow, paths: &[WithPath<'_>]) -> (Vec<FlowPath>, usize) {
    let mut distinct: Vec<(&Vec<PathStep>, Vec<WithPath<'_>>)> = Vec::new();
    for (one, path) in paths {
        match distinct.iter_mut().find(|(steps, _)| **steps == path.steps) {
            Some((_, through)) => through.push((*one, *path)),
            None => distinct.push((&path.steps, vec![(*one, *path)])),
        }
    }
    distinct.sort_by(|(left, left_through), (right, right_through)| {
        right_through
            .len()
            .cmp(&left_through.len())
            .then_with(|| compare_paths(left, right))
    });
    let shown = distinct.iter().take(flow.paths).map(|(steps, through)| {
        let ending = |end: End| total(through.iter().filter(|(_, path)| path.end == end).map(|(one, _)| *one));
        let FlowTotal { count, persons } = total(through.iter().map(|(one, _)| *one));
        FlowPath {
            steps: (*steps).clone(),
            count,
            persons,
            dropped_off: ending(End::DroppedOff),
            window_ended: ending(End::WindowEnded),
        }
    });
    (shown.collect(), distinct.len())
}

/// Paths that are equally frequent: by the column and name of the first step that is another, the shorter first.
fn compare_paths(left: &[PathStep], right: &[PathStep]) -> Ordering {
    for (left, right) in left.iter().zip(right) {
        let order = left
            .column
            .cmp(&right.column)
            .then_with(|| compare_names(&left.name, &right.name));
        if order != Ordering::Equal {
            return order;
        }
    }
    left.len().cmp(&right.len())
}

/// By event, then value; what is not expanded first.
fn compare_names(left: &NodeName, right: &NodeName) -> Ordering {
    left.event
        .cmp(&right.event)
        .then_with(|| compare(&left.value, &right.value))
}
