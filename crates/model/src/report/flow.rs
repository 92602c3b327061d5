//! What people do before, between and after events.

mod cell;

pub use cell::*;

use super::{
    EventSelector, InvalidReport, Segment, check_limit, check_session_timeout, refuse, segments_default,
    session_timeout_default,
};
use crate::Expression;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub const ANCHORS_MAX: usize = 5;
/// Most steps before, after, and in each gap between two anchors.
pub const FLOW_STEPS_MAX: u32 = 10;
pub const EXPANSIONS_MAX: usize = 10;
pub const NODES_MAX: usize = 100;
pub const PATHS_MAX: usize = 1_000;
/// Most names in each list of events.
pub const FLOW_NAMES_MAX: usize = 500;

/// What people do before, between and after anchors.
///
/// *Looked at* are the person's events in order of time, then reception; nobody's events have no flow. Events that the
/// report's filter drops or `hide` names are as if they had not happened, except that sessions are made before
/// either. Of the rest all can be anchors, and those that `only` names (all, when it is empty) are *steps*.
///
/// An *occurrence* starts at an event of the first anchor whose time lies in the range. Each further anchor is the next
/// event of its selector after the one before, within reach. *Within reach* is: not later than `window_ms` after the start,
/// and for steps before it not earlier than `window_ms` before; without `window_ms`, in the start's session. A start
/// that misses an anchor makes no occurrence. Counted are, by [`FlowCount`]:
/// - `person`: of each person the first occurrence;
/// - `session`: of each session the first occurrence that starts in it;
/// - `total`: every occurrence, in order, where the next one starts after the last anchor of the one before.
///
/// What was started and not completed is *incomplete*: persons (or sessions) with a start and no occurrence, or, with
/// `total`, each start that is neither an occurrence nor inside one.
///
/// The *node* of an event is its name, and the value of the first expansion for it, if there is one. A value that
/// is a list of several distinct elements is the JSON text of these.
///
/// A *path* is, in order: the last `before` steps before the first anchor, the anchors, in each gap between two anchors the
/// first `between` steps and, where there are more, one `more` for all others, and the first `after` steps after the
/// last anchor. *Repeats are collapsed* before that counting: of neighbours with equal nodes in the path, of an
/// event that `collapse` names, only one stays, and of steps beside an equal anchor the anchor.
///
/// A path with fewer than `before` steps before has *begun* at its first node. One with fewer than `after` steps after
/// ends at its last node: the *window ended* if the person has a later step that is not within reach (at any time
/// that is stored), else they *dropped off*. So for every node, `count` is the links into it plus `began` (but for the
/// first column), and the links out of it plus `dropped_off` plus `window_ended` (but for the last column).
///
/// *Sessions* (see [`super::SESSION_TIMEOUT_MS`]) are made of the events of the range.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"anchors": [{"event": "Sign up"}, {"event": "Purchase"}], "before": 1, "between": 3,
    "after": 2, "window_ms": 86_400_000, "collapse": "all", "hide": ["Heartbeat"],
    "expand": [{"event": "Page view", "property": "properties[\"page\"]"}]}))]
pub struct Flow {
    /// One to five events that every path goes through, in order.
    pub anchors: Vec<EventSelector>,
    /// Steps to show before the first anchor.
    #[serde(default)]
    pub before: u32,
    /// Steps to show in each gap between two anchors.
    #[serde(default)]
    pub between: u32,
    /// Steps to show after the last anchor.
    #[serde(default)]
    pub after: u32,
    /// Reach of a path from its start, in milliseconds; one session when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_ms: Option<i64>,
    #[serde(default = "session_timeout_default")]
    pub session_timeout_ms: i64,
    #[serde(default)]
    pub count: FlowCount,
    #[serde(default)]
    pub expand: Vec<Expansion>,
    #[serde(default)]
    pub collapse: Repeats,
    /// Events that are as if they had not happened.
    #[serde(default)]
    pub hide: Vec<String>,
    /// The only events that are steps; all when empty.
    #[serde(default)]
    pub only: Vec<String>,
    /// Nodes to show in each column: the largest by count, then by name and value. All others of the column are one
    /// `other`, whose persons are counted once.
    #[serde(default = "nodes_default")]
    pub nodes: usize,
    /// Whole paths to list, the most frequent first.
    #[serde(default = "paths_default")]
    pub paths: usize,
    /// Value on the event that the occurrence starts with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub breakdown: Option<Expression>,
    #[serde(default = "segments_default")]
    pub limit: usize,
}

fn nodes_default() -> usize {
    8
}

fn paths_default() -> usize {
    20
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FlowCount {
    #[default]
    Person,
    Session,
    Total,
}

/// Tells events of one name apart by a value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Expansion {
    /// Absent for every event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    #[schema(value_type = Object)]
    pub property: Expression,
}

/// The events whose repeats are one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Repeats {
    #[default]
    None,
    All,
    Events(Vec<String>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FlowAnswer {
    /// What each column is, in order.
    pub columns: Vec<FlowColumn>,
    /// First over everybody (empty segment), then by segment, most paths first.
    pub segments: Vec<FlowSegment>,
    /// Segments before the limit.
    pub segments_total: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FlowColumn {
    pub part: FlowPart,
    /// The anchor, from 0, that the column is or follows; the first one for columns before it.
    pub anchor: u32,
    /// How many steps away from that anchor, from 1; 0 for an anchor.
    pub distance: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FlowPart {
    Before,
    Anchor,
    Between,
    /// The rest of a gap.
    More,
    After,
}

/// A count in the unit of [`FlowCount`], and the distinct persons behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FlowTotal {
    pub count: u64,
    pub persons: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FlowSegment {
    #[schema(value_type = Vec<Object>)]
    pub segment: Segment,
    pub complete: FlowTotal,
    pub incomplete: FlowTotal,
    /// One per column.
    pub steps: Vec<FlowStep>,
    /// By column and node of their beginning, then of their end.
    pub links: Vec<FlowLink>,
    /// The most frequent whole paths.
    pub paths: Vec<FlowPath>,
    /// Distinct paths before the limit.
    pub paths_total: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FlowStep {
    /// Paths that have a node in this column: the sum of its nodes.
    pub reached: FlowTotal,
    /// Largest first; `other` last.
    pub nodes: Vec<FlowNode>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FlowNode {
    #[serde(flatten)]
    pub name: NodeName,
    /// Of `other` the distinct nodes it stands for, of `more` the steps.
    pub stands_for: u64,
    pub count: u64,
    pub persons: u64,
    pub began: FlowTotal,
    pub dropped_off: FlowTotal,
    pub window_ended: FlowTotal,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NodeName {
    pub kind: NodeKind,
    /// Of kind `event` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// Empty where the event is not expanded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    pub value: Segment,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    Event,
    /// Every node of the column that is not among the largest.
    Other,
    /// Every further step of a gap.
    More,
}

/// Paths that go from one node to another: the next one of the path, whatever columns it skips.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FlowLink {
    pub from: NodePlace,
    pub to: NodePlace,
    pub count: u64,
    pub persons: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
pub struct NodePlace {
    pub column: usize,
    /// Place in the column's nodes.
    pub node: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FlowPath {
    pub steps: Vec<PathStep>,
    pub count: u64,
    pub persons: u64,
    pub dropped_off: FlowTotal,
    pub window_ended: FlowTotal,
}

/// A node in its column. In a whole path, rare nodes stand by their own names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PathStep {
    pub column: usize,
    #[serde(flatten)]
    pub name: NodeName,
}

impl NodeName {
    pub fn event(event: String, value: Segment) -> NodeName {
        NodeName {
            kind: NodeKind::Event,
            event: Some(event),
            value,
        }
    }

    pub fn of_kind(kind: NodeKind) -> NodeName {
        NodeName {
            kind,
            event: None,
            value: Vec::new(),
        }
    }
}

impl Flow {
    /// What each column of the answer is.
    pub fn columns(&self) -> Vec<FlowColumn> {
        let column = |part, anchor, distance| FlowColumn { part, anchor, distance };
        let mut columns: Vec<FlowColumn> = (1..=self.before)
            .rev()
            .map(|distance| column(FlowPart::Before, 0, distance))
            .collect();
        let last = self.anchors.len().saturating_sub(1) as u32;
        for anchor in 0..=last {
            columns.push(column(FlowPart::Anchor, anchor, 0));
            if anchor < last {
                columns.extend((1..=self.between).map(|distance| column(FlowPart::Between, anchor, distance)));
                columns.push(column(FlowPart::More, anchor, self.between + 1));
            }
        }
        columns.extend((1..=self.after).map(|distance| column(FlowPart::After, last, distance)));
        columns
    }

    /// Whether it matters which events make a session.
    pub fn needs_sessions(&self) -> bool {
        self.window_ms.is_none() || self.count == FlowCount::Session
    }

    /// Names of the only events that matter; absent when any could.
    pub fn events_needed(&self) -> Option<Vec<String>> {
        if self.only.is_empty() || self.needs_sessions() {
            return None;
        }
        let anchors = self.anchors.iter().map(|anchor| anchor.event.clone());
        let anchors: Vec<String> = anchors.collect::<Option<_>>()?;
        Some(anchors.into_iter().chain(self.only.iter().cloned()).collect())
    }

    pub fn is_step(&self, event: &str) -> bool {
        !self.is_hidden(event) && (self.only.is_empty() || self.only.iter().any(|only| only == event))
    }

    pub fn is_hidden(&self, event: &str) -> bool {
        self.hide.iter().any(|hidden| hidden == event)
    }

    pub fn collapses(&self, event: &str) -> bool {
        match &self.collapse {
            Repeats::None => false,
            Repeats::All => true,
            Repeats::Events(events) => events.iter().any(|name| name == event),
        }
    }

    /// The expansion that tells events of a name apart.
    pub fn expansion(&self, event: &str) -> Option<usize> {
        let applies = |expansion: &Expansion| expansion.event.as_ref().is_none_or(|name| name == event);
        self.expand.iter().position(applies)
    }

    /// Checks the rules that the types cannot express.
    pub(super) fn check(&self) -> Result<(), InvalidReport> {
        self.check_steps()?;
        self.check_times()?;
        self.check_events()?;
        if !(1..=NODES_MAX).contains(&self.nodes) {
            return refuse("/question/nodes", format!("give 1 to {NODES_MAX} nodes a column"));
        }
        if self.paths > PATHS_MAX {
            return refuse("/question/paths", format!("give at most {PATHS_MAX} paths"));
        }
        check_limit(self.limit)
    }

    fn check_steps(&self) -> Result<(), InvalidReport> {
        if !(1..=ANCHORS_MAX).contains(&self.anchors.len()) {
            return refuse("/question/anchors", format!("give 1 to {ANCHORS_MAX} anchors"));
        }
        let steps = [
            ("/question/before", self.before),
            ("/question/between", self.between),
            ("/question/after", self.after),
        ];
        for (at, steps) in steps {
            if steps > FLOW_STEPS_MAX {
                return refuse(at, format!("give at most {FLOW_STEPS_MAX} steps"));
            }
        }
        if self.anchors.len() == 1 && self.before == 0 && self.after == 0 {
            return refuse(
                "/question/after",
                "one anchor alone is no flow; ask for steps before or after it, or add an anchor".into(),
            );
        }
        Ok(())
    }

    fn check_times(&self) -> Result<(), InvalidReport> {
        if self
            .window_ms
            .is_some_and(|window_ms| window_ms <= 0 || window_ms > 367 * 86_400_000)
        {
            return refuse("/question/window_ms", "give a window of 1 ms to 367 days".into());
        }
        check_session_timeout(self.session_timeout_ms)
    }

    fn check_events(&self) -> Result<(), InvalidReport> {
        if self.expand.len() > EXPANSIONS_MAX {
            return refuse("/question/expand", format!("give at most {EXPANSIONS_MAX} expansions"));
        }
        let collapsed: &[String] = match &self.collapse {
            Repeats::Events(events) => events,
            Repeats::None | Repeats::All => &[],
        };
        let lists = [
            ("/question/hide", self.hide.as_slice()),
            ("/question/only", self.only.as_slice()),
            ("/question/collapse", collapsed),
        ];
        for (at, names) in lists {
            if names.len() > FLOW_NAMES_MAX {
                return refuse(at, format!("give at most {FLOW_NAMES_MAX} events"));
            }
        }
        let mut anchors = self.anchors.iter().filter_map(|anchor| anchor.event.as_ref());
        match anchors.find(|event| self.is_hidden(event)) {
            Some(event) => refuse(
                "/question/hide",
                format!("\"{event}\" is an anchor; it cannot be hidden"),
            ),
            None => Ok(()),
        }
    }
}
