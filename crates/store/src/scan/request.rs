//! What a scan is asked for.

use crate::columns::{ColumnKind, parse_physical, string_type};
use crate::error::StoreError;
use crate::retention::Cutoffs;
use crate::rows::{EVENT, INSERT_ID, OVERFLOW, PERSON, SEQ, TIME, overflow};
use crate::segment::footer::Footer;
use crate::segment::reader::{RowRange, ranges_of};
use arrow::array::{Array, ArrayRef, AsArray, new_null_array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use hashbrown::HashSet;
use model::PersonNumber;
use roaring::RoaringTreemap;
use std::sync::Arc;

/// Which rows and columns a scan returns.
#[derive(Clone, Debug)]
pub struct ScanRequest {
    /// Event names; `None` for all.
    pub events: Option<Vec<String>>,
    /// First instant wanted, in milliseconds since 1970.
    pub from_ms: i64,
    /// First instant not wanted any more.
    pub to_ms: i64,
    /// Physical names of the property columns wanted, e.g. `plan:string`. Need not exist.
    pub properties: Vec<String>,
    /// Canonical person numbers; `None` for all.
    pub persons: Option<Vec<PersonNumber>>,
    /// Whether the rows' event names are wanted.
    pub with_event: bool,
    /// Whether the rows' sequence numbers are wanted.
    pub with_seq: bool,
    /// Whether the digests of the rows' insert ids are wanted; null where the client sent none.
    pub with_insert_id: bool,
}

impl ScanRequest {
    /// All rows of all time without properties.
    pub fn everything() -> ScanRequest {
        ScanRequest {
            events: None,
            from_ms: i64::MIN,
            to_ms: i64::MAX,
            properties: Vec::new(),
            persons: None,
            with_event: true,
            with_seq: false,
            with_insert_id: false,
        }
    }
}

/// A request in the form that the scan's loops use.
pub(super) struct Resolved {
    events: Option<HashSet<String>>,
    pub from_ms: i64,
    pub to_ms: i64,
    pub properties: Vec<(String, ColumnKind)>,
    pub persons: Option<RoaringTreemap>,
    /// The fixed columns wanted, in the order of the result.
    pub fixed: Vec<&'static str>,
    pub schema: SchemaRef,
    cutoffs: Arc<Cutoffs>,
}

impl Resolved {
    pub fn new(request: &ScanRequest, cutoffs: Arc<Cutoffs>) -> Result<Resolved, StoreError> {
        let mut fields = Vec::new();
        if request.with_event {
            fields.push(Field::new(EVENT, string_type(), false));
        }
        fields.push(Field::new(PERSON, DataType::UInt64, false));
        fields.push(Field::new(TIME, DataType::Int64, false));
        if request.with_seq {
            fields.push(Field::new(SEQ, DataType::UInt64, false));
        }
        if request.with_insert_id {
            fields.push(Field::new(INSERT_ID, DataType::UInt64, true));
        }
        let mut properties = Vec::new();
        for physical in &request.properties {
            let (_, kind) = parse_physical(physical)
                .ok_or_else(|| StoreError::Invalid(format!("{physical:?} is no physical column name")))?;
            fields.push(Field::new(physical, kind.data_type(), true));
            properties.push((physical.clone(), kind));
        }
        Ok(Resolved {
            events: request.events.as_ref().map(|events| events.iter().cloned().collect()),
            from_ms: request.from_ms,
            to_ms: request.to_ms,
            properties,
            persons: request
                .persons
                .as_ref()
                .map(|persons| persons.iter().map(|person| person.0).collect()),
            fixed: [
                request.with_event.then_some(EVENT),
                Some(PERSON),
                Some(TIME),
                request.with_seq.then_some(SEQ),
                request.with_insert_id.then_some(INSERT_ID),
            ]
            .into_iter()
            .flatten()
            .collect(),
            schema: Arc::new(Schema::new(fields)),
            cutoffs,
        })
    }

    pub fn wants_event(&self, event: &str) -> bool {
        self.events.as_ref().is_none_or(|events| events.contains(event))
    }

    /// The first instant wanted of an event: what is asked for, or what is kept.
    pub fn first_ms_of(&self, event: &str) -> i64 {
        self.from_ms.max(self.cutoffs.of(event))
    }

    /// Whether a block of rows may hold some that are wanted by their event and not by their time.
    pub fn cuts(&self, first_ms: i64, last_ms: i64) -> bool {
        self.from_ms.max(self.cutoffs.latest_ms()) > first_ms || self.to_ms <= last_ms
    }

    /// Rows of a segment that may be wanted, by event and time.
    pub fn ranges(&self, footer: &Footer) -> Vec<RowRange> {
        let wanted = |event: &str| self.wants_event(event).then(|| self.first_ms_of(event));
        ranges_of(footer, wanted, self.to_ms)
    }

    pub fn overlaps(&self, first_ms: i64, last_ms: i64) -> bool {
        last_ms >= self.from_ms && first_ms < self.to_ms
    }

    /// The columns of a source that are needed for the wanted properties.
    pub fn source_columns(&self, has: impl Fn(&str) -> bool) -> Vec<&str> {
        let mut columns: Vec<&str> = Vec::new();
        let mut overflow = false;
        for (physical, _) in &self.properties {
            if physical != OVERFLOW && has(physical) {
                columns.push(physical);
            } else {
                overflow = true;
            }
        }
        if overflow && has(OVERFLOW) {
            columns.push(OVERFLOW);
        }
        columns
    }

    /// The wanted property columns of a batch that has the [`Resolved::source_columns`].
    pub fn property_columns(&self, batch: &RecordBatch) -> Vec<ArrayRef> {
        let rows = batch.num_rows();
        let overflowed = batch.column_by_name(OVERFLOW);
        self.properties
            .iter()
            .map(|(physical, kind)| match batch.column_by_name(physical) {
                Some(values) if physical != OVERFLOW => values.clone(),
                _ => match overflowed {
                    Some(objects) => overflow::extract(objects.as_string(), physical, *kind),
                    None => new_null_array(&kind.data_type(), rows),
                },
            })
            .collect()
    }

    /// A batch of the scan's schema. `columns` are the [`Resolved::fixed`].
    pub fn assemble(&self, mut columns: Vec<ArrayRef>, properties: Vec<ArrayRef>) -> RecordBatch {
        columns.extend(properties);
        debug_assert!(columns.iter().all(|column| column.len() == columns[0].len()));
        RecordBatch::try_new(self.schema.clone(), columns).expect("columns have the types of the scan's schema")
    }
}
