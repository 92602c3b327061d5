//! Which events are a step of a funnel, and which end an attempt.

use crate::Expression;
use crate::report::EventSelector;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A step: one event by name and filter, or any of several.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StepSelector {
    /// Event name; absent for any event, or where `any_of` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub filter: Option<Expression>,
    /// Instead of `event` and `filter`: an event that one of these selects is the step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub any_of: Vec<EventSelector>,
    /// Only the person's first such event ever.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub first_time: bool,
    /// The step keeps its place in a funnel of any order.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub anchored: bool,
}

/// Events that end an attempt which they come between.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Exclusion {
    /// Event name; absent for any event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub filter: Option<Expression>,
    /// Index of the step from which on the event is excluded.
    #[serde(default)]
    pub from: usize,
    /// Index of the step up to which it is; the last when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<usize>,
}

/// Name and filter of a selector.
pub type Selector<'a> = (Option<&'a String>, Option<&'a Expression>);

impl StepSelector {
    /// What selects the step's events: one or several.
    pub fn selectors(&self) -> impl Iterator<Item = Selector<'_>> {
        let own = self
            .any_of
            .is_empty()
            .then_some((self.event.as_ref(), self.filter.as_ref()));
        let several = self.any_of.iter();
        own.into_iter()
            .chain(several.map(|selector| (selector.event.as_ref(), selector.filter.as_ref())))
    }
}

impl From<EventSelector> for StepSelector {
    fn from(selector: EventSelector) -> StepSelector {
        StepSelector {
            event: selector.event,
            filter: selector.filter,
            ..StepSelector::default()
        }
    }
}

impl Exclusion {
    pub fn selector(&self) -> Selector<'_> {
        (self.event.as_ref(), self.filter.as_ref())
    }

    /// Index of the last step that it guards.
    pub fn last(&self, steps: usize) -> usize {
        self.to.unwrap_or(steps - 1)
    }
}
