//! What happened to a project, as data: it can be played on a store, told otherwise, made smaller and kept in a file.

use crate::world::World;
use model::cohort::{Cohort, CohortRule, Frozen};
use model::{Definitions, Event, PersonNumber, ProfileUpdate};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Life {
    pub timezone: String,
    pub steps: Vec<Step>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Step {
    Batch {
        events: Vec<Event>,
        profiles: Vec<ProfileUpdate>,
        merges: Vec<(PersonNumber, PersonNumber)>,
    },
    Flush,
    Compact,
    Reopen,
    Erase(PersonNumber),
    /// What the names in expressions stand for.
    Define(Definitions),
}

impl Life {
    pub fn play(&self) -> World {
        self.play_with(3)
    }

    /// The same on a store of so many shards.
    pub fn play_with(&self, shards: u32) -> World {
        let mut world = World::with_shards(&self.timezone, shards);
        for step in &self.steps {
            match step {
                Step::Batch {
                    events,
                    profiles,
                    merges,
                } => world.append(events.clone(), profiles.clone(), merges.clone()),
                Step::Flush => world.store().flush().unwrap(),
                Step::Compact => {
                    world.store().compact().unwrap();
                }
                Step::Reopen => world.reopen(),
                Step::Erase(person) => world.erase(vec![*person]),
                Step::Define(definitions) => world.define(definitions.clone()),
            }
        }
        world.read_profiles();
        world
    }

    /// The same facts, told to a store that was never flushed, compacted or restarted.
    pub fn in_memory(&self) -> Life {
        let told = |step: &&Step| matches!(step, Step::Batch { .. } | Step::Erase(_) | Step::Define(_));
        self.with_steps(self.steps.iter().filter(told).cloned().collect())
    }

    /// The same facts, all of them in segments, where merges and erasures have become physical.
    pub fn settled(&self) -> Life {
        let mut steps = self.steps.clone();
        steps.extend([Step::Flush, Step::Compact, Step::Reopen]);
        self.with_steps(steps)
    }

    pub fn without_profiles(&self) -> Life {
        let mut life = self.clone();
        for step in &mut life.steps {
            if let Step::Batch { profiles, .. } = step {
                profiles.clear();
            }
        }
        life
    }

    /// The same as if every event had come under the number that its person has in the end. Copies stay copies: they are
    /// recognised by the canonical person either way.
    pub fn merged_beforehand(&self) -> Life {
        let merges = self.steps.iter().flat_map(|step| match step {
            Step::Batch { merges, .. } => merges.clone(),
            _ => Vec::new(),
        });
        let history = reference::History {
            merges: merges.collect(),
            ..reference::History::default()
        };
        let mut life = self.clone();
        for step in &mut life.steps {
            if let Step::Batch { events, merges, .. } = step {
                merges.clear();
                for event in events {
                    event.person = history.canonical(event.person);
                }
            }
            if let Step::Define(definitions) = step {
                let canonical = |person| history.canonical(person);
                definitions
                    .cohorts
                    .values_mut()
                    .for_each(|cohort| rename(cohort, &canonical));
            }
        }
        life
    }

    pub fn with_steps(&self, steps: Vec<Step>) -> Life {
        Life {
            timezone: self.timezone.clone(),
            steps,
        }
    }
}

/// The definition with other numbers for its persons.
fn rename(cohort: &mut Cohort, number: &impl Fn(PersonNumber) -> PersonNumber) {
    rename_in(&mut cohort.rule, number);
    if let Some(frozen) = &cohort.frozen {
        let members: std::collections::BTreeSet<PersonNumber> = frozen.members().map(number).collect();
        cohort.frozen = Some(Frozen::new(frozen.at_ms, members.into_iter()));
    }
}

fn rename_in(rule: &mut CohortRule, number: &impl Fn(PersonNumber) -> PersonNumber) {
    match rule {
        CohortRule::All { rules } | CohortRule::Any { rules } => {
            rules.iter_mut().for_each(|rule| rename_in(rule, number));
        }
        CohortRule::Not { rule } => rename_in(rule, number),
        CohortRule::Persons { persons } => persons.iter_mut().for_each(|person| *person = number(*person)),
        _ => {}
    }
}
