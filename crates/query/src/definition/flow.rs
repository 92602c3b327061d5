//! Flow in words.

use super::*;
use model::report::{Flow, FlowCount, Repeats};

pub(super) fn words(flow: &Flow) -> String {
    let anchors: Vec<String> = flow.anchors.iter().map(selector).collect();
    let (who, once) = match flow.count {
        FlowCount::Person => ("persons", ", each by their first occurrence"),
        FlowCount::Session => ("sessions", ", each by its first occurrence"),
        FlowCount::Total => ("occurrences", ", none inside another"),
    };
    let mut parts = Vec::new();
    if flow.before > 0 {
        parts.push(format!("the {} before", steps(flow.before)));
    }
    if flow.anchors.len() > 1 {
        parts.push(match flow.between {
            0 => "how many did something between".to_owned(),
            between => format!("the first {} between", steps(between)),
        });
    }
    if flow.after > 0 {
        parts.push(format!("the {} after", steps(flow.after)));
    }
    let timeout = duration(flow.session_timeout_ms);
    let reach = match flow.window_ms {
        Some(window_ms) => format!("within {} of the start", duration(window_ms)),
        None => "within one session".to_owned(),
    };
    let mut words = format!(
        "Paths around {}, {reach}: {}. Counts {who}{once}",
        anchors.join(", then "),
        parts.join(", ")
    );
    words.push_str(&split_by(flow.breakdown.as_slice(), flow.limit));
    words.push('.');
    if flow.needs_sessions() {
        words.push_str(&format!(" A session ends after {timeout} without an event."));
    }
    words.push_str(&events(flow));
    words.push_str(&format!(
        " Each step shows its {} largest nodes, and all others as one.",
        flow.nodes
    ));
    words
}

fn steps(steps: u32) -> String {
    format!("{steps} step{}", if steps == 1 { "" } else { "s" })
}

/// What happens to which events.
fn events(flow: &Flow) -> String {
    let mut words = String::new();
    if !flow.only.is_empty() {
        words.push_str(&format!(" Only {} are steps.", quoted(&flow.only)));
    }
    if !flow.hide.is_empty() {
        words.push_str(&format!(" Without {}.", quoted(&flow.hide)));
    }
    match &flow.collapse {
        Repeats::None => {}
        Repeats::All => words.push_str(" Repeats count once."),
        Repeats::Events(events) => words.push_str(&format!(" Repeats of {} count once.", quoted(events))),
    }
    for expansion in &flow.expand {
        let event = expansion
            .event
            .as_ref()
            .map_or_else(|| "every other event".to_owned(), |event| format!("\"{event}\""));
        words.push_str(&format!(" Told apart by {}: {event}.", expansion.property));
    }
    words
}

fn quoted(events: &[String]) -> String {
    let quoted: Vec<String> = events.iter().map(|event| format!("\"{event}\"")).collect();
    quoted.join(", ")
}
