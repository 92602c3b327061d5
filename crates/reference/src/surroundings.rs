//! What expressions are evaluated in: the history, when and where it is asked about, and who is in its cohorts.

use crate::expression::TypeError;
use crate::history::History;
use crate::{ReferenceError, cohort};
use model::report::{InvalidReport, Report};
use model::{EventTime, Expression, PersonNumber};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

pub(crate) struct Surroundings<'a> {
    pub history: &'a History,
    /// The project's time zone.
    pub timezone: &'a str,
    pub now: EventTime,
    /// Members of the cohorts that were asked for; nothing yet where they are being found out.
    cohorts: RefCell<BTreeMap<u64, Option<Rc<BTreeSet<PersonNumber>>>>>,
}

impl<'a> Surroundings<'a> {
    pub fn new(history: &'a History, timezone: &'a str, now: EventTime) -> Surroundings<'a> {
        Surroundings {
            history,
            timezone,
            now,
            cohorts: RefCell::default(),
        }
    }

    /// Finds the members of every cohort that a report names, so that a fault in one shows whatever rows there are.
    pub fn prepare(&self, report: &Report) -> Result<(), ReferenceError> {
        let Ok(json) = serde_json::to_value(report) else {
            return Ok(());
        };
        for expression in expressions(&json) {
            self.prepare_expression(&expression)?;
        }
        Ok(())
    }

    fn prepare_expression(&self, expression: &Expression) -> Result<(), ReferenceError> {
        let mut named = Vec::new();
        expression.walk(&mut |part| named.push(part));
        for part in named {
            match part {
                Expression::Cohort(number) if self.history.definitions.cohorts.contains_key(number) => {
                    self.cohort(*number)?;
                }
                Expression::Computed(name) => {
                    if let Some(formula) = self.history.definitions.computed.get(name) {
                        self.prepare_expression(formula)?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The members of a saved cohort.
    pub fn cohort(&self, number: u64) -> Result<Rc<BTreeSet<PersonNumber>>, ReferenceError> {
        let refused = |message: String| InvalidReport { at: "/filter", message };
        if let Some(known) = self.cohorts.borrow().get(&number) {
            return match known {
                Some(members) => Ok(members.clone()),
                None => Err(refused(format!("cohort {number} is built on itself")).into()),
            };
        }
        let Some(definition) = self.history.definitions.cohorts.get(&number) else {
            return Err(refused(format!("there is no cohort {number}")).into());
        };
        self.cohorts.borrow_mut().insert(number, None);
        let members = Rc::new(cohort::members(self, definition)?);
        self.cohorts.borrow_mut().insert(number, Some(members.clone()));
        Ok(members)
    }

    /// Whether a person is in a cohort, for expressions.
    pub fn is_member(&self, person: PersonNumber, number: u64) -> Result<bool, TypeError> {
        match self.cohort(number) {
            Ok(members) => Ok(members.contains(&person)),
            Err(ReferenceError::Type(error)) => Err(error),
            Err(ReferenceError::Invalid(_)) => Err(TypeError("cohort")),
        }
    }
}

/// Every text in a report that reads as an expression; expressions are written as texts.
fn expressions(json: &serde_json::Value) -> Vec<Expression> {
    match json {
        serde_json::Value::String(text) => Expression::parse(text).into_iter().collect(),
        serde_json::Value::Array(items) => items.iter().flat_map(expressions).collect(),
        serde_json::Value::Object(members) => members.values().flat_map(expressions).collect(),
        _ => Vec::new(),
    }
}
