//! Frequency, stickiness and lifecycle in words.

use super::*;

pub(super) fn frequency(frequency: &Frequency) -> String {
    let (unit, part) = (unit(frequency.unit), unit(frequency.part));
    let split_by = split_by(frequency.breakdown.as_slice(), frequency.limit);
    format!(
        "Persons with {}, per {unit}, by the number of different {part}s of the {unit} in which they had one at least{split_by}.",
        selector(&frequency.active),
    )
}

pub(super) fn stickiness(stickiness: &Stickiness) -> String {
    let unit = unit(stickiness.unit);
    let split_by = split_by(stickiness.breakdown.as_slice(), stickiness.limit);
    format!(
        "Persons with {}, per {unit}, by the number of days of the {unit} on which they had it{split_by}.",
        selector(&stickiness.active),
    )
}

pub(super) fn lifecycle(lifecycle: &Lifecycle) -> String {
    let unit = unit(lifecycle.unit);
    let looked_back = match lifecycle.look_back_days {
        None => "ever".to_owned(),
        Some(days) => format!("since {days} days before the first {unit}"),
    };
    let split_by = split_by(lifecycle.breakdown.as_slice(), lifecycle.limit);
    format!(
        "Persons with {} per whole {unit}: new with their first {looked_back}, returning from the {unit} before, \
         resurrected from an earlier one, or dormant since the one before{split_by}.",
        selector(&lifecycle.active),
    )
}
