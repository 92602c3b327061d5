//! The rows that operators read: columns `person`, `time`, `event` and perhaps `seq`, and one group of columns per
//! filter, number and breakdown of the definition, which the plan computes below the operator.
//!
//! | Column | Holds |
//! |---|---|
//! | `filter 0` | whether selector 0's filter keeps the row |
//! | `number 0` | metric 0's number |
//! | `breakdown 0:text`, `:number`, `:flag`, `:json`, `:group` | value of breakdown 0, in the one of its types that it has |
//! | any of these with ` fault` | whether its evaluation was a type error |

use crate::error::TypeFault;
use crate::segments::{SegmentIndex, SegmentValue};
use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, DictionaryArray, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{Float64Type, Int32Type, Int64Type, SchemaRef, UInt64Type};
use datafusion::common::{Result, internal_err};
use hashbrown::HashMap;
use model::Value;
use model::report::{METRICS_MAX, STEPS_MAX};

// Selectors are bits of a word.
const _: () = assert!(METRICS_MAX <= 32 && STEPS_MAX <= 32);

pub(crate) const BREAKDOWN_TYPES: [&str; 5] = ["text", "number", "flag", "json", "group"];

pub(crate) fn filter_name(selector: usize) -> String {
    format!("filter {selector}")
}

pub(crate) fn number_name(metric: usize) -> String {
    format!("number {metric}")
}

pub(crate) fn breakdown_name(breakdown: usize, of_type: &str) -> String {
    format!("breakdown {breakdown}:{of_type}")
}

pub(crate) fn fault_name(of: &str) -> String {
    format!("{of} fault")
}

fn place(schema: &SchemaRef, name: &str) -> Option<usize> {
    schema.index_of(name).ok()
}

/// Name of the group of columns that a breakdown's fault belongs to.
pub(crate) fn breakdown_group(breakdown: usize) -> String {
    format!("breakdown {breakdown}")
}

/// Persons and times of a batch.
pub(crate) struct Rows<'a> {
    pub persons: &'a [u64],
    pub times_ms: &'a [i64],
}

impl<'a> Rows<'a> {
    pub fn of(batch: &'a RecordBatch) -> Result<Rows<'a>> {
        Ok(Rows {
            persons: column(batch, "person")?.as_primitive::<UInt64Type>().values(),
            times_ms: column(batch, "time")?.as_primitive::<Int64Type>().values(),
        })
    }

    pub fn seqs(batch: &'a RecordBatch) -> Result<&'a [u64]> {
        Ok(column(batch, "seq")?.as_primitive::<UInt64Type>().values())
    }
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef> {
    match batch.column_by_name(name) {
        Some(column) => Ok(column),
        None => internal_err!("an operator misses its column '{name}'"),
    }
}

/// Refuses the question if a row that matters had a type error.
fn check_faults(batch: &RecordBatch, fault: Option<usize>, what: &str, matters: impl Fn(usize) -> bool) -> Result<()> {
    let Some(fault) = fault else { return Ok(()) };
    let faults = batch.column(fault).as_boolean();
    if (0..faults.len()).any(|row| faults.is_valid(row) && faults.value(row) && matters(row)) {
        return Err(TypeFault::raise(what));
    }
    Ok(())
}

/// Which events each metric, step or cohort looks at: by name here, by filter in a column.
#[derive(Debug)]
pub(crate) struct Selectors {
    events: Vec<Option<String>>,
    filters: Vec<Option<usize>>,
    faults: Vec<Option<usize>>,
}

impl Selectors {
    pub fn new(events: &[Option<String>], schema: &SchemaRef) -> Selectors {
        let names: Vec<String> = (0..events.len()).map(filter_name).collect();
        Selectors {
            events: events.to_vec(),
            filters: names.iter().map(|name| place(schema, name)).collect(),
            faults: names.iter().map(|name| place(schema, &fault_name(name))).collect(),
        }
    }

    /// Sets bit `i` of each row's mask where selector `i` looks at the row.
    pub fn masks(&self, batch: &RecordBatch, masks: &mut Vec<u32>) -> Result<()> {
        self.masks_by_name(batch, masks)?;
        for (selector, (filter, fault)) in self.filters.iter().zip(&self.faults).enumerate() {
            let bit = 1_u32 << selector;
            check_faults(batch, *fault, "a filter", |row| masks[row] & bit != 0)?;
            let Some(filter) = filter else { continue };
            let keeps = batch.column(*filter).as_boolean();
            for (row, mask) in masks.iter_mut().enumerate() {
                // A filter that is not set does not keep the row; its value bit may be anything.
                let kept = keeps.value(row) & keeps.is_valid(row);
                *mask &= !(bit * u32::from(!kept));
            }
        }
        Ok(())
    }

    fn masks_by_name(&self, batch: &RecordBatch, masks: &mut Vec<u32>) -> Result<()> {
        masks.clear();
        let every = self.events.iter().enumerate().filter(|(_, event)| event.is_none());
        let any_event: u32 = every.map(|(selector, _)| 1 << selector).sum();
        if self.events.iter().all(Option::is_none) {
            masks.resize(batch.num_rows(), any_event);
            return Ok(());
        }
        let events = column(batch, "event")?.as_dictionary::<Int32Type>();
        let names: &StringArray = events.values().as_string();
        let by_name: Vec<u32> = names
            .iter()
            .map(|name| {
                let named = self.events.iter().enumerate();
                let named = named.filter(|(_, event)| event.is_some() && event.as_deref() == name);
                named.fold(any_event, |mask, (selector, _)| mask | 1 << selector)
            })
            .collect();
        masks.extend(events.keys().values().iter().map(|key| by_name[*key as usize]));
        Ok(())
    }
}

/// The column with a metric's number.
#[derive(Debug)]
pub(crate) struct Number {
    place: Option<usize>,
    fault: Option<usize>,
}

impl Number {
    pub fn new(metric: usize, schema: &SchemaRef) -> Number {
        let name = number_name(metric);
        Number {
            place: place(schema, &name),
            fault: place(schema, &fault_name(&name)),
        }
    }

    /// The numbers of a batch, if the metric has any.
    pub fn of<'a>(
        &self,
        batch: &'a RecordBatch,
        matters: impl Fn(usize) -> bool,
    ) -> Result<Option<&'a datafusion::arrow::array::Float64Array>> {
        check_faults(batch, self.fault, "a measured property", matters)?;
        Ok(self
            .place
            .map(|place| batch.column(place).as_primitive::<Float64Type>()))
    }
}

/// Turns breakdown columns into segments.
#[derive(Debug)]
pub(crate) struct Breakdowns {
    columns: Vec<BreakdownColumns>,
    pub index: SegmentIndex,
    /// Segments of rows that belong to several; see [`SegmentsOfRows`].
    lists: Vec<Vec<u32>>,
    list_places: HashMap<Vec<u32>, u32>,
}

#[derive(Debug)]
struct BreakdownColumns {
    /// By [`BREAKDOWN_TYPES`].
    places: [Option<usize>; 5],
    fault: Option<usize>,
    not_set: u32,
    /// Value numbers of JSON texts that were parsed before.
    parsed: HashMap<Box<str>, Vec<u32>>,
}

/// A row's segment: a number, or with this bit the place of a list of numbers.
const IS_LIST: u32 = 1 << 31;

impl Breakdowns {
    pub fn new(breakdowns: usize, schema: &SchemaRef) -> Breakdowns {
        let mut index = SegmentIndex::default();
        let columns = (0..breakdowns)
            .map(|breakdown| BreakdownColumns {
                places: BREAKDOWN_TYPES.map(|of_type| place(schema, &breakdown_name(breakdown, of_type))),
                fault: place(schema, &fault_name(&breakdown_group(breakdown))),
                not_set: index.value(SegmentValue::NotSet),
                parsed: HashMap::new(),
            })
            .collect();
        Breakdowns {
            columns,
            index,
            lists: Vec::new(),
            list_places: HashMap::new(),
        }
    }

    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// The segments of a row, given what [`Breakdowns::of_rows`] wrote for it.
    #[inline]
    pub fn segments<'a>(&'a self, row: &'a u32) -> &'a [u32] {
        if row & IS_LIST == 0 {
            std::slice::from_ref(row)
        } else {
            &self.lists[(row & !IS_LIST) as usize]
        }
    }

    pub fn size_bytes(&self) -> usize {
        self.index.size_bytes() + self.lists.len() * 96
    }

    /// Writes the segment of each row that matters.
    pub fn of_rows(
        &mut self,
        batch: &RecordBatch,
        segments: &mut Vec<u32>,
        matters: impl Fn(usize) -> bool,
    ) -> Result<()> {
        let rows = batch.num_rows();
        segments.clear();
        if self.columns.is_empty() {
            let everybody = self.index.segment([0; 3]);
            segments.resize(rows, everybody);
            return Ok(());
        }
        let mut values = Vec::with_capacity(self.columns.len());
        for columns in &mut self.columns {
            check_faults(batch, columns.fault, "a breakdown", &matters)?;
            let mut of_rows = vec![RowValues::One(columns.not_set); rows];
            columns.fill(batch, &mut self.index, &mut of_rows, &matters);
            values.push(of_rows);
        }
        let mut last = ([u32::MAX; 3], 0);
        for row in 0..rows {
            let mut single = [0; 3];
            let mut many = false;
            for (place, values) in values.iter().enumerate() {
                match &values[row] {
                    RowValues::One(value) => single[place] = *value,
                    RowValues::Many(_) => many = true,
                }
            }
            if many {
                segments.push(self.several(row, &values));
                continue;
            }
            if last.0 != single {
                last = (single, self.index.segment(single));
            }
            segments.push(last.1);
        }
        Ok(())
    }

    /// The list of all combinations of a row's values.
    fn several(&mut self, row: usize, values: &[Vec<RowValues>]) -> u32 {
        let mut combinations = vec![[0; 3]];
        for (place, values) in values.iter().enumerate() {
            let choices = values[row].all();
            let longer = combinations.iter().flat_map(|combination| {
                choices.iter().map(move |choice| {
                    let mut longer = *combination;
                    longer[place] = *choice;
                    longer
                })
            });
            combinations = longer.collect();
        }
        let list: Vec<u32> = combinations
            .into_iter()
            .map(|combination| self.index.segment(combination))
            .collect();
        let next = self.lists.len() as u32;
        let place = *self.list_places.entry(list).or_insert_with_key(|list| {
            self.lists.push(list.clone());
            next
        });
        place | IS_LIST
    }
}

/// The values of one breakdown for one row.
#[derive(Clone, Debug)]
enum RowValues {
    One(u32),
    Many(Vec<u32>),
}

impl RowValues {
    fn all(&self) -> &[u32] {
        match self {
            RowValues::One(value) => std::slice::from_ref(value),
            RowValues::Many(values) => values,
        }
    }

    fn new(mut values: Vec<u32>) -> RowValues {
        match values.as_slice() {
            [one] => RowValues::One(*one),
            _ => {
                values.shrink_to_fit();
                RowValues::Many(values)
            }
        }
    }
}

impl BreakdownColumns {
    fn fill(
        &mut self,
        batch: &RecordBatch,
        index: &mut SegmentIndex,
        values: &mut [RowValues],
        matters: &impl Fn(usize) -> bool,
    ) {
        let [text, number, flag, json, group] = self.places.map(|place| place.map(|place| batch.column(place)));
        if let Some(text) = text {
            fill_text(text, index, values, matters);
        }
        if let Some(number) = number {
            let numbers = number.as_primitive::<Float64Type>();
            let mut last = (f64::NAN.to_bits(), 0);
            set_rows(
                numbers.len(),
                values,
                |row| (numbers.is_valid(row) && matters(row)).then_some(row),
                |row| {
                    let bits = numbers.value(row).to_bits();
                    if last.0 != bits {
                        last = (bits, index.value(SegmentValue::number(numbers.value(row))));
                    }
                    RowValues::One(last.1)
                },
            );
        }
        if let Some(flag) = flag {
            fill_flags(flag.as_boolean(), index, values, matters);
        }
        if let Some(json) = json {
            let texts = json.as_string::<i32>();
            set_rows(
                texts.len(),
                values,
                |row| (texts.is_valid(row) && matters(row)).then_some(row),
                |row| RowValues::new(self.parse(texts.value(row), index)),
            );
        }
        if let Some(group) = group {
            let groups = group.as_list::<i32>();
            set_rows(
                groups.len(),
                values,
                |row| (groups.is_valid(row) && matters(row)).then_some(row),
                |row| {
                    let numbers = groups.value(row);
                    let numbers = numbers.as_primitive::<UInt64Type>().values().iter();
                    let numbers = numbers.map(|number| Value::Number(*number as f64)).collect();
                    let values = SegmentValue::of_json(&Value::List(numbers));
                    RowValues::new(values.into_iter().map(|value| index.value(value)).collect())
                },
            );
        }
    }

    fn parse(&mut self, text: &str, index: &mut SegmentIndex) -> Vec<u32> {
        if let Some(known) = self.parsed.get(text) {
            return known.clone();
        }
        let value = crate::plan::functions::parse_json(text).unwrap_or_default();
        let values: Vec<u32> = SegmentValue::of_json(&value)
            .into_iter()
            .map(|value| index.value(value))
            .collect();
        self.parsed.insert(text.into(), values.clone());
        values
    }
}

fn set_rows(
    rows: usize,
    values: &mut [RowValues],
    wanted: impl Fn(usize) -> Option<usize>,
    mut value: impl FnMut(usize) -> RowValues,
) {
    for row in (0..rows).filter_map(wanted) {
        values[row] = value(row);
    }
}

fn fill_flags(
    flags: &BooleanArray,
    index: &mut SegmentIndex,
    values: &mut [RowValues],
    matters: &impl Fn(usize) -> bool,
) {
    let numbers = [false, true].map(|flag| index.value(SegmentValue::Bool(flag)));
    set_rows(
        flags.len(),
        values,
        |row| (flags.is_valid(row) && matters(row)).then_some(row),
        |row| RowValues::One(numbers[usize::from(flags.value(row))]),
    );
}

/// Texts get their numbers once per distinct text of a batch.
fn fill_text(array: &ArrayRef, index: &mut SegmentIndex, values: &mut [RowValues], matters: &impl Fn(usize) -> bool) {
    let mut number = |text: &str| index.value(SegmentValue::Text(text.into()));
    let Some(dictionary) = array.as_dictionary_opt::<Int32Type>() else {
        let texts = array.as_string::<i32>();
        set_rows(
            texts.len(),
            values,
            |row| (texts.is_valid(row) && matters(row)).then_some(row),
            |row| RowValues::One(number(texts.value(row))),
        );
        return;
    };
    let dictionary: &DictionaryArray<Int32Type> = dictionary;
    let texts: &StringArray = dictionary.values().as_string();
    let mut numbers: Vec<Option<u32>> = vec![None; texts.len()];
    let keys = dictionary.keys();
    set_rows(
        keys.len(),
        values,
        |row| (keys.is_valid(row) && matters(row)).then_some(row),
        |row| {
            let key = keys.value(row) as usize;
            RowValues::One(*numbers[key].get_or_insert_with(|| number(texts.value(key))))
        },
    );
}
