//! `frostpane reference`: the slow evaluator over raw events.
//!
//! Takes events in the form of the raw export. Ids are made person numbers of their own here, in order of first sight;
//! the export already shows canonical persons, so there are no merges to know of.

use crate::console::say;
use crate::report::{self, Format};
use anyhow::Context;
use clap::Args;
use model::{Event, EventTime, InsertId, PersonNumber, Value};
use reference::{History, HistoryEvent};
use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

#[derive(Args)]
pub struct Reference {
    /// The definition as JSON; `-` for standard input.
    file: PathBuf,
    /// Events as NDJSON, as `/api/2.0/export?time_in_ms=true` writes them.
    #[arg(long, value_name = "FILE")]
    events: PathBuf,
    /// The project's time zone, where the definition names none.
    #[arg(long, default_value = "UTC")]
    timezone: String,
    /// The time of asking, in milliseconds since 1970; now when absent.
    #[arg(long, value_name = "MS")]
    now_ms: Option<i64>,
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// The same as --format json.
    #[arg(long)]
    json: bool,
}

impl Reference {
    pub fn run(self) -> anyhow::Result<()> {
        let report = report::read(&self.file)?;
        let history = self.history()?;
        let now = EventTime(self.now_ms.unwrap_or_else(|| jiff::Timestamp::now().as_millisecond()));
        let answer = ::reference::answer(&report, &self.timezone, &history, now)?;
        match self.json || self.format == Format::Json {
            true => say(serde_json::to_string_pretty(&answer)?),
            false => report::print(&answer, self.format),
        }
        Ok(())
    }

    fn history(&self) -> anyhow::Result<History> {
        let file =
            std::fs::File::open(&self.events).with_context(|| format!("cannot open {}", self.events.display()))?;
        let mut persons: HashMap<String, PersonNumber> = HashMap::new();
        let mut history = History::default();
        for (index, line) in BufReader::new(file).lines().enumerate() {
            let json: serde_json::Value =
                serde_json::from_str(&line?).with_context(|| format!("line {} is not JSON", index + 1))?;
            let event = event(&json, &mut persons).with_context(|| format!("line {} is not an event", index + 1))?;
            history.events.push(HistoryEvent {
                event,
                seq: index as u64 + 1,
            });
        }
        Ok(history)
    }
}

fn event(json: &serde_json::Value, persons: &mut HashMap<String, PersonNumber>) -> Option<Event> {
    let properties = json["properties"].as_object()?;
    let time = properties.get("time")?.as_f64()?;
    let id = properties.get("distinct_id").map_or(String::new(), |id| {
        id.as_str().map_or_else(|| id.to_string(), str::to_owned)
    });
    let next = PersonNumber(persons.len() as u64 + 1);
    let person = if id.is_empty() {
        PersonNumber::NOBODY
    } else {
        *persons.entry(id).or_insert(next)
    };
    let columns = ["time", "distinct_id", "$insert_id"];
    let kept = properties
        .iter()
        .filter(|(name, value)| !columns.contains(&name.as_str()) && !value.is_null());
    Some(Event {
        name: json["event"].as_str()?.to_owned(),
        person,
        // Seconds where they cannot be milliseconds: 10^11 ms is 1973, 10^11 s is the year 5138.
        time: EventTime(if time.abs() < 1e11 {
            (time * 1000.0) as i64
        } else {
            time as i64
        }),
        insert_id: properties.get("$insert_id").map(|id| {
            let mut hasher = DefaultHasher::new();
            id.to_string().hash(&mut hasher);
            InsertId(hasher.finish())
        }),
        properties: kept
            .map(|(name, value)| (name.clone(), Value::from_json(value)))
            .collect(),
        groups: Vec::new(),
    })
}
