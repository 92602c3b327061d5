//! Nodes of flows as small numbers: an event's name, and its value where it is expanded.

use crate::operators::input::Breakdowns;
use datafusion::arrow::array::{AsArray, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{Int32Type, SchemaRef};
use datafusion::common::{Result, internal_err};
use hashbrown::HashMap;
use model::report::{Flow, NodeName, Segment};
use std::sync::Arc;

/// Numbers nodes in order of first sight.
pub(super) struct Nodes {
    flow: Arc<Flow>,
    /// Values, per expansion.
    expansions: Vec<Breakdowns>,
    events: HashMap<String, u32>,
    /// By event and the word of its value. Words of values that read alike lead to one node.
    words: HashMap<(u32, u32), u32>,
    texts: HashMap<String, u32>,
    listed: Vec<Listed>,
    text_bytes: usize,
    /// Words of the batch's rows, per expansion.
    value_words: Vec<Vec<u32>>,
}

struct Listed {
    text: String,
    collapses: bool,
}

/// What is known of an event name of a batch.
#[derive(Clone, Copy)]
struct Named {
    event: u32,
    expansion: Option<usize>,
}

const NO_VALUE: u32 = u32::MAX;

impl Nodes {
    pub fn new(flow: Arc<Flow>, schema: &SchemaRef) -> Nodes {
        let expansions = 0..flow.expand.len();
        Nodes {
            expansions: expansions
                .map(|place| Breakdowns::over(place..place + 1, schema))
                .collect(),
            value_words: vec![Vec::new(); flow.expand.len()],
            flow,
            events: HashMap::new(),
            words: HashMap::new(),
            texts: HashMap::new(),
            listed: Vec::new(),
            text_bytes: 0,
        }
    }

    /// Writes the node of each row that matters; other rows get any number.
    pub fn of_rows(
        &mut self,
        batch: &RecordBatch,
        nodes: &mut Vec<u32>,
        matters: impl Fn(usize) -> bool,
    ) -> Result<()> {
        let Some(events) = batch.column_by_name("event") else {
            return internal_err!("a flow misses its column 'event'");
        };
        let events = events.as_dictionary::<Int32Type>();
        let texts: &StringArray = events.values().as_string();
        let named: Vec<Named> = texts.iter().map(|text| self.named(text.unwrap_or_default())).collect();
        let keys = events.keys().values();
        for (place, (expansion, words)) in self.expansions.iter_mut().zip(&mut self.value_words).enumerate() {
            expansion.of_rows(batch, words, |row| {
                named[keys[row] as usize].expansion == Some(place) && matters(row)
            })?;
        }
        nodes.clear();
        if let [Named { event, expansion: None }] = named.as_slice() {
            nodes.resize(keys.len(), self.node(texts.value(0), *event, None, NO_VALUE));
            return Ok(());
        }
        let (mut last, mut last_node) = ((u32::MAX, 0), 0);
        for (row, key) in keys.iter().enumerate() {
            if !matters(row) {
                nodes.push(0);
                continue;
            }
            let Named { event, expansion } = named[*key as usize];
            let word = expansion.map_or(NO_VALUE, |expansion| self.value_words[expansion][row]);
            if (event, word) != last {
                last = (event, word);
                last_node = self.node(texts.value(*key as usize), event, expansion, word);
            }
            nodes.push(last_node);
        }
        Ok(())
    }

    fn named(&mut self, event: &str) -> Named {
        let next = self.events.len() as u32;
        Named {
            event: *self.events.entry_ref(event).or_insert(next),
            expansion: self.flow.expansion(event),
        }
    }

    fn node(&mut self, name: &str, event: u32, expansion: Option<usize>, word: u32) -> u32 {
        if let Some(node) = self.words.get(&(event, word)) {
            return *node;
        }
        let value = expansion.map_or_else(Segment::new, |expansion| shown(&self.expansions[expansion], word));
        let text = serde_json::to_string(&(name, value)).expect("names and values are plain JSON");
        let next = self.listed.len() as u32;
        let node = *self.texts.entry(text).or_insert_with_key(|text| {
            self.text_bytes += 2 * text.len();
            self.listed.push(Listed {
                text: text.clone(),
                collapses: self.flow.collapses(name),
            });
            next
        });
        self.words.insert((event, word), node);
        node
    }

    pub fn collapses(&self, node: u32) -> bool {
        self.listed[node as usize].collapses
    }

    /// All nodes in the form that [`name_of`] reads.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.listed.iter().map(|listed| listed.text.as_str())
    }

    pub fn size_bytes(&self) -> usize {
        let values: usize = self.expansions.iter().map(Breakdowns::size_bytes).sum();
        values + self.text_bytes + self.listed.capacity() * 112 + self.words.capacity() * 16
    }
}

/// The value that a word stands for; of several the JSON text of their list.
fn shown(expansion: &Breakdowns, word: u32) -> Segment {
    let values = expansion.segments(&word).iter();
    let mut values: Segment = values.flat_map(|value| expansion.index.shown(*value, 1)).collect();
    if values.len() > 1 {
        let text = serde_json::to_string(&values).expect("values are plain JSON");
        values = vec![Some(text.into())];
    }
    values
}

/// The node that a text of [`Nodes::texts`] stands for.
pub(super) fn name_of(text: &str) -> serde_json::Result<NodeName> {
    let (event, value): (String, Segment) = serde_json::from_str(text)?;
    Ok(NodeName::event(event, value))
}
