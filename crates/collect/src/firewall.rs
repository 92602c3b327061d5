//! The firewall: an ordered list of steps between what a client sent and what may be kept (secrecy contract, section 4).
//!
//! Each step edits the tree in place; only this module makes a [`Clean`], so nothing reaches the vault call or the log
//! without having passed every step. The action is everywhere the same: the value is taken out, the event stays, and
//! what was taken is counted by property path and reason. The value itself is never logged, counted by content or put
//! into an error.

pub mod detectors;
mod keys;
pub mod layers;
#[cfg(test)]
mod property_tests;
mod steps;
mod structure;
#[cfg(test)]
mod tests;

use crate::country::CountryTable;
use crate::json::{Json, Members, has_repeats};
use crate::policy::Policy;
use crate::policy::key_words::KeyRules;
use detectors::Detectors;
pub use keys::{KeyClass, Keys};
use std::collections::BTreeMap;

/// Whether the properties are an event's or a profile's; the table of 3.3 treats some keys differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Event,
    Profile,
}

/// One property on its way through.
pub(crate) struct Property {
    pub name: String,
    pub value: Json,
    pub class: KeyClass,
}

/// Properties that no step has refused yet. Private to the firewall: it may still hold anything.
struct Draft {
    name: String,
    kind: Kind,
    properties: Vec<Property>,
}

/// What passed. Ordinary properties for the store; sealed and referenced ones for the vault call and nothing else.
pub struct Clean {
    pub name: String,
    pub properties: Members,
    /// Identifying profile fields (class *identifying*).
    pub sealed: Members,
    /// Values of group and reference keys, to become numbers.
    pub references: Members,
}

/// Counts of what was taken out, by property path and reason.
#[derive(Default)]
pub struct Tally {
    counts: BTreeMap<String, BTreeMap<&'static str, u64>>,
}

impl Tally {
    pub(crate) fn count(&mut self, path: &str, reason: &'static str) {
        let reasons = match self.counts.get_mut(path) {
            Some(reasons) => reasons,
            None => self.counts.entry(path.to_owned()).or_default(),
        };
        *reasons.entry(reason).or_default() += 1;
    }

    /// (property path, reason, times), in order.
    pub fn into_counts(self) -> impl Iterator<Item = (String, &'static str, u64)> {
        let counts = self.counts.into_iter();
        counts.flat_map(|(path, reasons)| {
            reasons
                .into_iter()
                .map(move |(reason, count)| (path.clone(), reason, count))
        })
    }
}

/// Everything compiled once: the policy table, the key rules, the detectors, the country table.
pub struct Firewall {
    policy: Policy,
    key_rules: KeyRules,
    detectors: Detectors,
    countries: CountryTable,
    keys: Keys,
}

/// What the steps look at besides the draft.
struct Context<'a> {
    firewall: &'a Firewall,
    tally: &'a mut Tally,
}

struct Step {
    name: &'static str,
    run: fn(&mut Context, &mut Draft),
}

/// In this order: what a key decides comes before what a value looks like, patterns come last, and truncation after
/// them, because a secret cut in half is still one (FW-2).
const STEPS: &[Step] = &[
    Step {
        name: "drop_unread",
        run: steps::drop_unread,
    },
    Step {
        name: "apply_policy",
        run: steps::apply_policy,
    },
    Step {
        name: "drop_by_key_words",
        run: steps::drop_by_key_words,
    },
    Step {
        name: "drop_by_structure",
        run: steps::drop_by_structure,
    },
    Step {
        name: "scrub_urls",
        run: steps::scrub_urls,
    }, // before detectors: a query string is where secrets hide
    Step {
        name: "drop_detected",
        run: steps::drop_detected,
    },
    Step {
        name: "shorten",
        run: steps::shorten,
    },
];

/// The event name or property name that stands for one that was not fit to be kept.
pub const REDACTED_NAME: &str = "redacted_name";

impl Firewall {
    pub fn new() -> Firewall {
        Firewall {
            policy: Policy::open(),
            key_rules: KeyRules::new(),
            detectors: Detectors::new(),
            countries: CountryTable::bundled(),
            keys: Keys::default(),
        }
    }

    pub fn countries(&self) -> &CountryTable {
        &self.countries
    }

    /// Takes out of a named set of properties what may not be kept. `group_keys` are the project's own.
    pub fn clean(
        &self,
        name: String,
        properties: Members,
        kind: Kind,
        group_keys: &[String],
        tally: &mut Tally,
    ) -> Clean {
        let mut draft = Draft {
            name: self.clean_name(name, tally),
            kind,
            properties: self.classified(properties, kind, group_keys, tally),
        };
        let mut context = Context { firewall: self, tally };
        for step in STEPS {
            (step.run)(&mut context, &mut draft);
            tracing::trace!(
                step = step.name,
                properties = draft.properties.len(),
                "Firewall step done"
            );
        }
        draft.into_clean()
    }

    /// The class of one key, for operations that carry names only (`$unset`).
    pub fn class_of(&self, key: &str, kind: Kind, group_keys: &[String]) -> (String, KeyClass) {
        let judged = self.keys.judge(self, key, kind, group_keys);
        (judged.renamed.unwrap_or_else(|| key.to_owned()), judged.class)
    }

    fn classified(&self, properties: Members, kind: Kind, group_keys: &[String], tally: &mut Tally) -> Vec<Property> {
        let names = properties.iter().map(|(name, _)| name.as_str());
        let judged = self.keys.judge_all(self, names, kind, group_keys);
        properties
            .into_iter()
            .zip(judged)
            .filter(|((_, value), _)| !value.is_null())
            .map(|((name, value), judged)| {
                if let Some(detector) = judged.redacted {
                    tally.count(REDACTED_NAME, detector.as_str());
                }
                Property {
                    name: judged.renamed.unwrap_or(name),
                    value,
                    class: judged.class,
                }
            })
            .collect()
    }

    fn clean_name(&self, name: String, tally: &mut Tally) -> String {
        let judged = self.keys.event_name(self, name);
        if let Some(detector) = judged.1 {
            tally.count("event", detector.as_str());
        }
        judged.0
    }
}

impl Draft {
    fn into_clean(self) -> Clean {
        let mut clean = Clean {
            name: self.name,
            properties: Members::with_capacity(self.properties.len()),
            sealed: Members::new(),
            references: Members::new(),
        };
        // Two unfit names become one; the first keeps it.
        let is_unique = !has_repeats(self.properties.iter().map(|property| property.name.as_str()));
        for property in self.properties {
            let target = match property.class {
                KeyClass::Sealed => &mut clean.sealed,
                KeyClass::Reference => &mut clean.references,
                _ => &mut clean.properties,
            };
            if is_unique || !target.iter().any(|(name, _)| *name == property.name) {
                target.push((property.name, property.value));
            }
        }
        clean
    }
}
