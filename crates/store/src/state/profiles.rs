//! Profiles of persons and groups: ordinary properties only.
//!
//! Held in pages of 256 neighbouring numbers. A snapshot clones the list of pages; the next update copies one page
//! of pointers and one profile, whatever the number of profiles.

use super::operations;
use model::{EventTime, GroupNumber, PersonNumber, ProfileOp, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Properties of a person or group, and when an update last touched them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    pub properties: BTreeMap<String, Value>,
    /// Time of the latest received update that did not ask to be ignored (`$last_seen`).
    pub last_seen: Option<EventTime>,
}

/// All profiles of a project as of a snapshot.
#[derive(Clone, Default)]
pub struct Profiles {
    persons: Pages,
    groups: BTreeMap<String, Pages>,
}

impl Profiles {
    /// Persons by number.
    pub fn iter(&self) -> impl Iterator<Item = (PersonNumber, &Profile)> {
        self.persons
            .iter()
            .map(|(number, profile)| (PersonNumber(number), profile))
    }

    /// The person's profile. Ask with a canonical number: absorbed numbers have none.
    pub fn get(&self, person: PersonNumber) -> Option<&Profile> {
        self.persons.get(person.0)
    }

    /// Number of persons with a profile.
    pub fn len(&self) -> usize {
        self.persons.len
    }

    pub fn is_empty(&self) -> bool {
        self.persons.len == 0
    }

    /// Groups of one key by number.
    pub fn groups(&self, key: &str) -> impl Iterator<Item = (GroupNumber, &Profile)> {
        self.groups
            .get(key)
            .into_iter()
            .flat_map(Pages::iter)
            .map(|(number, profile)| (GroupNumber(number), profile))
    }

    /// Group keys that have profiles.
    pub fn group_keys(&self) -> impl Iterator<Item = &str> {
        self.groups.keys().map(String::as_str)
    }

    pub fn group(&self, key: &str, number: GroupNumber) -> Option<&Profile> {
        self.groups.get(key)?.get(number.0)
    }

    /// Carries out one operation. Returns whether anything changed.
    pub(crate) fn update(&mut self, slot: &Slot, op: &ProfileOp, seen: Option<EventTime>) -> bool {
        let pages = match &slot.group_key {
            None => &mut self.persons,
            Some(key) => match self.groups.get_mut(key) {
                Some(pages) => pages,
                None => self.groups.entry(key.clone()).or_default(),
            },
        };
        if matches!(op, ProfileOp::Delete) {
            return pages.remove(slot.number);
        }
        if pages.get(slot.number).is_none() && !operations::creates(op) {
            return false;
        }
        let profile = pages.entry(slot.number);
        operations::apply(&mut profile.properties, op);
        if seen.is_some() {
            profile.last_seen = seen;
        }
        true
    }

    /// Forgets a person's profile. Returns whether there was one.
    pub(crate) fn remove_person(&mut self, person: PersonNumber) -> bool {
        self.persons.remove(person.0)
    }

    pub(crate) fn at(&self, slot: &Slot) -> Option<&Profile> {
        match &slot.group_key {
            None => self.persons.get(slot.number),
            Some(key) => self.groups.get(key)?.get(slot.number),
        }
    }

    pub(crate) fn load(&mut self, slot: Slot, profile: Profile) {
        let pages = match slot.group_key {
            None => &mut self.persons,
            Some(key) => self.groups.entry(key).or_default(),
        };
        *pages.entry(slot.number) = profile;
    }
}

/// Where a profile lies: a person's number, or a group's key and number.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Slot {
    pub group_key: Option<String>,
    pub number: u64,
}

const PAGE_NUMBERS: u64 = 256;

#[derive(Clone, Default)]
struct Pages {
    pages: BTreeMap<u64, Arc<Page>>,
    len: usize,
}

type Page = BTreeMap<u8, Arc<Profile>>;

impl Pages {
    fn iter(&self) -> impl Iterator<Item = (u64, &Profile)> {
        self.pages.iter().flat_map(|(page, profiles)| {
            let first = page * PAGE_NUMBERS;
            profiles
                .iter()
                .map(move |(place, profile)| (first + u64::from(*place), &**profile))
        })
    }

    fn get(&self, number: u64) -> Option<&Profile> {
        let page = self.pages.get(&(number / PAGE_NUMBERS))?;
        page.get(&place(number)).map(|profile| &**profile)
    }

    fn entry(&mut self, number: u64) -> &mut Profile {
        let page = Arc::make_mut(self.pages.entry(number / PAGE_NUMBERS).or_default());
        let len = &mut self.len;
        Arc::make_mut(page.entry(place(number)).or_insert_with(|| {
            *len += 1;
            Arc::default()
        }))
    }

    fn remove(&mut self, number: u64) -> bool {
        if self.get(number).is_none() {
            return false;
        }
        let page = Arc::make_mut(self.pages.entry(number / PAGE_NUMBERS).or_default());
        page.remove(&place(number));
        if page.is_empty() {
            self.pages.remove(&(number / PAGE_NUMBERS));
        }
        self.len -= 1;
        true
    }
}

fn place(number: u64) -> u8 {
    (number % PAGE_NUMBERS) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(number: u64) -> Slot {
        Slot {
            group_key: None,
            number,
        }
    }

    #[test]
    fn a_clone_does_not_see_later_updates() {
        let mut profiles = Profiles::default();
        let set = |value: &str| ProfileOp::Set(vec![("plan".into(), Value::String(value.into()))]);
        profiles.update(&person(7), &set("free"), Some(EventTime(1)));
        let before = profiles.clone();
        profiles.update(&person(7), &set("paid"), Some(EventTime(2)));
        profiles.update(&person(300), &set("paid"), None);
        assert_eq!(
            before.get(PersonNumber(7)).unwrap().properties["plan"],
            Value::String("free".into())
        );
        assert_eq!(before.len(), 1);
        assert_eq!(profiles.len(), 2);
        assert_eq!(profiles.get(PersonNumber(300)).unwrap().last_seen, None);
        assert!(profiles.remove_person(PersonNumber(7)));
        assert!(!profiles.remove_person(PersonNumber(7)));
        assert_eq!(profiles.iter().map(|(n, _)| n.0).collect::<Vec<_>>(), [300]);
    }
}
