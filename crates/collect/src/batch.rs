//! Split: from clean events and updates to what the vault is asked and what the log will hold.
//!
//! A batch is everything one request brings for one project. Identities, group values and identifying fields go into it
//! as [`Tuple`]s, [`Reference`]s and [`FieldWrite`]s; events and ordinary profile operations keep only indexes into
//! those. When the numbers are known, [`Batch::into_record`] puts them in place of the indexes. Nothing in the record
//! was ever an identity.

use crate::cache::{Digest, DigestKey};
use crate::firewall::Clean;
use crate::identity::Identity;
use crate::json::{Json, Members};
use hashbrown::HashMap;
use model::{
    BatchId, Event, EventTime, FeedItem, GroupNumber, InsertId, PersonNumber, ProfileOp, ProfileUpdate, ProjectId,
};
use model::{Record, Subject, Value};
use vault_client::{FieldOp, FieldWrite, Personal, Reference, Tuple, WriteSubject};

/// Most groups of one event that count (contract GA2).
const GROUPS_PER_EVENT_MAX: usize = 300;
/// Longest group value, in Unicode scalars; a longer one is not cut but left out, like an identity.
const GROUP_SCALARS_MAX: usize = 255;

/// What one request brings for one project.
pub struct Batch {
    pub project: ProjectId,
    pub tuples: Vec<Tuple>,
    pub references: Vec<Reference>,
    /// What stands for the tuples and references in the cache, in the same order.
    pub tuple_digests: Vec<Digest>,
    pub reference_digests: Vec<Digest>,
    pub writes: Vec<FieldWrite>,
    events: Vec<PendingEvent>,
    updates: Vec<PendingUpdate>,
    tuple_places: HashMap<Digest, u32>,
    reference_places: HashMap<Digest, u32>,
}

struct PendingEvent {
    name: String,
    tuple: Option<u32>,
    time: EventTime,
    insert_id: Option<InsertId>,
    properties: Members,
    groups: Vec<(String, Vec<u32>)>,
}

struct PendingUpdate {
    subject: UpdateSubject,
    op: FieldOp,
    properties: Members,
    /// Group values on profiles: name, places in `references`, and whether it was a list.
    references: Vec<(String, Vec<u32>, bool)>,
    time: EventTime,
    touches_last_seen: bool,
}

/// Whose profile a batch changes, by place.
#[derive(Clone)]
pub enum UpdateSubject {
    Tuple(u32),
    Group { key: String, place: u32 },
}

/// What an update carries besides its properties.
#[derive(Clone)]
pub struct UpdateStamp {
    pub time: EventTime,
    pub touches_last_seen: bool,
    /// The client's own id of the update, by which the vault knows a replay.
    pub event_id: Option<String>,
}

impl UpdateStamp {
    /// One update writes several fields, and the vault counts each write as applied, so each has an id of its own. It
    /// has to be the same after a restart, hence no process key.
    fn write_id(&self, op: FieldOp, field: &str) -> Option<[u8; 16]> {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.event_id.as_ref()?.as_bytes());
        hasher.update(&[0, op as u8, 0]);
        hasher.update(field.as_bytes());
        let mut id = [0; 16];
        id.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        Some(id)
    }
}

/// The numbers of a batch, in the order of its tuples and references.
pub struct Numbers {
    pub persons: Vec<PersonNumber>,
    pub groups: Vec<GroupNumber>,
}

impl Batch {
    pub fn new(project: ProjectId) -> Batch {
        Batch {
            project,
            tuples: Vec::new(),
            references: Vec::new(),
            tuple_digests: Vec::new(),
            reference_digests: Vec::new(),
            writes: Vec::new(),
            events: Vec::new(),
            updates: Vec::new(),
            tuple_places: HashMap::new(),
            reference_places: HashMap::new(),
        }
    }

    pub fn events_count(&self) -> usize {
        self.events.len()
    }

    pub fn updates_count(&self) -> usize {
        self.updates.len()
    }

    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.updates.is_empty() && self.writes.is_empty()
    }

    /// Bytes of text that the vault is asked with.
    pub fn question_bytes(&self) -> usize {
        let length = |text: &Option<Personal>| text.as_ref().map_or(0, |text| text.expose().len());
        let tuples: usize = self
            .tuples
            .iter()
            .map(|tuple| 16 + length(&tuple.device) + length(&tuple.user))
            .sum();
        let references: usize = self
            .references
            .iter()
            .map(|reference| 16 + reference.key.len() + reference.value.expose().len())
            .sum();
        let writes: usize = self
            .writes
            .iter()
            .map(|write| 64 + write.field.len() + length(&write.value))
            .sum();
        tuples + references + writes
    }

    pub fn push_event(
        &mut self,
        digests: &DigestKey,
        identity: Identity,
        clean: Clean,
        time: EventTime,
        insert_id: Option<InsertId>,
    ) {
        let tuple = self.tuple(
            digests,
            Tuple {
                device: identity.device,
                user: identity.user,
                profile: false,
                ignore_alias: false,
            },
        );
        let mut groups = Vec::new();
        for (key, value) in clean.references {
            let (mut places, _) = self.reference_values(digests, &key, value);
            places.truncate(GROUPS_PER_EVENT_MAX);
            if !places.is_empty() {
                groups.push((key, places));
            }
        }
        self.events.push(PendingEvent {
            name: clean.name,
            tuple,
            time,
            insert_id,
            properties: clean.properties,
            groups,
        });
    }

    /// The place of a person whose profile is changed; `None` for nobody.
    pub fn person(&mut self, digests: &DigestKey, identity: Identity, ignore_alias: bool) -> Option<UpdateSubject> {
        let tuple = Tuple {
            device: identity.device,
            user: identity.user,
            profile: true,
            ignore_alias,
        };
        self.tuple(digests, tuple).map(UpdateSubject::Tuple)
    }

    pub fn group(&mut self, digests: &DigestKey, key: String, id: Personal) -> UpdateSubject {
        let place = self.reference(
            digests,
            Reference {
                key: key.clone(),
                value: id,
            },
        );
        UpdateSubject::Group { key, place }
    }

    /// One operation: identifying fields become writes to the vault, the others stay with the events.
    pub fn push_update(
        &mut self,
        digests: &DigestKey,
        subject: UpdateSubject,
        op: FieldOp,
        clean: Clean,
        stamp: &UpdateStamp,
    ) {
        for (field, value) in clean.sealed {
            self.push_write(&subject, op, field, Some(&value), stamp);
        }
        let references = clean
            .references
            .into_iter()
            .map(|(key, value)| {
                let (places, is_list) = self.reference_values(digests, &key, value);
                (key, places, is_list)
            })
            .filter(|(_, places, _)| !places.is_empty())
            .collect();
        self.push_pending(subject, op, clean.properties, references, stamp);
    }

    /// Forgets properties by name, wherever they lie.
    pub fn push_unset(
        &mut self,
        subject: UpdateSubject,
        ordinary: Vec<String>,
        sealed: Vec<String>,
        stamp: &UpdateStamp,
    ) {
        for field in sealed {
            self.push_write(&subject, FieldOp::Unset, field, None, stamp);
        }
        let names = ordinary.into_iter().map(|name| (name, Json::Null)).collect();
        self.push_pending(subject, FieldOp::Unset, names, Vec::new(), stamp);
    }

    pub fn push_delete(&mut self, subject: UpdateSubject, stamp: &UpdateStamp) {
        self.push_write(&subject, FieldOp::Delete, String::new(), None, stamp);
        self.push_pending(subject, FieldOp::Delete, Members::new(), Vec::new(), stamp);
    }

    fn push_pending(
        &mut self,
        subject: UpdateSubject,
        op: FieldOp,
        properties: Members,
        references: Vec<(String, Vec<u32>, bool)>,
        stamp: &UpdateStamp,
    ) {
        let UpdateStamp {
            time,
            touches_last_seen,
            ..
        } = *stamp;
        self.updates.push(PendingUpdate {
            subject,
            op,
            properties,
            references,
            time,
            touches_last_seen,
        });
    }

    fn push_write(
        &mut self,
        subject: &UpdateSubject,
        op: FieldOp,
        field: String,
        value: Option<&Json>,
        stamp: &UpdateStamp,
    ) {
        let value = value.map(|value| {
            let mut text = String::new();
            value.write_text(&mut text);
            Personal::new(text)
        });
        let subject = match subject {
            UpdateSubject::Tuple(place) => WriteSubject::Id(*place),
            UpdateSubject::Group { place, .. } => WriteSubject::Ref(*place),
        };
        let event_id = stamp.write_id(op, &field);
        self.writes.push(FieldWrite {
            subject,
            op,
            field,
            value,
            time_ms: stamp.time.0,
            event_id,
        });
    }

    fn tuple(&mut self, digests: &DigestKey, tuple: Tuple) -> Option<u32> {
        if tuple.device.is_none() && tuple.user.is_none() {
            return None;
        }
        let digest = digests.of_tuple(self.project, &tuple);
        Some(*self.tuple_places.entry(digest).or_insert_with(|| {
            self.tuple_digests.push(digest);
            self.tuples.push(tuple);
            self.tuples.len() as u32 - 1
        }))
    }

    fn reference(&mut self, digests: &DigestKey, reference: Reference) -> u32 {
        let digest = digests.of_reference(self.project, &reference);
        *self.reference_places.entry(digest).or_insert_with(|| {
            self.reference_digests.push(digest);
            self.references.push(reference);
            self.references.len() as u32 - 1
        })
    }

    /// The places of a scalar or of the scalars of a list, and which of the two it was.
    fn reference_values(&mut self, digests: &DigestKey, key: &str, value: Json) -> (Vec<u32>, bool) {
        let (values, is_list) = match value {
            Json::Array(items) => (items, true),
            scalar => (vec![scalar], false),
        };
        let mut places = Vec::new();
        let texts = values.iter().filter_map(Json::scalar_text);
        for text in texts.filter(|text| !text.is_empty() && !is_too_long(text)) {
            let place = self.reference(
                digests,
                Reference {
                    key: key.to_owned(),
                    value: Personal::new(text),
                },
            );
            if !places.contains(&place) {
                places.push(place);
            }
        }
        (places, is_list)
    }

    /// The log record, numbers in place. `writes` have gone to the vault already.
    pub fn into_record(self, batch_id: BatchId, received: EventTime, feed: Vec<FeedItem>, numbers: &Numbers) -> Record {
        let events = self.events.into_iter().map(|event| event.into_event(numbers)).collect();
        let profiles = self
            .updates
            .into_iter()
            .filter_map(|update| update.into_update(numbers))
            .collect();
        Record {
            project: self.project,
            batch_id,
            received,
            feed,
            profiles,
            events,
        }
    }
}

fn is_too_long(group_value: &str) -> bool {
    group_value.len() > GROUP_SCALARS_MAX && group_value.chars().nth(GROUP_SCALARS_MAX).is_some()
}

impl PendingEvent {
    fn into_event(self, numbers: &Numbers) -> Event {
        let groups = self.groups.into_iter();
        Event {
            name: self.name,
            person: self
                .tuple
                .map_or(PersonNumber::NOBODY, |place| numbers.persons[place as usize]),
            time: self.time,
            insert_id: self.insert_id,
            properties: self
                .properties
                .into_iter()
                .map(|(name, value)| (name, value.into_value()))
                .collect(),
            groups: groups
                .map(|(key, places)| {
                    (
                        key,
                        places.iter().map(|place| numbers.groups[*place as usize]).collect(),
                    )
                })
                .collect(),
        }
    }
}

impl PendingUpdate {
    /// `None` where nothing ordinary is left of the operation and nobody was seen by it.
    fn into_update(self, numbers: &Numbers) -> Option<ProfileUpdate> {
        let subject = match self.subject {
            UpdateSubject::Tuple(place) => Subject::Person(numbers.persons[place as usize]),
            UpdateSubject::Group { key, place } => Subject::Group {
                key,
                number: numbers.groups[place as usize],
            },
        };
        if matches!(subject, Subject::Person(person) if person.is_nobody()) {
            return None;
        }
        let mut properties: Vec<(String, Value)> = self
            .properties
            .into_iter()
            .map(|(name, value)| (name, value.into_value()))
            .collect();
        for (key, places, is_list) in self.references {
            let mut values: Vec<Value> = places
                .iter()
                .map(|place| Value::Number(numbers.groups[*place as usize].0 as f64))
                .collect();
            let value = if is_list {
                Value::List(values)
            } else {
                values.swap_remove(0)
            };
            properties.push((key, value));
        }
        if properties.is_empty() && !self.touches_last_seen && self.op != FieldOp::Delete {
            return None;
        }
        Some(ProfileUpdate {
            subject,
            op: profile_op(self.op, properties),
            time: self.time,
            touches_last_seen: self.touches_last_seen,
        })
    }
}

fn profile_op(op: FieldOp, properties: Vec<(String, Value)>) -> ProfileOp {
    match op {
        FieldOp::Set => ProfileOp::Set(properties),
        FieldOp::SetOnce => ProfileOp::SetOnce(properties),
        // A value that is no number is ignored, key by key (contract 2.2).
        FieldOp::Add => ProfileOp::Add(
            properties
                .into_iter()
                .filter_map(|(name, value)| Some((name, value.as_f64()?)))
                .collect(),
        ),
        FieldOp::Append => ProfileOp::Append(properties),
        // JS sends a scalar where a list is meant.
        FieldOp::Union => ProfileOp::Union(
            properties
                .into_iter()
                .map(|(name, value)| match value {
                    Value::List(items) => (name, items),
                    scalar => (name, vec![scalar]),
                })
                .collect(),
        ),
        FieldOp::Remove => ProfileOp::Remove(properties),
        FieldOp::Unset => ProfileOp::Unset(properties.into_iter().map(|(name, _)| name).collect()),
        FieldOp::Merge => ProfileOp::Merge(properties),
        FieldOp::Delete => ProfileOp::Delete,
    }
}
