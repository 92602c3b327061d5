//! What people do before, between and after anchors: which paths there are. [`graph`] counts them.

mod graph;
mod members;

pub(crate) use members::members;

use crate::calendar::{day_end, day_start};
use crate::expression::evaluate;
use crate::history::Row;
use crate::segment::{largest_first, values_of};
use crate::sessions::sessions;
use crate::{Asked, ReferenceError};
use model::PersonNumber;
use model::report::{Flow, FlowAnswer, FlowColumn, FlowCount, FlowPart, NodeKind, NodeName, PathStep, Segment};

/// An event of a person.
struct Looked {
    time_ms: i64,
    seq: u64,
    /// The report's filter and `hide` leave it.
    counts: bool,
    is_step: bool,
    /// Per anchor of the definition.
    is_anchor: Vec<bool>,
    node: NodeName,
    /// Segments that an occurrence starting here belongs to.
    segments: Vec<Segment>,
    /// Of the person's sessions, the one it belongs to; absent outside the range.
    session: Option<usize>,
}

/// What became of one person, session or start.
struct Counted {
    person: PersonNumber,
    segments: Vec<Segment>,
    /// Absent where no occurrence was found.
    path: Option<Path>,
}

struct Path {
    steps: Vec<PathStep>,
    /// Steps that the `more` of each gap stands for.
    more: Vec<u64>,
    end: End,
}

#[derive(Clone, Copy, PartialEq)]
enum End {
    AllShown,
    WindowEnded,
    DroppedOff,
}

pub(crate) fn answer(asked: &Asked<'_>, flow: &Flow) -> Result<FlowAnswer, ReferenceError> {
    let counted = counted(asked, flow)?;
    let mut sizes: Vec<(Segment, f64)> = Vec::new();
    for segment in counted
        .iter()
        .filter(|one| one.path.is_some())
        .flat_map(|one| &one.segments)
    {
        match sizes.iter_mut().find(|(known, _)| known == segment) {
            Some((_, size)) => *size += 1.0,
            None => sizes.push((segment.clone(), 1.0)),
        }
    }
    let segments_total = sizes.len();
    let mut shown = largest_first(sizes);
    shown.truncate(flow.limit);

    let everybody: Vec<&Counted> = counted.iter().collect();
    let mut segments = vec![graph::segment(flow, Vec::new(), &everybody)];
    for segment in shown {
        let inside: Vec<&Counted> = counted.iter().filter(|one| one.segments.contains(&segment)).collect();
        segments.push(graph::segment(flow, segment, &inside));
    }
    Ok(FlowAnswer {
        columns: flow.columns(),
        segments,
        segments_total,
    })
}

fn counted(asked: &Asked<'_>, flow: &Flow) -> Result<Vec<Counted>, ReferenceError> {
    let range = asked.report.range;
    let from_ms = day_start(range.from, asked.zone)?;
    let to_ms = day_end(range.to, asked.zone)?;
    let mut counted = Vec::new();
    for (person, mut events) in persons(asked, flow, from_ms, to_ms)? {
        events.sort_by_key(|event| (event.time_ms, event.seq));
        events.retain(|event| event.counts);
        let starts: Vec<usize> = (0..events.len())
            .filter(|index| events[*index].is_anchor[0])
            .filter(|index| from_ms <= events[*index].time_ms && events[*index].time_ms < to_ms)
            .collect();
        for (start, anchors) in choose(flow, &events, &starts) {
            counted.push(Counted {
                person,
                segments: events[start].segments.clone(),
                path: anchors.map(|anchors| path(flow, &events, &anchors)),
            });
        }
    }
    Ok(counted)
}

/// The events that are looked at, by person.
fn persons(
    asked: &Asked<'_>,
    flow: &Flow,
    from_ms: i64,
    to_ms: i64,
) -> Result<Vec<(PersonNumber, Vec<Looked>)>, ReferenceError> {
    let earliest_ms = match flow.window_ms {
        Some(window_ms) if flow.before > 0 => from_ms - window_ms,
        _ => from_ms,
    };
    let needed = flow.events_needed();
    let is_needed = |row: &&Row<'_>| needed.as_ref().is_none_or(|names| names.contains(&row.event.name));
    let read: Vec<&Row<'_>> = asked.rows.iter().filter(is_needed).collect();
    let in_range = |row: &&Row<'_>| from_ms <= row.event.time.0 && row.event.time.0 < to_ms;
    let of_range: Vec<&Row<'_>> = read.iter().copied().filter(in_range).collect();
    let sessions = sessions(&of_range, flow.session_timeout_ms);

    let mut persons: Vec<(PersonNumber, Vec<Looked>)> = Vec::new();
    for row in read.iter().filter(|row| row.event.time.0 >= earliest_ms) {
        let mut event = looked(asked, flow, row)?;
        if let Some(place) = of_range.iter().position(|inside| inside.seq == row.seq) {
            event.session = sessions[place];
        }
        if row.person.is_nobody() {
            continue;
        }
        match persons.iter_mut().find(|(person, _)| *person == row.person) {
            Some((_, events)) => events.push(event),
            None => persons.push((row.person, vec![event])),
        }
    }
    Ok(persons)
}

fn looked(asked: &Asked<'_>, flow: &Flow, row: &Row<'_>) -> Result<Looked, ReferenceError> {
    let name = &row.event.name;
    let counts = asked.passes(&asked.report.filter, row)? && !flow.is_hidden(name);
    let is_step = counts && flow.is_step(name);
    let mut is_anchor = Vec::new();
    for anchor in &flow.anchors {
        is_anchor.push(counts && asked.selects(&anchor.event, &anchor.filter, row)?);
    }
    let mut value = Segment::new();
    if (is_step || is_anchor.contains(&true))
        && let Some(expansion) = flow.expansion(name)
    {
        let evaluated = evaluate(&flow.expand[expansion].property, row, asked.zone)?;
        let mut values = values_of(&evaluated, asked.zone);
        if values.len() > 1 {
            values = vec![Some(serde_json::to_string(&values).unwrap_or_default().into())];
        }
        value = values;
    }
    let mut segments = Vec::new();
    if is_anchor[0]
        && let Some(breakdown) = &flow.breakdown
    {
        let values = values_of(&evaluate(breakdown, row, asked.zone)?, asked.zone);
        segments = values.into_iter().map(|value| vec![value]).collect();
    }
    Ok(Looked {
        time_ms: row.event.time.0,
        seq: row.seq,
        counts,
        is_step,
        is_anchor,
        node: NodeName::event(name.clone(), value),
        segments,
        session: None,
    })
}

/// The starts that are counted, each with its anchors where it is an occurrence.
fn choose(flow: &Flow, events: &[Looked], starts: &[usize]) -> Vec<(usize, Option<Vec<usize>>)> {
    match flow.count {
        FlowCount::Person => first(flow, events, starts).into_iter().collect(),
        FlowCount::Session => {
            let mut sessions: Vec<Vec<usize>> = Vec::new();
            for start in starts {
                match sessions.last_mut() {
                    Some(session) if events[session[0]].session == events[*start].session => session.push(*start),
                    _ => sessions.push(vec![*start]),
                }
            }
            sessions
                .iter()
                .filter_map(|starts| first(flow, events, starts))
                .collect()
        }
        FlowCount::Total => {
            let mut chosen = Vec::new();
            let mut free_from = 0;
            for start in starts {
                if *start < free_from {
                    continue;
                }
                let anchors = occurrence(flow, events, *start);
                if let Some(anchors) = &anchors {
                    free_from = anchors[anchors.len() - 1] + 1;
                }
                chosen.push((*start, anchors));
            }
            chosen
        }
    }
}

/// The first of some starts that is an occurrence, else the first of them.
fn first(flow: &Flow, events: &[Looked], starts: &[usize]) -> Option<(usize, Option<Vec<usize>>)> {
    for start in starts {
        if let Some(anchors) = occurrence(flow, events, *start) {
            return Some((*start, Some(anchors)));
        }
    }
    starts.first().map(|start| (*start, None))
}

fn occurrence(flow: &Flow, events: &[Looked], start: usize) -> Option<Vec<usize>> {
    let mut anchors = vec![start];
    for anchor in 1..flow.anchors.len() {
        let before = anchors[anchor - 1];
        let next = (before + 1..events.len()).find(|index| events[*index].is_anchor[anchor])?;
        if !within_reach(flow, &events[start], &events[next]) {
            return None;
        }
        anchors.push(next);
    }
    Some(anchors)
}

fn within_reach(flow: &Flow, start: &Looked, event: &Looked) -> bool {
    match flow.window_ms {
        Some(window_ms) => (start.time_ms - event.time_ms).abs() <= window_ms,
        None => event.session == start.session,
    }
}

fn path(flow: &Flow, events: &[Looked], anchors: &[usize]) -> Path {
    let columns = flow.columns();
    let start = &events[anchors[0]];
    let steps_in = |from: usize, to: usize| -> Vec<&Looked> {
        events[from..to]
            .iter()
            .filter(|event| event.is_step && within_reach(flow, start, event))
            .collect()
    };
    let (first, last) = (anchors[0], anchors[anchors.len() - 1]);
    let mut path = Path {
        steps: Vec::new(),
        more: Vec::new(),
        end: End::AllShown,
    };

    let before = collapsed(flow, None, steps_in(0, first), Some(start));
    let shown_before = before.len().min(flow.before as usize);
    for (index, node) in before[before.len() - shown_before..].iter().enumerate() {
        path.push(&columns, FlowPart::Before, 0, shown_before - index, (*node).clone());
    }
    for (anchor, index) in anchors.iter().enumerate() {
        path.push(&columns, FlowPart::Anchor, anchor, 0, events[*index].node.clone());
        let Some(next) = anchors.get(anchor + 1) else { break };
        let between = collapsed(
            flow,
            Some(&events[*index]),
            steps_in(index + 1, *next),
            Some(&events[*next]),
        );
        let shown = between.len().min(flow.between as usize);
        for (index, node) in between[..shown].iter().enumerate() {
            path.push(&columns, FlowPart::Between, anchor, index + 1, node.clone());
        }
        let more = between.len() - shown;
        path.more.push(more as u64);
        if more > 0 {
            let distance = flow.between as usize + 1;
            path.push(
                &columns,
                FlowPart::More,
                anchor,
                distance,
                NodeName::of_kind(NodeKind::More),
            );
        }
    }
    let after = collapsed(flow, Some(&events[last]), steps_in(last + 1, events.len()), None);
    let shown_after = after.len().min(flow.after as usize);
    for (index, node) in after[..shown_after].iter().enumerate() {
        path.push(&columns, FlowPart::After, anchors.len() - 1, index + 1, node.clone());
    }
    if shown_after < flow.after as usize {
        let later = events[last + 1..]
            .iter()
            .any(|event| event.is_step && !within_reach(flow, start, event));
        path.end = if later { End::WindowEnded } else { End::DroppedOff };
    }
    path
}

impl Path {
    fn push(&mut self, columns: &[FlowColumn], part: FlowPart, anchor: usize, distance: usize, name: NodeName) {
        let column = FlowColumn {
            part,
            anchor: anchor as u32,
            distance: distance as u32,
        };
        if let Some(column) = columns.iter().position(|known| *known == column) {
            self.steps.push(PathStep { column, name });
        }
    }
}

/// The nodes of some steps between two anchors, repeats collapsed.
fn collapsed(flow: &Flow, left: Option<&Looked>, steps: Vec<&Looked>, right: Option<&Looked>) -> Vec<NodeName> {
    let repeats = |node: &NodeName, neighbour: Option<&NodeName>| {
        node.event.as_ref().is_some_and(|event| flow.collapses(event)) && neighbour == Some(node)
    };
    let mut nodes: Vec<NodeName> = Vec::new();
    for step in steps {
        let neighbour = nodes.last().or(left.map(|left| &left.node));
        if !repeats(&step.node, neighbour) {
            nodes.push(step.node.clone());
        }
    }
    // Of a run that ends at an anchor, the anchor stays. What was collapsed into one step above is one here.
    if nodes
        .last()
        .is_some_and(|node| repeats(node, right.map(|right| &right.node)))
    {
        nodes.pop();
    }
    nodes
}
