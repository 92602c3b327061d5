//! What each property name means, judged once and remembered.
//!
//! A project sends the same few hundred names for ever, and judging one (policy table, words, detectors) costs more than
//! everything that is done with most values. So verdicts are kept in memory, up to a bound; an attacker who sends new
//! names all the time pays for judging them and no more.

use super::detectors::{Detector, KeyContext};
use super::{Firewall, Kind, REDACTED_NAME};
use crate::policy::Treatment;
use crate::policy::key_words::KeyWords;
use hashbrown::HashMap;
use std::sync::RwLock;

/// Longest name that is kept, in Unicode scalars.
const NAME_SCALARS_MAX: usize = 255;
/// Longest name that is remembered, in bytes: names come from the wire, and memory is bounded by bytes, not by names.
const REMEMBERED_BYTES_MAX: usize = 256;
/// Most remembered names of each kind.
const REMEMBERED_MAX: usize = 50_000;

/// What becomes of a property because of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyClass {
    /// Listed in the policy table.
    Known(Treatment),
    /// Identifying, on a profile: into the vault.
    Sealed,
    /// Identifying, on an event.
    IdentifyingOnEvent,
    /// A secret or free text by its name.
    NeverStored,
    /// A group key or reference key.
    Reference,
    Ordinary(KeyContext),
}

impl KeyClass {
    pub fn context(self) -> KeyContext {
        match self {
            KeyClass::Ordinary(context) => context,
            _ => KeyContext::default(),
        }
    }
}

#[derive(Clone)]
pub struct Judged {
    /// The name as it is kept, where that is another than was sent.
    pub renamed: Option<String>,
    pub class: KeyClass,
    pub redacted: Option<Detector>,
}

impl Judged {
    /// Group keys are a project's own, verdicts are everybody's.
    fn number_groups(&mut self, key: &str, group_keys: &[String]) {
        if group_keys.iter().any(|group_key| group_key == key) && self.redacted.is_none() {
            self.class = KeyClass::Reference;
        }
    }
}

/// Verdicts by name. Names may be unfit to be stored, so they live in memory only.
#[derive(Default)]
pub struct Keys {
    on_events: Remembered<Judged>,
    on_profiles: Remembered<Judged>,
    event_names: Remembered<Option<Detector>>,
}

struct Remembered<V>(RwLock<HashMap<String, V>>);

impl<V> Default for Remembered<V> {
    fn default() -> Self {
        Remembered(RwLock::default())
    }
}

impl<V: Clone> Remembered<V> {
    fn verdict(&self, name: &str, judge: impl FnOnce() -> V) -> V {
        if let Some(verdict) = self.0.read().expect("no holder panics").get(name) {
            return verdict.clone();
        }
        let verdict = judge();
        if name.len() > REMEMBERED_BYTES_MAX {
            return verdict;
        }
        let mut known = self.0.write().expect("no holder panics");
        if known.len() < REMEMBERED_MAX {
            known.insert(name.to_owned(), verdict.clone());
        }
        verdict
    }
}

impl Keys {
    /// The verdicts on all names of an event or profile, under one lock.
    pub(super) fn judge_all<'n>(
        &self,
        firewall: &Firewall,
        names: impl ExactSizeIterator<Item = &'n str> + Clone,
        kind: Kind,
        group_keys: &[String],
    ) -> Vec<Judged> {
        let mut judged: Vec<Judged> = Vec::with_capacity(names.len());
        {
            let known = self.remembered(kind).0.read().expect("no holder panics");
            judged.extend(names.clone().map_while(|name| known.get(name).cloned()));
        }
        // From the first name on that is new, each on its own.
        for name in names.clone().skip(judged.len()) {
            judged.push(self.remembered(kind).verdict(name, || judge(firewall, name, kind)));
        }
        for (judged, name) in judged.iter_mut().zip(names) {
            judged.number_groups(name, group_keys);
        }
        judged
    }

    pub(super) fn judge(&self, firewall: &Firewall, key: &str, kind: Kind, group_keys: &[String]) -> Judged {
        let mut judged = self.remembered(kind).verdict(key, || judge(firewall, key, kind));
        judged.number_groups(key, group_keys);
        judged
    }

    fn remembered(&self, kind: Kind) -> &Remembered<Judged> {
        match kind {
            Kind::Event => &self.on_events,
            Kind::Profile => &self.on_profiles,
        }
    }

    /// An event's name as it is kept, and why it is not the one that was sent.
    pub(super) fn event_name(&self, firewall: &Firewall, name: String) -> (String, Option<Detector>) {
        match self
            .event_names
            .verdict(&name, || firewall.detectors.find(&name, KeyContext::default()))
        {
            Some(detector) => (REDACTED_NAME.to_owned(), Some(detector)),
            None if name.len() > NAME_SCALARS_MAX && name.chars().nth(NAME_SCALARS_MAX).is_some() => {
                (name.chars().take(NAME_SCALARS_MAX).collect(), None)
            }
            None => (name, None),
        }
    }
}

fn judge(firewall: &Firewall, key: &str, kind: Kind) -> Judged {
    let context = KeyContext::of(key);
    if let Some(treatment) = firewall.policy.treatment(key) {
        let class = match (treatment, kind) {
            (Treatment::Seal, Kind::Profile) => KeyClass::Sealed,
            (Treatment::Seal, Kind::Event) => KeyClass::IdentifyingOnEvent,
            (treatment, _) => KeyClass::Known(treatment),
        };
        return Judged {
            renamed: None,
            class,
            redacted: None,
        };
    }
    let redacted = firewall.detectors.find(key, context);
    let is_long = key.chars().nth(NAME_SCALARS_MAX).is_some();
    let renamed = match redacted {
        Some(_) => Some(REDACTED_NAME.to_owned()),
        None => is_long.then(|| key.chars().take(NAME_SCALARS_MAX).collect()),
    };
    let class = match (firewall.key_rules.judge(key, kind == Kind::Profile), kind) {
        (KeyWords::NeverStored, _) => KeyClass::NeverStored,
        (KeyWords::Identifying, Kind::Profile) => KeyClass::Sealed,
        (KeyWords::Identifying, Kind::Event) => KeyClass::IdentifyingOnEvent,
        // A reference under a name that is itself unfit would put the name into the vault and the log.
        (KeyWords::Reference, _) if redacted.is_none() => KeyClass::Reference,
        (KeyWords::Reference | KeyWords::Ordinary, _) => KeyClass::Ordinary(context),
    };
    Judged {
        renamed,
        class,
        redacted,
    }
}
