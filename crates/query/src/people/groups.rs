//! Questions about the profiles of groups.

use super::filter::{PeopleFilter, passing};
use super::{Candidate, sort};
use crate::QueryError;
use crate::definitions::Setting;
use crate::plan::functions::Zone;
use ledger::{Class, Disclosure, Undisclosed, digest_of};
use model::{EventTime, GroupNumber, Value};
use roaring::RoaringTreemap;
use std::collections::BTreeMap;
use store::Snapshot;

/// Groups of one key that match a filter, in the order asked for. Like [`super::PeopleSet`].
#[derive(Clone, PartialEq)]
pub struct GroupSet {
    groups: Vec<GroupNumber>,
}

/// A group's ordinary properties.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupRow {
    pub group: GroupNumber,
    pub properties: BTreeMap<String, Value>,
    pub last_seen: Option<EventTime>,
}

impl GroupSet {
    pub fn len(&self) -> usize {
        self.groups.len()
    }

    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Up to `limit` groups from `offset` on.
    pub fn slice(&self, offset: usize, limit: usize) -> Vec<GroupNumber> {
        self.groups.iter().skip(offset).take(limit).copied().collect()
    }

    /// The first groups in the order asked for, and no more.
    pub fn first(mut self, limit: usize) -> GroupSet {
        self.groups.truncate(limit);
        self
    }

    /// The groups that are among `wanted` too.
    pub fn retain(&self, wanted: &[GroupNumber]) -> GroupSet {
        let kept = self.groups.iter().filter(|group| wanted.contains(group));
        GroupSet {
            groups: kept.copied().collect(),
        }
    }
}

pub(crate) async fn matching(
    setting: Setting<'_>,
    zone: Zone,
    key: &str,
    filter: &PeopleFilter,
    order: Option<&(String, bool)>,
) -> Result<GroupSet, QueryError> {
    let profiles = setting.snapshot.profiles();
    let candidates: Vec<Candidate<'_>> = profiles
        .groups(key)
        .map(|(group, profile)| (group.0, Some(profile)))
        .collect();
    let mut groups = passing(setting, zone, candidates, filter, false).await?;
    sort(&mut groups, order);
    Ok(GroupSet {
        groups: groups.into_iter().map(|(number, _)| GroupNumber(number)).collect(),
    })
}

/// The profiles of some groups, in the order given. A row about a group is as close as one about a person: it may be a
/// company of one.
pub(crate) fn rows(snapshot: &Snapshot, key: &str, groups: &[GroupNumber]) -> Undisclosed<Vec<GroupRow>> {
    let profiles = snapshot.profiles();
    let found = groups.iter().filter_map(|group| {
        let profile = profiles.group(key, *group)?;
        Some(GroupRow {
            group: *group,
            properties: profile.properties.clone(),
            last_seen: profile.last_seen,
        })
    });
    let rows: Vec<GroupRow> = found.collect();
    let names = rows.iter().flat_map(|row| row.properties.keys().cloned());
    let disclosure = Disclosure {
        class: Class::D2,
        persons: RoaringTreemap::new(),
        fields: names.chain((!rows.is_empty()).then(|| key.to_owned())).collect(),
        question_digest: digest_of(&(key, groups)),
    };
    Undisclosed::new(rows, disclosure)
}
