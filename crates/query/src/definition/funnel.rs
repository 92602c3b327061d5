//! Funnel in words.

use super::*;
use model::report::{Attribution, Exclusion, FunnelCount, Order, StepSelector};

pub(super) fn words(funnel: &Funnel) -> String {
    let mut words = format!(
        "{} {} within {}, {}: {}",
        subject(funnel),
        went_through(funnel),
        window(funnel),
        counted(funnel),
        steps(funnel)
    );
    if let Some(trend) = funnel.unit {
        words.push_str(&format!("; also per {} of the start", unit(trend)));
    }
    words.push_str(&split_by(funnel.breakdown.as_slice(), funnel.limit));
    if funnel.breakdown.is_some() {
        words.push_str(&taken_from(funnel.attribution));
    }
    words.push('.');
    for exclusion in &funnel.exclusions {
        words.push_str(&excluded(exclusion, funnel.steps.len()));
    }
    if !funnel.hold.is_empty() {
        let held: Vec<String> = funnel.hold.iter().map(Expression::to_string).collect();
        words.push_str(&format!(
            " All steps of an attempt have the same {}; events without are no step.",
            held.join(" and the same ")
        ));
    }
    if funnel.tie_ms > 0 {
        words.push_str(&format!(
            " Events within {} of each other may come in either order.",
            duration(funnel.tie_ms)
        ));
    }
    words
}

fn subject(funnel: &Funnel) -> &'static str {
    match funnel.count {
        FunnelCount::Uniques => "Persons who",
        FunnelCount::Totals => "Times that persons",
        FunnelCount::Sessions => "Sessions in which persons",
    }
}

fn went_through(funnel: &Funnel) -> &'static str {
    match funnel.order {
        Order::Ordered => "went through these steps in order",
        Order::Any if funnel.steps.iter().any(|step| step.anchored) => {
            "went through these steps, the anchored ones in their places and the others in any order,"
        }
        Order::Any => "went through these steps in any order",
        Order::Strict => "went through these steps in order and did nothing else between",
    }
}

fn window(funnel: &Funnel) -> String {
    let mut window = duration(funnel.window_ms);
    if let (Some(sessions), FunnelCount::Uniques | FunnelCount::Totals) = (funnel.window_sessions, funnel.count) {
        window.push_str(&match sessions {
            1 => " and one session".to_owned(),
            _ => format!(" and {sessions} sessions"),
        });
    }
    if funnel.needs_sessions() {
        window.push_str(&format!(
            " (a session ends with {} without an event)",
            duration(funnel.session_timeout_ms)
        ));
    }
    window
}

fn counted(funnel: &Funnel) -> &'static str {
    match (funnel.count, funnel.attempt) {
        (FunnelCount::Uniques, Attempt::First) => "counted once by their first attempt",
        (FunnelCount::Uniques, Attempt::Furthest) => "counted once by the attempt in which they came furthest",
        (FunnelCount::Totals, _) => "each attempt counted that begins after the one before is over",
        (FunnelCount::Sessions, Attempt::First) => "each session counted once by its first attempt",
        (FunnelCount::Sessions, Attempt::Furthest) => {
            "each session counted once by the attempt in which they came furthest"
        }
    }
}

fn steps(funnel: &Funnel) -> String {
    let steps: Vec<String> = funnel.steps.iter().map(step).collect();
    steps.join(if funnel.order == Order::Any { "; " } else { ", then " })
}

fn step(step: &StepSelector) -> String {
    let selectors: Vec<String> = step
        .selectors()
        .map(|(event, filter)| selected(event.map(String::as_str), filter))
        .collect();
    let mut words = selectors.join(" or ");
    if step.first_time {
        words.push_str(" (for the first time ever)");
    }
    if step.anchored {
        words.push_str(" (anchored)");
    }
    words
}

fn taken_from(attribution: Attribution) -> String {
    match attribution {
        Attribution::First => " by the first step that has a value".to_owned(),
        Attribution::Last => " by the last step that has a value".to_owned(),
        Attribution::Any => ", counted in that of every step".to_owned(),
        Attribution::Step(step) => format!(" by the value at step {}", step + 1),
    }
}

fn excluded(exclusion: &Exclusion, steps: usize) -> String {
    let (event, filter) = exclusion.selector();
    format!(
        " {} between steps {} and {} ends an attempt.",
        selected(event.map(String::as_str), filter),
        exclusion.from + 1,
        exclusion.last(steps) + 1
    )
}
