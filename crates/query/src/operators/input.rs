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
use datafusion::arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, RecordBatch, StringArray};
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
        }
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
        for (row, mask) in masks.iter_mut().enumerate() {
            *mask *= u32::from(matters(row));
        }
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
    /// Numbers that rows with several values point to.
    values: Lists,
    /// Numbers that rows with several segments point to.
    segments: Lists,
}

/// Lists of numbers, each by its place with [`IS_LIST`] set, so that a row needs one word whether it has one number
/// or several.
#[derive(Debug, Default)]
struct Lists {
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
    fn numbers<'a>(&'a self, word: &'a u32) -> &'a [u32] {
        if word & IS_LIST == 0 {
            std::slice::from_ref(word)
        } else {
            &self.lists[(word & !IS_LIST) as usize]
        }
    }

    fn size_bytes(&self) -> usize {
        self.lists.len() * 128
    }
}

#[derive(Debug)]
struct BreakdownColumns {
    /// By [`BREAKDOWN_TYPES`].
    places: [Option<usize>; 5],
    fault: Option<usize>,
    not_set: u32,
    /// Words of JSON texts that were parsed before.
    parsed: HashMap<Box<str>, u32>,
    /// Words of the batch's rows.
    words: Vec<u32>,
}

impl Breakdowns {
    pub fn new(breakdowns: usize, schema: &SchemaRef) -> Breakdowns {
        Breakdowns::over(0..breakdowns, schema)
    }

    /// Those of the definition's breakdowns that lie in a range of places.
    pub fn over(breakdowns: std::ops::Range<usize>, schema: &SchemaRef) -> Breakdowns {
        let mut index = SegmentIndex::default();
        let columns = breakdowns
            .map(|breakdown| BreakdownColumns {
                places: BREAKDOWN_TYPES.map(|of_type| place(schema, &breakdown_name(breakdown, of_type))),
                fault: place(schema, &fault_name(&breakdown_group(breakdown))),
                not_set: index.value(SegmentValue::NotSet),
                parsed: HashMap::new(),
                words: Vec::new(),
            })
            .collect();
        Breakdowns {
            columns,
            index,
            values: Lists::default(),
            segments: Lists::default(),
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
            check_faults(batch, columns.fault, "a breakdown", &matters)?;
            columns.fill(batch, &mut self.index, &mut self.values, &matters);
        }
        let (mut last, mut last_word) = ([IS_LIST; 3], 0);
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
            return self.index.segment(values);
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
        let segments = segments.collect();
        self.segments.word(segments)
    }
}

impl BreakdownColumns {
    fn fill(
        &mut self,
        batch: &RecordBatch,
        index: &mut SegmentIndex,
        lists: &mut Lists,
        matters: &impl Fn(usize) -> bool,
    ) {
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
                    last_word = index.value(SegmentValue::number(numbers.value(row)));
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
