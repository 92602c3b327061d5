//! Events in the log's own form, which is how fresh rows wait for their columns.
//!
//! As structs an event is some forty small allocations, made by one thread and freed one by one by another; as the bytes
//! that the log got it is none, and a tenth of the memory. They are read twice: for the names and counts of
//! [`Prepared`](super::prepared::Prepared), and when the columns are built.

use model::{BatchId, EventTime, FeedItem, GroupNumber, InsertId, PersonNumber, ProfileUpdate, ProjectId};
use model::{Record, Value};
use serde::{Deserialize, Serialize};

/// What a record holds before its events. The fields of [`Record`] in their order, `events` apart: postcard writes fields
/// one after the other, so the events begin where this ends.
#[derive(Serialize, Deserialize)]
pub(crate) struct RecordHead {
    pub project: ProjectId,
    pub batch_id: BatchId,
    pub received: EventTime,
    pub feed: Vec<FeedItem>,
    pub profiles: Vec<ProfileUpdate>,
}

/// A [`model::Event`] whose texts lie in the record's bytes.
#[derive(Deserialize)]
pub(crate) struct EncodedEvent<'a> {
    pub name: &'a str,
    pub person: PersonNumber,
    pub time: EventTime,
    pub insert_id: Option<InsertId>,
    #[serde(borrow)]
    pub properties: Vec<(&'a str, EncodedValue<'a>)>,
    #[serde(borrow)]
    pub groups: Vec<(&'a str, Vec<GroupNumber>)>,
}

/// A [`Value`], variant by variant. Lists and objects are rare and come as they are.
#[derive(Deserialize)]
pub(crate) enum EncodedValue<'a> {
    Null,
    Bool(bool),
    Number(f64),
    String(&'a str),
    List(Vec<Value>),
    Object(Vec<(String, Value)>),
}

/// The columns that every event has. Persons become canonical when the record takes effect.
#[derive(Clone, Copy)]
pub(crate) struct RowHead {
    pub person: PersonNumber,
    pub time: EventTime,
    pub insert_id: Option<InsertId>,
}

/// All events of a record.
pub(crate) struct EncodedEvents {
    /// The whole record, as it lies in the log.
    record: Vec<u8>,
    /// Where the first event begins.
    first: usize,
    pub rows: Vec<RowHead>,
}

/// The record as the log takes it.
pub(crate) fn encode(record: &Record) -> postcard::Result<Vec<u8>> {
    const EVENT_BYTES: usize = 512;
    let mut bytes = postcard::to_extend(record, Vec::with_capacity(256 + EVENT_BYTES * record.events.len()))?;
    bytes.shrink_to_fit();
    Ok(bytes)
}

impl EncodedEvents {
    /// Reads the bytes of a record: its head, and its events, each of which is shown to `look`.
    pub fn read(
        record: Vec<u8>,
        mut look: impl FnMut(&EncodedEvent<'_>),
    ) -> postcard::Result<(RecordHead, EncodedEvents)> {
        let (head, rest) = postcard::take_from_bytes::<RecordHead>(&record)?;
        let (count, mut rest) = postcard::take_from_bytes::<u64>(rest)?;
        let first = record.len() - rest.len();
        // A count that damage made up reserves little more than the record itself has.
        let mut rows = Vec::with_capacity((count as usize).min(rest.len() / 8));
        for _ in 0..count {
            let (event, behind) = postcard::take_from_bytes::<EncodedEvent<'_>>(rest)?;
            look(&event);
            rows.push(RowHead {
                person: event.person,
                time: event.time,
                insert_id: event.insert_id,
            });
            rest = behind;
        }
        Ok((head, EncodedEvents { record, first, rows }))
    }

    pub fn record_bytes(&self) -> &[u8] {
        &self.record
    }

    /// Memory of the events.
    pub fn memory_bytes(&self) -> usize {
        self.record.len() + self.rows.len() * size_of::<RowHead>()
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The events in order. Persons are those that were sent; [`EncodedEvents::rows`] has what became of them.
    pub fn iter(&self) -> impl Iterator<Item = EncodedEvent<'_>> {
        let mut rest = &self.record[self.first..];
        self.rows.iter().map(move |_| {
            let read = postcard::take_from_bytes(rest);
            let (event, behind) = read.expect("`read` has read these bytes before");
            rest = behind;
            event
        })
    }
}

impl EncodedValue<'_> {
    /// The JSON text of a value that is kept as such.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            EncodedValue::Null => serde_json::Value::Null,
            EncodedValue::Bool(flag) => (*flag).into(),
            EncodedValue::Number(number) => Value::Number(*number).to_json(),
            EncodedValue::String(text) => (*text).into(),
            EncodedValue::List(items) => items.iter().map(Value::to_json).collect(),
            EncodedValue::Object(members) => {
                let members = members.iter().map(|(name, value)| (name.clone(), value.to_json()));
                serde_json::Value::Object(members.collect())
            }
        }
    }

    /// The value as the domain has it.
    #[cfg(test)]
    fn to_value(&self) -> Value {
        match self {
            EncodedValue::Null => Value::Null,
            EncodedValue::Bool(flag) => Value::Bool(*flag),
            EncodedValue::Number(number) => Value::Number(*number),
            EncodedValue::String(text) => Value::String((*text).to_owned()),
            EncodedValue::List(items) => Value::List(items.clone()),
            EncodedValue::Object(members) => Value::Object(members.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Event, FeedEntry, ProfileOp, Subject};

    fn record() -> Record {
        let value = |name: &str, value: Value| (name.to_owned(), value);
        let text = |text: &str| Value::String(text.to_owned());
        Record {
            project: ProjectId(3),
            batch_id: BatchId([7; 16]),
            received: EventTime(1_700_000_000_123),
            feed: vec![FeedItem {
                seq: 1,
                entry: FeedEntry::Erase {
                    persons: vec![PersonNumber(9)],
                },
            }],
            profiles: vec![ProfileUpdate {
                subject: Subject::Group {
                    key: "company".into(),
                    number: GroupNumber(300),
                },
                op: ProfileOp::Set(vec![value("plan", text("free"))]),
                time: EventTime(-1),
                touches_last_seen: true,
            }],
            events: vec![
                Event {
                    name: "bought".into(),
                    person: PersonNumber(1 << 40),
                    time: EventTime(-5),
                    insert_id: Some(InsertId(u64::MAX)),
                    properties: vec![
                        value("nothing", Value::Null),
                        value("flag", Value::Bool(true)),
                        value("number", Value::Number(-0.25)),
                        value("text", text("é\u{0}")),
                        value("list", Value::List(vec![text("a"), Value::List(vec![Value::Null])])),
                        value("object", Value::Object(vec![value("inner", Value::Bool(false))])),
                    ],
                    groups: vec![("company".into(), vec![GroupNumber(300), GroupNumber(1)])],
                },
                Event {
                    name: String::new(),
                    person: PersonNumber::NOBODY,
                    time: EventTime(0),
                    insert_id: None,
                    properties: Vec::new(),
                    groups: Vec::new(),
                },
            ],
        }
    }

    fn owned(event: EncodedEvent<'_>) -> Event {
        let properties = event.properties.iter();
        let groups = event.groups.into_iter();
        Event {
            name: event.name.to_owned(),
            person: event.person,
            time: event.time,
            insert_id: event.insert_id,
            properties: properties
                .map(|(name, value)| ((*name).to_owned(), value.to_value()))
                .collect(),
            groups: groups.map(|(key, numbers)| (key.to_owned(), numbers)).collect(),
        }
    }

    #[test]
    fn events_are_read_as_they_were_written() {
        let record = record();
        let bytes = encode(&record).unwrap();
        assert_eq!(bytes, postcard::to_stdvec(&record).unwrap(), "the format of the log");
        let mut looked = 0;
        let (head, events) = EncodedEvents::read(bytes.clone(), |_| looked += 1).unwrap();
        assert_eq!((looked, events.len()), (2, 2));
        assert_eq!(events.record_bytes(), bytes);
        let read = Record {
            project: head.project,
            batch_id: head.batch_id,
            received: head.received,
            feed: head.feed,
            profiles: head.profiles,
            events: events.iter().map(owned).collect(),
        };
        assert_eq!(read, record);
        for (row, event) in events.rows.iter().zip(&record.events) {
            assert_eq!(
                (row.person, row.time, row.insert_id),
                (event.person, event.time, event.insert_id)
            );
        }
        for (_, value) in &record.events[0].properties {
            let bytes = postcard::to_stdvec(value).unwrap();
            let encoded: EncodedValue<'_> = postcard::from_bytes(&bytes).unwrap();
            assert_eq!(encoded.to_json(), value.to_json());
        }
    }

    #[test]
    fn damaged_bytes_are_refused_or_read_and_never_panic() {
        let bytes = encode(&record()).unwrap();
        for cut in 0..bytes.len() {
            assert!(
                EncodedEvents::read(bytes[..cut].to_vec(), |_| ()).is_err(),
                "cut at {cut}"
            );
        }
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x80;
            if let Ok((_, events)) = EncodedEvents::read(damaged, |_| ()) {
                assert_eq!(events.iter().count(), events.len());
            }
        }
    }
}
