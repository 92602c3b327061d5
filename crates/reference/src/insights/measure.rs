//! What a metric makes of the events that it counts.

use super::{Counted, persons_of};
use model::report::{Aggregate, Measure};
use std::collections::BTreeSet;

pub(super) fn measured<'a>(measure: &Measure, events: impl Iterator<Item = &'a Counted>) -> f64 {
    let events: Vec<&Counted> = events.collect();
    let persons = persons_of(&events);
    let numbers: Vec<f64> = events.iter().filter_map(|event| event.number).collect();
    // How many events each person has.
    let frequencies: Vec<f64> = persons
        .iter()
        .map(|person| events.iter().filter(|event| event.person == *person).count() as f64)
        .collect();
    match measure {
        // A session is one of `events`.
        Measure::Total | Measure::Sessions => events.len() as f64,
        Measure::Unique | Measure::Active { .. } => persons.len() as f64,
        Measure::PerPerson => aggregate(&frequencies, Aggregate::Mean),
        Measure::Frequency { aggregate: of_persons } => aggregate(&frequencies, *of_persons),
        Measure::Sum { .. } => numbers.iter().sum::<f64>() + 0.0,
        Measure::Mean { .. } => aggregate(&numbers, Aggregate::Mean),
        Measure::Median { .. } => aggregate(&numbers, Aggregate::Median),
        Measure::Percentile { percentile, .. } => aggregate(&numbers, Aggregate::Percentile(*percentile)),
        Measure::Min { .. } => aggregate(&numbers, Aggregate::Min),
        Measure::Max { .. } => aggregate(&numbers, Aggregate::Max),
        Measure::Distinct { .. } => {
            let values: BTreeSet<&String> = events.iter().flat_map(|event| &event.values).collect();
            values.len() as f64
        }
    }
}

fn aggregate(numbers: &[f64], aggregate: Aggregate) -> f64 {
    if numbers.is_empty() {
        return 0.0;
    }
    match aggregate {
        Aggregate::Mean => numbers.iter().sum::<f64>() / numbers.len() as f64,
        Aggregate::Median => percentile(numbers, 50.0),
        Aggregate::Percentile(percent) => percentile(numbers, percent),
        Aggregate::Min => numbers.iter().copied().fold(f64::INFINITY, f64::min),
        Aggregate::Max => numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    }
}

fn percentile(numbers: &[f64], percent: f64) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = (sorted.len() - 1) as f64 * (percent / 100.0);
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    below + (above - below) * place.fract()
}
