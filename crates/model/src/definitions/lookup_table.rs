//! A table that an operator uploaded: one row per key, read from CSV.

use crate::Value;
use crate::value::number_from_text;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most rows of a table.
pub const ROWS_MAX: usize = 100_000;
/// Most columns of a table, the key included.
pub const COLUMNS_MAX: usize = 50;
/// Longest text of one cell, in bytes.
const CELL_BYTES_MAX: usize = 1_024;

/// A table by key. Every column holds values of one type: numbers where each cell that is not empty is one, booleans
/// where each is `true` or `false`, texts otherwise.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LookupTable {
    /// Name of the first column.
    pub key: String,
    /// Names of the others.
    pub columns: Vec<String>,
    /// Cells by key, one per column; null where a cell is empty.
    #[serde(with = "rows_as_json")]
    pub rows: BTreeMap<String, Vec<Value>>,
}

/// Why a text is not a table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct TableError {
    /// Line of the text, from 1.
    pub line: usize,
    pub message: String,
}

impl LookupTable {
    /// Reads CSV (RFC 4180: commas, fields in double quotes where need be). The first line names the columns, the first
    /// column is the key.
    pub fn from_csv(text: &str) -> Result<LookupTable, TableError> {
        let mut lines = records(text.strip_prefix('\u{feff}').unwrap_or(text))?.into_iter();
        let Some((line, header)) = lines.next() else {
            return Err(fault(1, "the table is empty; its first line names the columns"));
        };
        let columns: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
        check_header(line, &columns)?;
        let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (line, record) in lines {
            if record.len() != columns.len() {
                let message = format!("{} cells, where the header has {}", record.len(), columns.len());
                return Err(fault(line, message));
            }
            if let Some(long) = record.iter().position(|cell| cell.len() > CELL_BYTES_MAX) {
                let message = format!(
                    "the cell of \"{}\" is longer than {CELL_BYTES_MAX} bytes",
                    columns[long]
                );
                return Err(fault(line, message));
            }
            let mut cells = record.into_iter();
            let key = cells.next().unwrap_or_default();
            if key.is_empty() {
                return Err(fault(line, "the key is empty"));
            }
            if texts.insert(key, cells.collect()).is_some() {
                return Err(fault(line, "a row before has the same key"));
            }
            if texts.len() > ROWS_MAX {
                return Err(fault(line, format!("a table has at most {ROWS_MAX} rows")));
            }
        }
        Ok(typed(columns, texts))
    }

    /// Where a column's cells stand in a row. The key is a column too, without a place of its own.
    pub fn place(&self, column: &str) -> Option<Place> {
        if self.key == column {
            return Some(Place::Key);
        }
        let place = self.columns.iter().position(|name| name == column);
        place.map(Place::Cell)
    }
}

/// What a column name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Key,
    Cell(usize),
}

fn check_header(line: usize, columns: &[String]) -> Result<(), TableError> {
    if columns.len() > COLUMNS_MAX {
        return Err(fault(line, format!("a table has at most {COLUMNS_MAX} columns")));
    }
    for (index, name) in columns.iter().enumerate() {
        if name.is_empty() || name.len() > 120 {
            return Err(fault(
                line,
                format!("column {} needs a name of 1 to 120 bytes", index + 1),
            ));
        }
        if columns[..index].contains(name) {
            return Err(fault(line, format!("two columns have the name \"{name}\"")));
        }
    }
    if columns.len() < 2 {
        return Err(fault(line, "give a key and at least one column more"));
    }
    Ok(())
}

fn typed(mut columns: Vec<String>, texts: BTreeMap<String, Vec<String>>) -> LookupTable {
    let key = columns.remove(0);
    let as_type: Vec<fn(&str) -> Option<Value>> = (0..columns.len())
        .map(|place| {
            let cells = || {
                texts
                    .values()
                    .map(|row| row[place].as_str())
                    .filter(|cell| !cell.is_empty())
            };
            let types: [fn(&str) -> Option<Value>; 2] = [as_number, as_flag];
            let fitting = types
                .into_iter()
                .find(|of_type| cells().all(|cell| of_type(cell).is_some()));
            fitting.unwrap_or(as_text)
        })
        .collect();
    let rows = texts.into_iter().map(|(key, row)| {
        let cells = row.iter().zip(&as_type);
        let cells = cells.map(|(cell, of_type)| match cell.is_empty() {
            true => Value::Null,
            false => of_type(cell).unwrap_or_default(),
        });
        (key, cells.collect())
    });
    LookupTable {
        key,
        rows: rows.collect(),
        columns,
    }
}

fn as_number(cell: &str) -> Option<Value> {
    let plain = cell
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    // An integer that no double holds stays a text, and its column with it: it is an id.
    match number_from_text(cell) {
        Value::Number(number) if plain && number.is_finite() => Some(Value::Number(number)),
        _ => None,
    }
}

fn as_flag(cell: &str) -> Option<Value> {
    match cell {
        "true" => Some(Value::Bool(true)),
        "false" => Some(Value::Bool(false)),
        _ => None,
    }
}

fn as_text(cell: &str) -> Option<Value> {
    Some(Value::String(cell.to_owned()))
}

fn fault(line: usize, message: impl Into<String>) -> TableError {
    TableError {
        line,
        message: message.into(),
    }
}

/// The records of a CSV text with the line each begins on; empty lines are none.
fn records(text: &str) -> Result<Vec<(usize, Vec<String>)>, TableError> {
    let mut records = Vec::new();
    let mut record = Vec::new();
    let mut cell = String::new();
    let (mut line, mut begun) = (1, 1);
    let mut was_quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '"' if cell.is_empty() && !was_quoted => {
                was_quoted = true;
                let opened = line;
                loop {
                    match chars.next() {
                        Some('"') if chars.peek() == Some(&'"') => {
                            chars.next();
                            cell.push('"');
                        }
                        Some('"') => break,
                        Some(char) => {
                            line += usize::from(char == '\n');
                            cell.push(char);
                        }
                        None => return Err(fault(opened, "a quote that is not closed")),
                    }
                }
            }
            ',' => {
                record.push(std::mem::take(&mut cell));
                was_quoted = false;
            }
            '\r' if chars.peek() == Some(&'\n') => {}
            '\n' => {
                if !(record.is_empty() && cell.is_empty() && !was_quoted) {
                    record.push(std::mem::take(&mut cell));
                    records.push((begun, std::mem::take(&mut record)));
                }
                was_quoted = false;
                line += 1;
                begun = line;
            }
            _ if was_quoted => return Err(fault(line, "text behind a closing quote")),
            char => cell.push(char),
        }
    }
    if !(record.is_empty() && cell.is_empty() && !was_quoted) {
        record.push(cell);
        records.push((begun, record));
    }
    Ok(records)
}

/// Rows as JSON values, which keep a number a number for every reader of the file.
mod rows_as_json {
    use super::{BTreeMap, Value};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(rows: &BTreeMap<String, Vec<Value>>, to: S) -> Result<S::Ok, S::Error> {
        let json: BTreeMap<&String, Vec<serde_json::Value>> = rows
            .iter()
            .map(|(key, cells)| (key, cells.iter().map(Value::to_json).collect()))
            .collect();
        json.serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, Vec<Value>>, D::Error> {
        let json: BTreeMap<String, Vec<serde_json::Value>> = BTreeMap::deserialize(from)?;
        Ok(json
            .into_iter()
            .map(|(key, cells)| (key, cells.iter().map(Value::from_json).collect()))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn columns_take_the_type_of_their_cells() {
        let text = "plan,price,paid,note\r\npro,20.5,true,\"a, \"\"b\"\"\nc\"\r\n\r\nfree,,false,12\nbig,1e3,,x";
        let table = LookupTable::from_csv(text).unwrap();
        assert_eq!(table.key, "plan");
        assert_eq!(table.columns, ["price", "paid", "note"]);
        let texts = |text: &str| Value::String(text.into());
        assert_eq!(
            table.rows["pro"],
            [Value::Number(20.5), Value::Bool(true), texts("a, \"b\"\nc")]
        );
        assert_eq!(table.rows["free"], [Value::Null, Value::Bool(false), texts("12")]);
        assert_eq!(table.rows["big"], [Value::Number(1000.0), Value::Null, texts("x")]);
        assert_eq!(
            (table.place("plan"), table.place("paid")),
            (Some(Place::Key), Some(Place::Cell(1)))
        );
        assert_eq!(table.place("x"), None);
        let stored = serde_json::to_string(&table).unwrap();
        assert_eq!(serde_json::from_str::<LookupTable>(&stored).unwrap(), table);
    }

    #[test]
    fn faults_name_their_line() {
        let fault = |text: &str| LookupTable::from_csv(text).expect_err(text).to_string();
        assert!(fault("").contains("empty"));
        assert!(fault("plan").contains("at least one column more"));
        assert!(fault("a,a\n").contains("two columns"));
        assert!(fault("a,\n").contains("needs a name"));
        assert!(fault("a,b\n1,2,3").starts_with("line 2: 3 cells"));
        assert!(fault("a,b\n\"1\n\",2\n1").starts_with("line 4: 1 cells"));
        assert!(fault("a,b\n,2").contains("key is empty"));
        assert!(fault("a,b\n1,2\n1,3").contains("same key"));
        assert!(fault("a,b\n\"1,2").starts_with("line 2: a quote"));
        assert!(fault("a,b\n\"1\"x,2").contains("behind a closing quote"));
        assert!(fault(&format!("a,b\n1,{}", "x".repeat(2_000))).contains("longer than"));
    }

    proptest! {
        #[test]
        fn never_panics(text in "[ab1,\"\n\r.-]{0,60}") {
            let _ = LookupTable::from_csv(&text);
        }
    }
}
