//! The rows that operators read: columns `person`, `time`, `event` and perhaps `seq`, and one group of columns per
//! filter, number and breakdown of the definition, which the plan computes below the operator.
//!
//! | Column | Holds |
//! |---|---|
//! | `filter 0` | whether selector 0's filter keeps the row |
//! | `number 0` | metric 0's number |
//! | `breakdown 0:text`, `:number`, `:flag`, `:json`, `:group` | value of breakdown 0, in the one of its types that it has |
//! | `value 0:text` and so on | metric 0's value, where it counts distinct ones |
//! | any of these with ` fault` | whether its evaluation was a type error |

use super::cells::segment_text;
use crate::error::TypeFault;
use crate::segments::{SegmentIndex, SegmentValue};
use datafusion::arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{Float64Type, Int32Type, Int64Type, SchemaRef, UInt64Type};
use datafusion::common::{Result, internal_err};
use hashbrown::{HashMap, HashSet};
use model::Value;
use model::report::{METRICS_MAX, STEPS_MAX, Segment, range_name};
use std::sync::Arc;

// Selectors are bits of a word.
const _: () = assert!(METRICS_MAX <= 32 && STEPS_MAX <= 32);

pub(crate) const BREAKDOWN_TYPES: [&str; 5] = ["text", "number", "flag", "json", "group"];

pub(crate) fn filter_name(selector: usize) -> String {
    format!("filter {selector}")
}

/// The report's own filter, for questions that need the rows it does not keep too.
pub(crate) const COMMON_FILTER: &str = "filter of all";

pub(crate) fn number_name(metric: usize) -> String {
    format!("number {metric}")
}

/// Column of one of the types that a breakdown or a value can have, by the name of its group.
pub(crate) fn variant_name(group: &str, of_type: &str) -> String {
    format!("{group}:{of_type}")
}

pub(crate) fn value_group(metric: usize) -> String {
    format!("value {metric}")
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

    /// Places in the order of reception, where the question needs them.
    pub fn seqs(batch: &'a RecordBatch) -> Option<&'a [u64]> {
        let seqs = batch.column_by_name("seq")?;
        Some(seqs.as_primitive::<UInt64Type>().values())
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
    /// A filter for all, where the rows were not filtered below, and its fault.
    common: Option<(usize, Option<usize>)>,
}

impl Selectors {
    pub fn new(events: &[Option<String>], schema: &SchemaRef) -> Selectors {
        Selectors::over(events, 0, schema)
    }

    /// Selectors whose filters are the columns from a place on.
    pub fn over(events: &[Option<String>], filters: usize, schema: &SchemaRef) -> Selectors {
        let names: Vec<String> = (filters..filters + events.len()).map(filter_name).collect();
        Selectors {
            events: events.to_vec(),
            filters: names.iter().map(|name| place(schema, name)).collect(),
            faults: names.iter().map(|name| place(schema, &fault_name(name))).collect(),
            common: place(schema, COMMON_FILTER).map(|filter| (filter, place(schema, &fault_name(COMMON_FILTER)))),
        }
    }

    /// Whether some selector names one of the events that the batch may hold.
    pub fn may_look_at(&self, batch: &RecordBatch) -> Result<bool> {
        if self.events.iter().any(Option::is_none) {
            return Ok(true);
        }
        let names: &StringArray = column(batch, "event")?
            .as_dictionary::<Int32Type>()
            .values()
            .as_string();
        Ok(names
            .iter()
            .any(|name| self.events.iter().any(|event| event.as_deref() == name)))
    }

    /// Sets bit `i` of each row's mask where selector `i` looks at the row.
    pub fn masks(&self, batch: &RecordBatch, masks: &mut Vec<u32>) -> Result<()> {
        self.masks_where(batch, masks, |_| true)
    }

    /// Like [`Selectors::masks`]; rows that do not matter get no bits, and what their filters say is not looked at.
    pub fn masks_where(
        &self,
        batch: &RecordBatch,
        masks: &mut Vec<u32>,
        matters: impl Fn(usize) -> bool,
    ) -> Result<()> {
        self.masks_by_name(batch, masks)?;
        if masks.iter().all(|mask| *mask == 0) {
            return Ok(());
        }
        for (row, mask) in masks.iter_mut().enumerate() {
            *mask *= u32::from(matters(row));
        }
        if let Some((filter, fault)) = self.common {
            check_faults(batch, fault, "a filter", |row| masks[row] != 0)?;
            keep(batch, filter, u32::MAX, masks);
        }
        for (selector, (filter, fault)) in self.filters.iter().zip(&self.faults).enumerate() {
            let bit = 1_u32 << selector;
            check_faults(batch, *fault, "a filter", |row| masks[row] & bit != 0)?;
            let Some(filter) = filter else { continue };
            keep(batch, *filter, bit, masks);
        }
        Ok(())
    }

    /// Sets bit `i` of each row's mask where selector `i` names the row's event.
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
        match by_name.as_slice() {
            [mask] => masks.resize(batch.num_rows(), *mask),
            _ => masks.extend(events.keys().values().iter().map(|key| by_name[*key as usize])),
        }
        Ok(())
    }
}

/// Takes bits from the rows that a filter does not keep.
fn keep(batch: &RecordBatch, filter: usize, bits: u32, masks: &mut [u32]) {
    let keeps = batch.column(filter).as_boolean();
    for (row, mask) in masks.iter_mut().enumerate() {
        // A filter that is not set does not keep the row; its value bit may be anything.
        let kept = keeps.value(row) & keeps.is_valid(row);
        *mask &= !(bits * u32::from(!kept));
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
    columns: Vec<ValueColumns>,
    pub index: SegmentIndex,
    /// Numbers that rows with several values point to.
    values: Lists,
    /// Numbers that rows with several segments point to.
    segments: Lists,
    rest: Option<Rest>,
}

/// All segments but the shown ones, as one.
#[derive(Debug)]
struct Rest {
    /// As JSON texts.
    shown: Arc<HashSet<String>>,
    /// Whether each segment is of the rest, once known.
    known: Vec<Option<bool>>,
}

/// Lists of numbers, each by its place with [`IS_LIST`] set, so that a row needs one word whether it has one number
/// or several.
#[derive(Debug, Default)]
pub(super) struct Lists {
    lists: Vec<Vec<u32>>,
    places: HashMap<Vec<u32>, u32>,
}

const IS_LIST: u32 = 1 << 31;

impl Lists {
    /// The word that stands for some numbers.
    fn word(&mut self, numbers: Vec<u32>) -> u32 {
        if let [one] = numbers.as_slice() {
            return *one;
        }
        let next = self.lists.len() as u32;
        let place = *self.places.entry(numbers).or_insert_with_key(|numbers| {
            self.lists.push(numbers.clone());
            next
        });
        place | IS_LIST
    }

    #[inline]
    pub fn numbers<'a>(&'a self, word: &'a u32) -> &'a [u32] {
        if word & IS_LIST == 0 {
            std::slice::from_ref(word)
        } else {
            &self.lists[(word & !IS_LIST) as usize]
        }
    }

    /// The word for the segments of one breakdown's values.
    fn of_values(&mut self, values: &[u32], index: &mut SegmentIndex) -> u32 {
        let segments = values.iter().map(|value| index.segment([*value, 0, 0]));
        self.word(segments.collect())
    }

    pub fn size_bytes(&self) -> usize {
        self.lists.len() * 128
    }
}

/// The columns of one value.
#[derive(Debug)]
pub(super) struct ValueColumns {
    /// By [`BREAKDOWN_TYPES`].
    places: [Option<usize>; 5],
    fault: Option<usize>,
    not_set: u32,
    /// Words of JSON texts that were parsed before.
    parsed: HashMap<Box<str>, u32>,
    /// Edges of ranges, and the numbers of the ranges between them.
    ranges: Option<(Arc<[f64]>, Vec<u32>)>,
    /// Words of the batch's rows.
    pub words: Vec<u32>,
}

impl Breakdowns {
    pub fn new(breakdowns: usize, schema: &SchemaRef) -> Breakdowns {
        Breakdowns::over(0..breakdowns, schema)
    }

    /// Those of the definition's breakdowns that lie in a range of places.
    pub fn over(breakdowns: std::ops::Range<usize>, schema: &SchemaRef) -> Breakdowns {
        let mut index = SegmentIndex::default();
        let columns = breakdowns
            .map(|breakdown| ValueColumns::new(&breakdown_group(breakdown), schema, &mut index))
            .collect();
        Breakdowns {
            columns,
            index,
            values: Lists::default(),
            segments: Lists::default(),
            rest: None,
        }
    }

    /// Puts the numbers of a breakdown into ranges.
    pub fn set_ranges(&mut self, breakdown: usize, edges: &Arc<[f64]>) {
        let ranges = 0..=edges.len();
        let numbers = ranges.map(|range| {
            let name = range_name(edges, range);
            self.index.value(SegmentValue::Text(name.into()))
        });
        self.columns[breakdown].ranges = Some((edges.clone(), numbers.collect()));
    }

    /// From now on there is one segment, of everything but the shown ones; rows of these alone have none.
    pub fn set_rest(&mut self, shown: Arc<HashSet<String>>) {
        self.rest = Some(Rest {
            shown,
            known: Vec::new(),
        });
    }

    /// A segment as the answer shows it.
    pub fn shown(&self, segment: u32) -> Segment {
        match self.rest {
            Some(_) => Vec::new(),
            None => self.index.shown(segment, self.len()),
        }
    }

    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// The word of a row without a value, where there is one breakdown.
    pub fn not_set(&mut self) -> u32 {
        let not_set = self.columns[0].not_set;
        self.index.segment([not_set, 0, 0])
    }

    /// The segments of a row, given the word that [`Breakdowns::of_rows`] wrote for it.
    #[inline]
    pub fn segments<'a>(&'a self, word: &'a u32) -> &'a [u32] {
        self.segments.numbers(word)
    }

    pub fn size_bytes(&self) -> usize {
        self.index.size_bytes() + self.values.size_bytes() + self.segments.size_bytes()
    }

    /// Writes a word for the segments of each row that matters; other rows get any word.
    pub fn of_rows(
        &mut self,
        batch: &RecordBatch,
        words: &mut Vec<u32>,
        matters: impl Fn(usize) -> bool,
    ) -> Result<()> {
        let rows = batch.num_rows();
        words.clear();
        if self.columns.is_empty() {
            let everybody = self.index.segment([0; 3]);
            words.resize(rows, everybody);
            return Ok(());
        }
        for columns in &mut self.columns {
            columns.fill(batch, "a breakdown", &mut self.index, &mut self.values, &matters)?;
        }
        if let ([columns], None) = (self.columns.as_slice(), &self.rest) {
            let (index, values, segments) = (&mut self.index, &self.values, &mut self.segments);
            words.extend(columns.words.iter().map(|word| match word & IS_LIST {
                0 => index.segment([*word, 0, 0]),
                _ => segments.of_values(values.numbers(word), index),
            }));
            return Ok(());
        }
        // No row has these values: there are never so many lists.
        let (mut last, mut last_word) = ([u32::MAX; 3], 0);
        for row in 0..rows {
            let mut values = [0; 3];
            for (value, columns) in values.iter_mut().zip(&self.columns) {
                *value = columns.words[row];
            }
            if values != last {
                last = values;
                last_word = self.word(values);
            }
            words.push(last_word);
        }
        Ok(())
    }

    /// The word for all combinations of a row's values.
    fn word(&mut self, values: [u32; 3]) -> u32 {
        if values.iter().all(|word| word & IS_LIST == 0) {
            let segment = self.index.segment(values);
            return match self.rest {
                None => segment,
                Some(_) => self.rest_word(&[segment]),
            };
        }
        let mut combinations = vec![[0; 3]];
        for (place, word) in values.iter().enumerate() {
            let choices = self.values.numbers(word);
            let longer = combinations.iter().flat_map(|combination| {
                choices.iter().map(move |choice| {
                    let mut longer = *combination;
                    longer[place] = *choice;
                    longer
                })
            });
            combinations = longer.collect();
        }
        let segments = combinations
            .into_iter()
            .map(|combination| self.index.segment(combination));
        let segments: Vec<u32> = segments.collect();
        match self.rest {
            None => self.segments.word(segments),
            Some(_) => self.rest_word(&segments),
        }
    }

    /// The word of the one segment if any of `segments` is not shown, else that of none.
    fn rest_word(&mut self, segments: &[u32]) -> u32 {
        let everything = self.index.segment([0; 3]);
        let breakdowns = self.len();
        let Some(rest) = &mut self.rest else {
            return everything;
        };
        let is_rest = segments.iter().any(|segment| {
            let place = *segment as usize;
            if rest.known.len() <= place {
                rest.known.resize(place + 1, None);
            }
            *rest.known[place].get_or_insert_with(|| {
                let shown = self.index.shown(*segment, breakdowns);
                !rest.shown.contains(&segment_text(&shown))
            })
        });
        match is_rest {
            true => everything,
            false => self.segments.word(Vec::new()),
        }
    }
}

impl ValueColumns {
    pub fn new(group: &str, schema: &SchemaRef, index: &mut SegmentIndex) -> ValueColumns {
        ValueColumns {
            places: BREAKDOWN_TYPES.map(|of_type| place(schema, &variant_name(group, of_type))),
            fault: place(schema, &fault_name(group)),
            not_set: index.value(SegmentValue::NotSet),
            parsed: HashMap::new(),
            ranges: None,
            words: Vec::new(),
        }
    }

    /// Writes a word for the values of each row that matters; other rows get any word.
    pub fn fill(
        &mut self,
        batch: &RecordBatch,
        what: &str,
        index: &mut SegmentIndex,
        lists: &mut Lists,
        matters: &impl Fn(usize) -> bool,
    ) -> Result<()> {
        check_faults(batch, self.fault, what, matters)?;
        self.words.clear();
        self.words.resize(batch.num_rows(), self.not_set);
        let words = &mut self.words;
        let [text, number, flag, json, group] = self.places.map(|place| place.map(|place| batch.column(place)));
        if let Some(text) = text {
            fill_text(text, index, words, matters);
        }
        if let Some(number) = number {
            let numbers = number.as_primitive::<Float64Type>();
            let (mut last, mut last_word) = (f64::NAN.to_bits(), 0);
            set_words(numbers, words, matters, |row| {
                let bits = numbers.value(row).to_bits();
                if last != bits {
                    last = bits;
                    last_word = match &self.ranges {
                        None => index.value(SegmentValue::number(numbers.value(row))),
                        Some((edges, ranges)) => ranges[edges.partition_point(|edge| *edge <= numbers.value(row))],
                    };
                }
                last_word
            });
        }
        if let Some(flag) = flag {
            let flags = flag.as_boolean();
            let numbers = [false, true].map(|flag| index.value(SegmentValue::Bool(flag)));
            set_words(flags, words, matters, |row| numbers[usize::from(flags.value(row))]);
        }
        let mut word_of = |value: &Value| {
            let values = SegmentValue::of_json(value).into_iter();
            lists.word(values.map(|value| index.value(value)).collect())
        };
        if let Some(json) = json {
            let texts = json.as_string::<i32>();
            set_words(texts, words, matters, |row| {
                let text = texts.value(row);
                if let Some(known) = self.parsed.get(text) {
                    return *known;
                }
                let word = word_of(&crate::plan::functions::parse_json(text).unwrap_or_default());
                self.parsed.insert(text.into(), word);
                word
            });
        }
        if let Some(group) = group {
            let groups = group.as_list::<i32>();
            set_words(groups, words, matters, |row| {
                let numbers = groups.value(row);
                let numbers = numbers.as_primitive::<UInt64Type>().values().iter();
                word_of(&Value::List(
                    numbers.map(|number| Value::Number(*number as f64)).collect(),
                ))
            });
        }
        Ok(())
    }
}

/// Sets the words of the rows that matter and have a value in this column.
fn set_words(
    column: &dyn Array,
    words: &mut [u32],
    matters: &impl Fn(usize) -> bool,
    mut word: impl FnMut(usize) -> u32,
) {
    for (row, place) in words.iter_mut().enumerate() {
        if column.is_valid(row) && matters(row) {
            *place = word(row);
        }
    }
}

/// Texts get their numbers once per distinct text of a batch.
fn fill_text(array: &ArrayRef, index: &mut SegmentIndex, words: &mut [u32], matters: &impl Fn(usize) -> bool) {
    let mut number = |text: &str| index.value(SegmentValue::Text(text.into()));
    let Some(dictionary) = array.as_dictionary_opt::<Int32Type>() else {
        let texts = array.as_string::<i32>();
        return set_words(texts, words, matters, |row| number(texts.value(row)));
    };
    let dictionary: &DictionaryArray<Int32Type> = dictionary;
    let texts: &StringArray = dictionary.values().as_string();
    let mut numbers: Vec<Option<u32>> = vec![None; texts.len()];
    let keys = dictionary.keys();
    set_words(keys, words, matters, |row| {
        let key = keys.value(row) as usize;
        *numbers[key].get_or_insert_with(|| number(texts.value(key)))
    });
}
