//! What a caller of Mixpanel's API sees in place of numbers: tokens of its own stream, for persons and groups alike.
//!
//! Inside, a group or reference key has numbers as its values, on events and on profiles. Outside they are tokens, and
//! tokens in a filter are understood: `properties["company_id"] == "fpx…"`.

use super::Query;
use crate::app_state::Shared;
use crate::pseudonym::Pseudonyms;
use model::expression::BinaryOp;
use model::report::Segment;
use model::value::number_text;
use model::{Expression, GroupNumber, PersonNumber};
use query::{DISTINCT_ID, EventRow};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use store::{ColumnKind, Project, Snapshot};

/// Which properties have groups as their values.
struct GroupKeys {
    app: Shared,
    project: Project,
    /// Keys that events or profiles of groups have, whatever the project's settings say today.
    seen: BTreeSet<String>,
}

impl GroupKeys {
    fn of(query: &Query, snapshot: &Snapshot) -> GroupKeys {
        let columns = snapshot.columns().iter();
        let mut seen: BTreeSet<String> = columns
            .filter(|column| column.kind == ColumnKind::Group)
            .map(|column| column.name.clone())
            .collect();
        seen.extend(snapshot.profiles().group_keys().map(str::to_owned));
        GroupKeys {
            app: query.app.clone(),
            project: query.project.clone(),
            seen,
        }
    }

    fn has(&self, name: &str) -> bool {
        self.seen.contains(name) || self.app.collector.is_group_key(name, &self.project.settings.group_keys)
    }
}

/// Makes and reads the tokens of one request's stream.
pub struct Tokens {
    pseudonyms: Arc<Pseudonyms>,
    snapshot: Snapshot,
    group_keys: GroupKeys,
}

impl Tokens {
    pub fn new(query: &Query, pseudonyms: Arc<Pseudonyms>) -> Tokens {
        let snapshot = query.app.store.snapshot(query.project.id);
        Tokens {
            group_keys: GroupKeys::of(query, &snapshot),
            pseudonyms,
            snapshot,
        }
    }

    /// Empty for nobody.
    pub fn person(&self, person: PersonNumber) -> String {
        if person.is_nobody() {
            return String::new();
        }
        self.pseudonyms.token(person)
    }

    /// The persons behind tokens. An id in clear would be a look-up of an identity, which no route here does; it is
    /// nobody's.
    pub fn persons(&self, tokens: &[String]) -> Vec<PersonNumber> {
        let persons = tokens.iter().filter_map(|token| self.pseudonyms.person(token));
        persons.map(|person| self.snapshot.canonical(person)).collect()
    }

    /// The groups of a key behind tokens.
    pub fn groups_behind(&self, key: &str, tokens: &[String]) -> Vec<GroupNumber> {
        tokens
            .iter()
            .filter_map(|token| self.pseudonyms.group(key, token))
            .collect()
    }

    pub fn group(&self, key: &str, group: GroupNumber) -> String {
        self.pseudonyms.group_token(key, group)
    }

    /// A row's `$insert_id`: of what the client sent, else of the row's place.
    pub fn insert_id(&self, row: &EventRow) -> String {
        match row.insert_id {
            Some(id) => self.pseudonyms.insert_id(id),
            None => self.pseudonyms.row_id(row.seq),
        }
    }

    /// Whether a property's numbers are groups.
    pub fn is_group_key(&self, name: &str) -> bool {
        self.group_keys.has(name)
    }

    /// One group as its token, several as a list.
    pub fn groups(&self, key: &str, groups: &[GroupNumber]) -> Value {
        match groups {
            [one] => self.group(key, *one).into(),
            many => many.iter().map(|group| self.group(key, *group)).collect(),
        }
    }

    /// A property of a profile.
    pub fn property(&self, name: &str, value: &model::Value) -> Value {
        let token = |number: f64| Value::from(self.group(name, GroupNumber(number as u64)));
        match value {
            model::Value::Number(number) if self.is_group_key(name) => token(*number),
            model::Value::List(items) if self.is_group_key(name) => items
                .iter()
                .map(|item| item.as_f64().map_or_else(|| item.to_json(), token))
                .collect(),
            value => value.to_json(),
        }
    }

    /// An expression with the numbers of the tokens that its group keys are compared with.
    pub fn read(&self, expression: Expression) -> Expression {
        let boxed = |inner: Box<Expression>| Box::new(self.read(*inner));
        match expression {
            Expression::Binary { op, left, right } => {
                let named = |side: &Expression| match side {
                    Expression::Property { name, .. } => Some(name.clone()),
                    _ => None,
                };
                // On an event a group key is a list, which is in nothing (X8); one of several groups is what is meant.
                if let (BinaryOp::In, Some(name), Expression::Literal(model::Value::List(items))) =
                    (op, named(&left), right.as_ref())
                    && name != DISTINCT_ID
                    && self.is_group_key(&name)
                {
                    let equal = |item: &model::Value| Expression::Binary {
                        op: BinaryOp::Equal,
                        left: left.clone(),
                        right: Box::new(Expression::Literal(self.number_of(&name, item.clone()))),
                    };
                    let any = items.iter().map(equal).reduce(|left, right| Expression::Binary {
                        op: BinaryOp::Or,
                        left: Box::new(left),
                        right: Box::new(right),
                    });
                    return any.unwrap_or(Expression::Literal(model::Value::Bool(false)));
                }
                let (left, right) = match (named(&left), named(&right)) {
                    (Some(name), None) => (left, Box::new(self.compared(op, &name, *right))),
                    (None, Some(name)) => (Box::new(self.compared(op, &name, *left)), right),
                    _ => (boxed(left), boxed(right)),
                };
                Expression::Binary { op, left, right }
            }
            Expression::Not(inner) => Expression::Not(boxed(inner)),
            Expression::Negate(inner) => Expression::Negate(boxed(inner)),
            Expression::Call { function, arguments } => Expression::Call {
                function,
                arguments: arguments.into_iter().map(|argument| self.read(argument)).collect(),
            },
            Expression::Lookup { table, column, key } => Expression::Lookup {
                table,
                column,
                key: boxed(key),
            },
            Expression::Property { .. }
            | Expression::Literal(_)
            | Expression::Cohort(_)
            | Expression::Computed(_)
            | Expression::Group { .. } => expression,
        }
    }

    /// What a property is compared with.
    fn compared(&self, op: BinaryOp, name: &str, other: Expression) -> Expression {
        let comparable = matches!(op, BinaryOp::Equal | BinaryOp::NotEqual | BinaryOp::In);
        match other {
            Expression::Literal(value) if comparable => Expression::Literal(self.number_of(name, value)),
            other => self.read(other),
        }
    }

    fn number_of(&self, name: &str, value: model::Value) -> model::Value {
        match value {
            model::Value::String(text) => {
                let number = match name {
                    DISTINCT_ID => self.persons(std::slice::from_ref(&text)).first().map(|person| person.0),
                    _ => self.pseudonyms.group(name, &text).map(|group| group.0),
                };
                number.map_or(model::Value::String(text), |number| model::Value::Number(number as f64))
            }
            // Persons have no numbers here: one in a filter would tell which token is whose.
            model::Value::Number(number) if name == DISTINCT_ID => model::Value::String(number_text(number)),
            model::Value::List(items) => {
                model::Value::List(items.into_iter().map(|item| self.number_of(name, item)).collect())
            }
            other => other,
        }
    }
}

/// How the segments of one answer are called.
pub struct SegmentNames {
    /// The group key that the breakdown is, with what makes its tokens.
    groups: Option<(Arc<Tokens>, String)>,
}

impl SegmentNames {
    /// Of a breakdown; the vault is asked for the stream's key only where groups are shown.
    pub async fn of(query: &Query, on: Option<&Expression>) -> crate::error::ApiResult<SegmentNames> {
        let key = match on {
            Some(Expression::Property { name, .. }) => {
                let snapshot = query.app.store.snapshot(query.project.id);
                let is_key = GroupKeys::of(query, &snapshot).has(name);
                is_key.then(|| name.clone())
            }
            _ => None,
        };
        let groups = match key {
            Some(key) => Some((query.tokens().await?, key)),
            None => None,
        };
        Ok(SegmentNames { groups })
    }

    /// A segment's key (contract SG1).
    pub fn key(&self, segment: &Segment) -> String {
        let parts = segment.iter().map(|value| self.text(value.as_ref()));
        parts.collect::<Vec<_>>().join(" - ")
    }

    /// Segments by key. A text and a number of the same look get two keys, so that none hides the other.
    pub fn keyed<'a, T>(&self, segments: impl Iterator<Item = (&'a Segment, T)>) -> Vec<(String, T)> {
        let mut taken = BTreeSet::new();
        let mut keyed = Vec::new();
        for (segment, item) in segments {
            let mut key = self.key(segment);
            while !taken.insert(key.clone()) {
                key.push_str(match segment.first() {
                    Some(Some(Value::String(_))) => " (text)",
                    _ => " (other)",
                });
            }
            keyed.push((key, item));
        }
        keyed
    }

    fn text(&self, value: Option<&Value>) -> String {
        match (value, &self.groups) {
            (None, _) => "undefined".to_owned(),
            (Some(Value::Number(number)), Some((tokens, key))) => number.as_f64().map_or_else(
                || number.to_string(),
                |number| tokens.group(key, GroupNumber(number as u64)),
            ),
            (Some(Value::String(text)), _) => text.clone(),
            (Some(Value::Number(number)), None) => number.as_f64().map_or_else(|| number.to_string(), number_text),
            (Some(other), _) => other.to_string(),
        }
    }
}
