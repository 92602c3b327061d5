//! Questions about single events: the live view, a person's activity, raw export.
//!
//! First a plan finds which rows these are, reading only what decides that; then one more scan, of their persons and
//! times alone, reads everything they have.

use crate::QueryError;
use crate::definitions::{Resolved, Setting};
use crate::engine::all_columns;
use crate::plan::functions::{Zone, parse_json};
use crate::plan::{Source, event_keys};
use datafusion::arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, PrimitiveArray, StringArray};
use datafusion::arrow::datatypes::{Float64Type, Int32Type, Int64Type, UInt64Type};
use datafusion::arrow::record_batch::RecordBatch;
use hashbrown::HashMap;
use ledger::{Class, Disclosure, Undisclosed, digest_of};
use model::{EventTime, Expression, GroupNumber, InsertId, PersonNumber, Value};
use serde::Serialize;
use std::sync::Arc;
use store::{ColumnKind, ScanRequest, Snapshot};

/// Which events, in which order.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EventsQuery {
    pub from_ms: i64,
    /// Exclusive.
    pub to_ms: i64,
    /// Names; any when absent.
    pub events: Option<Vec<String>>,
    pub filter: Option<Expression>,
    /// Persons; any, and nobody's events too, when absent.
    pub persons: Option<Vec<PersonNumber>>,
    /// Only events received after this one; then the order is that of reception, else that of time.
    pub after_seq: Option<u64>,
    /// Only events behind this one in the order of time: its time and sequence number. So rows can be asked for piece
    /// by piece, each once, however many happened at the same instant.
    pub behind: Option<(EventTime, u64)>,
    pub limit: usize,
    pub newest_first: bool,
}

/// An event as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct EventRow {
    /// Place in the order of reception.
    pub seq: u64,
    pub event: String,
    pub person: PersonNumber,
    pub time: EventTime,
    /// Digest of the client's insert id, if it sent one.
    pub insert_id: Option<InsertId>,
    /// In order of name.
    pub properties: Vec<(String, Value)>,
    pub groups: Vec<(String, Vec<GroupNumber>)>,
}

const NARROW: &str = "the range, or ask for fewer rows";

pub(crate) async fn answer(
    setting: Setting<'_>,
    zone: Zone,
    mut question: EventsQuery,
) -> Result<Undisclosed<Vec<EventRow>>, QueryError> {
    let digest = digest_of(&question);
    let Setting { asking, snapshot, .. } = setting;
    let resolved = Resolved::of_question(setting, &question, question.filter.iter()).await?;
    if let Some(persons) = &mut question.persons {
        persons
            .iter_mut()
            .for_each(|person| *person = snapshot.canonical(*person));
        persons.sort_unstable();
        persons.dedup();
    }
    let source = Source::new(
        snapshot,
        zone,
        question.filter.iter(),
        question.persons.clone(),
        Arc::default(),
        Arc::new(resolved),
    )?;
    let mut wanted = Wanted::default();
    let plan = event_keys(&source, &question)?;
    for batch in asking.collect(&plan, NARROW).await? {
        let column = |index: usize| batch.column(index);
        let seqs = column(0).as_primitive::<UInt64Type>().values();
        let times_ms = column(1).as_primitive::<Int64Type>().values();
        let persons = column(2).as_primitive::<UInt64Type>().values();
        for row in 0..batch.num_rows() {
            wanted.add(seqs[row], times_ms[row], persons[row]);
        }
    }
    let rows = read(snapshot, &question, &wanted).await.map_err(QueryError::Store)?;
    let disclosure = disclosure(&rows, digest);
    Ok(Undisclosed::new(rows, disclosure))
}

/// The rows that were found, by sequence number.
#[derive(Default)]
struct Wanted {
    places: HashMap<u64, usize>,
    times_ms: Option<(i64, i64)>,
    persons: roaring::RoaringTreemap,
}

impl Wanted {
    fn add(&mut self, seq: u64, time_ms: i64, person: u64) {
        self.places.insert(seq, self.places.len());
        self.persons.insert(person);
        let (first, last) = self.times_ms.unwrap_or((time_ms, time_ms));
        self.times_ms = Some((first.min(time_ms), last.max(time_ms)));
    }
}

async fn read(
    snapshot: &Snapshot,
    question: &EventsQuery,
    wanted: &Wanted,
) -> Result<Vec<EventRow>, store::StoreError> {
    let Some((first_ms, last_ms)) = wanted.times_ms else {
        return Ok(Vec::new());
    };
    let request = ScanRequest {
        events: question.events.clone(),
        from_ms: first_ms,
        to_ms: last_ms.saturating_add(1),
        properties: all_columns(snapshot),
        persons: Some(wanted.persons.iter().map(PersonNumber).collect()),
        with_event: true,
        with_seq: true,
        with_insert_id: true,
    };
    let mut found: Vec<Option<EventRow>> = vec![None; wanted.places.len()];
    for partition in 0..snapshot.scan_count() {
        for batch in snapshot.scan(partition, &request)? {
            // A question that nobody waits for any more ends here.
            tokio::task::yield_now().await;
            let batch = batch?;
            let columns = EventColumns::of(&batch);
            for row in 0..batch.num_rows() {
                if let Some(place) = wanted.places.get(&columns.seqs[row]) {
                    found[*place] = Some(columns.row(row));
                }
            }
        }
    }
    Ok(found.into_iter().flatten().collect())
}

/// A batch of the store by column.
struct EventColumns<'a> {
    seqs: &'a [u64],
    persons: &'a [u64],
    times_ms: &'a [i64],
    insert_ids: &'a PrimitiveArray<UInt64Type>,
    events: &'a DictionaryArray<Int32Type>,
    properties: Vec<(&'a str, ColumnKind, &'a ArrayRef)>,
}

impl<'a> EventColumns<'a> {
    fn of(batch: &'a RecordBatch) -> EventColumns<'a> {
        let column = |name: &str| {
            batch
                .column_by_name(name)
                .expect("a scan has the columns it was asked for")
        };
        let schema = batch.schema_ref();
        let mut properties: Vec<(&str, ColumnKind, &ArrayRef)> = schema
            .fields()
            .iter()
            .zip(batch.columns())
            .filter_map(|(field, values)| {
                let (name, kind) = store::parse_physical(field.name())?;
                Some((name, kind, values))
            })
            .collect();
        properties.sort_by_key(|(name, _, _)| *name);
        EventColumns {
            seqs: column("seq").as_primitive::<UInt64Type>().values(),
            persons: column("person").as_primitive::<UInt64Type>().values(),
            times_ms: column("time").as_primitive::<Int64Type>().values(),
            insert_ids: column("insert_id").as_primitive(),
            events: column("event").as_dictionary(),
            properties,
        }
    }

    fn row(&self, row: usize) -> EventRow {
        let mut properties = Vec::new();
        let mut groups = Vec::new();
        for (name, kind, values) in &self.properties {
            if values.is_null(row) {
                continue;
            }
            if *kind == ColumnKind::Group {
                let numbers = values.as_list::<i32>().value(row);
                let numbers = numbers
                    .as_primitive::<UInt64Type>()
                    .values()
                    .iter()
                    .map(|n| GroupNumber(*n));
                groups.push(((*name).to_owned(), numbers.collect()));
            } else {
                properties.push(((*name).to_owned(), value(values, *kind, row)));
            }
        }
        EventRow {
            seq: self.seqs[row],
            event: text(self.events, row).to_owned(),
            person: PersonNumber(self.persons[row]),
            time: EventTime(self.times_ms[row]),
            insert_id: self
                .insert_ids
                .is_valid(row)
                .then(|| InsertId(self.insert_ids.value(row))),
            properties,
            groups,
        }
    }
}

fn text(column: &DictionaryArray<Int32Type>, row: usize) -> &str {
    let values: &StringArray = column.values().as_string();
    values.value(column.keys().value(row) as usize)
}

fn value(values: &ArrayRef, kind: ColumnKind, row: usize) -> Value {
    match kind {
        ColumnKind::String => Value::String(text(values.as_dictionary(), row).to_owned()),
        ColumnKind::Number => Value::Number(values.as_primitive::<Float64Type>().value(row)),
        ColumnKind::Bool => Value::Bool(values.as_boolean().value(row)),
        ColumnKind::Json => parse_json(values.as_string::<i32>().value(row)).unwrap_or_default(),
        ColumnKind::Group => Value::Null,
    }
}

/// Rows show their persons and every column that any of them has.
fn disclosure(rows: &[EventRow], question_digest: [u8; 32]) -> Disclosure {
    let mut persons = roaring::RoaringTreemap::new();
    let mut fields = std::collections::BTreeSet::new();
    for row in rows {
        if !row.person.is_nobody() {
            persons.insert(row.person.0);
        }
        let groups = row.groups.iter().map(|(name, _)| name);
        for name in row.properties.iter().map(|(name, _)| name).chain(groups) {
            if !fields.contains(name) {
                fields.insert(name.clone());
            }
        }
    }
    if !rows.is_empty() {
        fields.extend(["$event_name", "$time"].map(str::to_owned));
    }
    Disclosure {
        class: Class::D2,
        persons,
        fields,
        question_digest,
    }
}
