//! Funnel in words.

use super::*;

pub(super) fn words(funnel: &Funnel) -> String {
    let steps: Vec<String> = funnel.steps.iter().map(selector).collect();
    let attempt = match funnel.attempt {
        Attempt::First => "their first attempt",
        Attempt::Furthest => "the attempt in which they came furthest",
    };
    let mut words = format!(
        "Persons who went through these steps in order within {}, counted once by {attempt}: {}",
        duration(funnel.window_ms),
        steps.join(", then ")
    );
    if let Some(trend) = funnel.unit {
        words.push_str(&format!("; also per {} of the start", unit(trend)));
    }
    words.push_str(&split_by(funnel.breakdown.as_slice(), funnel.limit));
    if funnel.tie_ms > 0 {
        words.push_str(&format!(
            ". Events within {} of each other may come in either order",
            duration(funnel.tie_ms)
        ));
    }
    words.push('.');
    words
}
