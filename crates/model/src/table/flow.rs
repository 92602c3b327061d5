//! A flow's nodes, links and paths as rows of text.

use super::{Rows, segment_text};
use crate::report::{FlowAnswer, FlowColumn, FlowPart, FlowSegment, NodeKind, NodeName, NodePlace};

/// One table: a row per node, then per link, then per path.
pub fn rows(answer: &FlowAnswer) -> Rows {
    let mut rows = vec![
        [
            "segment",
            "kind",
            "step",
            "what",
            "count",
            "persons",
            "dropped off",
            "window ended",
        ]
        .map(str::to_owned)
        .to_vec(),
    ];
    for segment in &answer.segments {
        let shown = segment_text(&segment.segment);
        let of_segment = nodes(answer, segment)
            .into_iter()
            .chain(links(answer, segment))
            .chain(paths(segment));
        rows.extend(of_segment.map(|mut row| {
            row.insert(0, shown.clone());
            row
        }));
    }
    rows
}

fn nodes(answer: &FlowAnswer, segment: &FlowSegment) -> Rows {
    let mut rows = Rows::new();
    for (column, step) in answer.columns.iter().zip(&segment.steps) {
        for node in &step.nodes {
            rows.push(vec![
                "node".into(),
                column_text(column),
                name_text(&node.name),
                node.count.to_string(),
                node.persons.to_string(),
                node.dropped_off.count.to_string(),
                node.window_ended.count.to_string(),
            ]);
        }
    }
    rows
}

fn links(answer: &FlowAnswer, segment: &FlowSegment) -> Rows {
    let name = |place: &NodePlace| name_text(&segment.steps[place.column].nodes[place.node].name);
    let rows = segment.links.iter().map(|link| {
        vec![
            "link".into(),
            format!(
                "{} to {}",
                column_text(&answer.columns[link.from.column]),
                column_text(&answer.columns[link.to.column])
            ),
            format!("{} > {}", name(&link.from), name(&link.to)),
            link.count.to_string(),
            link.persons.to_string(),
            String::new(),
            String::new(),
        ]
    });
    rows.collect()
}

fn paths(segment: &FlowSegment) -> Rows {
    let rows = segment.paths.iter().map(|path| {
        let names: Vec<String> = path.steps.iter().map(|step| name_text(&step.name)).collect();
        vec![
            "path".into(),
            String::new(),
            names.join(" > "),
            path.count.to_string(),
            path.persons.to_string(),
            path.dropped_off.count.to_string(),
            path.window_ended.count.to_string(),
        ]
    });
    rows.collect()
}

fn column_text(column: &FlowColumn) -> String {
    let anchor = column.anchor + 1;
    match column.part {
        FlowPart::Before => format!("{} before", column.distance),
        FlowPart::Anchor => format!("anchor {anchor}"),
        FlowPart::Between => format!("{} after anchor {anchor}", column.distance),
        FlowPart::More => format!("more after anchor {anchor}"),
        FlowPart::After => format!("{} after", column.distance),
    }
}

fn name_text(name: &NodeName) -> String {
    let event = match name.kind {
        NodeKind::Event => name.event.clone().unwrap_or_default(),
        NodeKind::Other => "(other)".into(),
        NodeKind::More => "(more)".into(),
    };
    if name.value.is_empty() {
        return event;
    }
    format!("{event} [{}]", segment_text(&name.value))
}
