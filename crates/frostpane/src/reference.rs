//! `frostpane reference`: the slow evaluator over raw events.
//!
//! Takes events in the form of the raw export. Ids are made person numbers of their own here, in order of first sight;
//! the export already shows canonical persons, so there are no merges to know of.
//!
//! With a server named, it asks there for a saved report, or for the answer to the same question, and says whether the two
//! answers are equal.

use crate::client::Target;
use crate::console::say;
use crate::report::{self, Format};
use anyhow::{Context, bail};
use clap::Args;
use model::report::Report;
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
    #[arg(required_unless_present = "saved", conflicts_with = "saved")]
    file: Option<PathBuf>,
    /// A saved report, by number or name, instead of a file.
    #[arg(long, value_name = "REPORT")]
    saved: Option<String>,
    /// Ask the server the same question, and say whether its answer is equal. A saved report is always compared.
    #[arg(long)]
    compare: bool,
    #[command(flatten)]
    server: Option<Target>,
    /// Events as NDJSON, as `/api/2.0/export?time_in_ms=true` writes them.
    #[arg(long, value_name = "FILE")]
    events: PathBuf,
    /// What the names in expressions stand for, as JSON: `cohorts` by number, `computed` and `lookups` by name.
    #[arg(long, value_name = "FILE")]
    definitions: Option<PathBuf>,
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
        let report = match (&self.saved, &self.file) {
            (Some(saved), _) => self.server()?.saved(saved)?,
            (None, Some(file)) => report::read(file)?,
            (None, None) => bail!("give a definition, or a saved report"),
        };
        let mut history = self.history()?;
        if let Some(file) = &self.definitions {
            let text = std::fs::read_to_string(file).with_context(|| format!("cannot open {}", file.display()))?;
            history.definitions =
                serde_json::from_str(&text).with_context(|| format!("{} does not hold definitions", file.display()))?;
        }
        let now = EventTime(self.now_ms.unwrap_or_else(|| jiff::Timestamp::now().as_millisecond()));
        let answer = ::reference::answer(&report, &self.timezone, &history, now)?;
        match self.json || self.format == Format::Json {
            true => say(serde_json::to_string_pretty(&answer)?),
            false => report::print(&answer, self.format),
        }
        if self.compare || self.saved.is_some() {
            let theirs = self.server()?.ask(&report)?;
            let ours = serde_json::to_value(&answer)?;
            match difference(&ours, &theirs, "") {
                None => eprintln!("Equal: the server answers the same."),
                Some(place) => bail!("different: the server's answer is another at {place}"),
            }
        }
        Ok(())
    }

    fn server(&self) -> anyhow::Result<&Target> {
        self.server
            .as_ref()
            .context("name the server: --credential, and --url if it is not here")
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

impl Target {
    /// A saved report by its number or name.
    fn saved(&self, wanted: &str) -> anyhow::Result<Report> {
        let path = format!("/api/v1/projects/{}/reports", self.project);
        let listed: serde_json::Value = serde_json::from_str(&self.get(&path)?.success()?)?;
        let known = listed.as_array().into_iter().flatten();
        let mut found = known
            .filter(|saved| saved["name"] == wanted || saved["id"].as_u64().is_some_and(|id| wanted.parse() == Ok(id)));
        let (Some(saved), None) = (found.next(), found.next()) else {
            bail!("there is no single saved report '{wanted}'; give its number");
        };
        let one: serde_json::Value = serde_json::from_str(&self.get(&format!("{path}/{}", saved["id"]))?.success()?)?;
        let report: Report =
            serde_json::from_value(one["report"].clone()).context("the server is of another version")?;
        report.check()?;
        Ok(report)
    }

    /// The server's answer to a report.
    fn ask(&self, report: &Report) -> anyhow::Result<serde_json::Value> {
        let path = format!("/api/v1/projects/{}/query", self.project);
        let body = serde_json::to_vec(report)?;
        let answered = self.post(&path, "application/json", false, &body)?.success()?;
        let mut explained: serde_json::Value = serde_json::from_str(&answered)?;
        Ok(explained["answer"].take())
    }
}

/// Where two answers are not the same, as a JSON pointer. Sums of fractions may differ in their last digits: the order
/// of adding is nobody's promise.
fn difference(left: &serde_json::Value, right: &serde_json::Value, at: &str) -> Option<String> {
    use serde_json::Value as Json;
    match (left, right) {
        (Json::Object(left), Json::Object(right)) => {
            let names = left.keys().chain(right.keys());
            let nothing = Json::Null;
            let value = |of: &serde_json::Map<String, Json>, name: &str| of.get(name).unwrap_or(&nothing).clone();
            names
                .map(|name| difference(&value(left, name), &value(right, name), &format!("{at}/{name}")))
                .find_map(|different| different)
        }
        (Json::Array(left), Json::Array(right)) if left.len() == right.len() => {
            let pairs = left.iter().zip(right).enumerate();
            pairs
                .map(|(place, (left, right))| difference(left, right, &format!("{at}/{place}")))
                .find_map(|different| different)
        }
        (Json::Number(left), Json::Number(right)) => {
            let (left, right) = (left.as_f64()?, right.as_f64()?);
            let near = (left - right).abs() <= 1e-9 * left.abs().max(right.abs());
            (!near).then(|| at.to_owned())
        }
        _ => (left != right).then(|| at.to_owned()),
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn answers_are_compared_number_by_number() {
        let ours = json!({"series": [{"values": [0.1 + 0.2, 3], "segment": ["a"]}], "previous": null});
        let theirs = |value: f64, segment: &str| json!({"series": [{"values": [value, 3.0], "segment": [segment]}]});
        assert_eq!(difference(&ours, &theirs(0.3, "a"), ""), None);
        assert_eq!(
            difference(&ours, &theirs(0.31, "a"), ""),
            Some("/series/0/values/0".into())
        );
        assert_eq!(
            difference(&ours, &theirs(0.3, "b"), ""),
            Some("/series/0/segment/0".into())
        );
        assert_eq!(difference(&ours, &json!({"series": []}), ""), Some("/series".into()));
    }
}
