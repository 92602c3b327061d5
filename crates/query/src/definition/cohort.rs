//! Cohorts in words.

use super::{duration, selector};
use model::cohort::{Cohort, CohortRule, Count, When};
use std::collections::BTreeMap;

/// The definition as an English sentence; `names` are those of other cohorts.
pub(crate) fn words(cohort: &Cohort, names: &BTreeMap<u64, String>) -> String {
    if let Some(frozen) = &cohort.frozen {
        let at = jiff::Timestamp::from_millisecond(frozen.at_ms.0);
        let at = at.map_or_else(
            |_| frozen.at_ms.0.to_string(),
            |at| at.strftime("%F %H:%M UTC").to_string(),
        );
        return format!("As of {at}: persons who {}.", rule(&cohort.rule, names));
    }
    format!("Persons who {}.", rule(&cohort.rule, names))
}

fn rule(of: &CohortRule, names: &BTreeMap<u64, String>) -> String {
    match of {
        CohortRule::All { rules } => joined(rules, " and ", names),
        CohortRule::Any { rules } => joined(rules, " or ", names),
        CohortRule::Not { rule: inner } => format!("are not among those who {}", nested(inner, names)),
        CohortRule::Did { events, count, when } => match count {
            Count::Exactly(0) | Count::AtMost(0) => format!("did not do {} {}", selector(events), time(*when)),
            _ => format!("did {} {} {}", selector(events), often(*count), time(*when)),
        },
        CohortRule::Sequence { steps, window_ms, when } => {
            let steps: Vec<String> = steps.iter().map(selector).collect();
            format!(
                "did {} within {}, beginning {}",
                steps.join(", then "),
                duration(*window_ms),
                time(*when)
            )
        }
        CohortRule::Profile { filter } => format!("have a profile where {filter}"),
        CohortRule::Cell { report, cell } => {
            let zone = report.timezone.as_deref().unwrap_or("the project's time zone");
            format!(
                "are {}, in this report: {}",
                super::cell::words(report, cell),
                super::words(report, zone).trim_end_matches('.')
            )
        }
        CohortRule::Persons { persons } => match persons.len() {
            1 => format!("are person {}", persons[0].0),
            count => format!("are one of {count} listed"),
        },
        CohortRule::Cohort { cohort } => match names.get(cohort) {
            Some(name) => format!("are in cohort {cohort}, \"{name}\""),
            None => format!("are in cohort {cohort}"),
        },
    }
}

fn joined(rules: &[CohortRule], by: &str, names: &BTreeMap<u64, String>) -> String {
    let rules: Vec<String> = rules.iter().map(|rule| nested(rule, names)).collect();
    rules.join(by)
}

/// In parentheses where it is a join of its own.
fn nested(of: &CohortRule, names: &BTreeMap<u64, String>) -> String {
    match of {
        CohortRule::All { rules } | CohortRule::Any { rules } if rules.len() > 1 => format!("({})", rule(of, names)),
        _ => rule(of, names),
    }
}

fn often(count: Count) -> String {
    let (how, count) = match count {
        Count::AtLeast(count) => ("at least", count),
        Count::AtMost(count) => ("at most", count),
        Count::Exactly(count) => ("exactly", count),
    };
    format!("{how} {count} time{}", if count == 1 { "" } else { "s" })
}

fn time(when: When) -> String {
    match when {
        When::Ever => "at any time".into(),
        When::LastDays(1) => "in the last day".into(),
        When::LastDays(days) => format!("in the last {days} days"),
        When::Range(range) => format!("from {} to {}", range.from, range.to),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn definitions_read_as_sentences() {
        let cohort: Cohort = serde_json::from_value(json!({"rule": {"kind": "all", "rules": [
            {"kind": "did", "events": {"event": "Buy"}, "count": {"at_least": 3}, "when": {"last_days": 30}},
            {"kind": "any", "rules": [
                {"kind": "did", "events": {"event": "Return", "filter": "properties[\"n\"] > 1"}, "count": {"exactly": 0}, "when": "ever"},
                {"kind": "not", "rule": {"kind": "cohort", "cohort": 4}}]},
            {"kind": "sequence", "steps": [{"event": "A"}, {}], "window_ms": 86_400_000,
                "when": {"range": {"from": "2026-01-01", "to": "2026-02-01"}}},
            {"kind": "persons", "persons": [1, 2]},
            {"kind": "profile", "filter": "plan"}]}}))
        .unwrap();
        let names = BTreeMap::from([(4, "Testers".to_owned())]);
        assert_eq!(
            words(&cohort, &names),
            "Persons who did \"Buy\" at least 3 times in the last 30 days and (did not do \"Return\" where \
             properties[\"n\"] > 1 at any time or are not among those who are in cohort 4, \"Testers\") and did \
             \"A\", then any event within 1 day, beginning from 2026-01-01 to 2026-02-01 and are one of 2 listed and \
             have a profile where properties[\"plan\"]."
        );
    }
}
