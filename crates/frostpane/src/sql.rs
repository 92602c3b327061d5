//! `frostpane sql`: one SELECT, answered by a running server.

use crate::client::Target;
use crate::console::say;
use crate::report::Format;
use clap::Args;
use model::{csv, table};
use serde_json::{Value, json};
use std::io::Read;

#[derive(Args)]
pub struct Sql {
    /// The statement; `-` for standard input.
    statement: String,
    #[command(flatten)]
    target: Target,
    /// Most rows wanted, up to 10,000.
    #[arg(long, value_name = "ROWS", default_value_t = 1_000)]
    limit: usize,
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// The same as --format json.
    #[arg(long)]
    json: bool,
}

impl Sql {
    pub fn run(self) -> anyhow::Result<()> {
        let mut statement = self.statement;
        if statement == "-" {
            statement.clear();
            std::io::stdin().read_to_string(&mut statement)?;
        }
        let path = format!("/api/v1/projects/{}/sql", self.target.project);
        let body = serde_json::to_vec(&json!({ "sql": statement, "limit": self.limit }))?;
        let answer = self.target.post(&path, "application/json", false, &body)?.success()?;
        let answer: Value = serde_json::from_str(&answer)?;
        if self.json || self.format == Format::Json {
            say(serde_json::to_string_pretty(&answer)?);
            return Ok(());
        }
        let rows = rows(&answer);
        let text = match self.format {
            Format::Csv => csv::text(&rows),
            _ => table::aligned(&rows),
        };
        say(text.trim_end());
        if answer["cut"] == true {
            eprintln!("Cut at {} rows; there are more.", self.limit);
        }
        if self.format == Format::Table {
            eprintln!("{}", answer["explanation"]["definition"].as_str().unwrap_or_default());
        }
        Ok(())
    }
}

fn rows(answer: &Value) -> table::Rows {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let names = list(&answer["columns"])
        .iter()
        .map(|column| cell(&column["name"]))
        .collect();
    let values = list(&answer["rows"]);
    let values = values.iter().map(|row| list(row).iter().map(cell).collect());
    std::iter::once(names).chain(values).collect()
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_become_rows_of_text() {
        let answer = json!({"columns": [{"name": "event", "type": "text"}, {"name": "n", "type": "number"}],
            "rows": [["A", 3], [null, [1, 2]]]});
        assert_eq!(rows(&answer), [["event", "n"], ["A", "3"], ["", "[1,2]"]]);
    }
}
