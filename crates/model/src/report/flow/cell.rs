//! Names one number of a flow.

use super::super::cell::check_segment;
use super::{Flow, FlowColumn, FlowPart, InvalidReport, NodeKind, PathStep, Segment, refuse};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The persons of the paths that a number of a flow counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"number": {"link": {
    "from": {"column": 1, "kind": "event", "event": "Page view", "value": ["/pricing"]},
    "to": {"column": 2, "kind": "other"}}}}))]
pub struct FlowCell {
    pub number: FlowNumber,
    /// As the answer gives it; everybody when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    pub segment: Segment,
}

/// A number of a flow. Nodes stand by their names and not by their places, so that a number means the same when other
/// nodes become more frequent. `other` is each node that the answer does not show for the segment; such a node may also be
/// named by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FlowNumber {
    /// What was found.
    Complete,
    /// What was started and not completed.
    Incomplete,
    /// Paths with a node in the column.
    Reached { column: usize },
    /// Paths with this node.
    Node {
        at: PathStep,
        #[serde(default)]
        side: FlowSide,
    },
    /// Paths in which the one node is followed by the other.
    Link { from: PathStep, to: PathStep },
    /// Paths of exactly these nodes.
    Path {
        steps: Vec<PathStep>,
        #[serde(default)]
        side: FlowSide,
    },
}

/// Which of the paths with a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FlowSide {
    /// All.
    #[default]
    Through,
    /// Those that begin there; no number of a whole path.
    Began,
    DroppedOff,
    WindowEnded,
}

impl FlowCell {
    /// Names of the nodes.
    pub(in crate::report) fn events(&self) -> Vec<&str> {
        let steps: Vec<&PathStep> = match &self.number {
            FlowNumber::Complete | FlowNumber::Incomplete | FlowNumber::Reached { .. } => Vec::new(),
            FlowNumber::Node { at, .. } => vec![at],
            FlowNumber::Link { from, to } => vec![from, to],
            FlowNumber::Path { steps, .. } => steps.iter().collect(),
        };
        steps
            .into_iter()
            .filter_map(|step| step.name.event.as_deref())
            .collect()
    }

    /// Checks that the flow has such a number.
    pub(in crate::report) fn check(&self, flow: &Flow) -> Result<(), InvalidReport> {
        let columns = Columns(flow.columns());
        match &self.number {
            FlowNumber::Complete | FlowNumber::Incomplete => {}
            FlowNumber::Reached { column } => columns.check_column("/cell/number/reached/column", *column)?,
            FlowNumber::Node { at, side } => {
                columns.check_node("/cell/number/node/at", at)?;
                columns.check_side("/cell/number/node/side", *side, at.column)?;
            }
            FlowNumber::Link { from, to } => {
                columns.check_node("/cell/number/link/from", from)?;
                columns.check_node("/cell/number/link/to", to)?;
                if from.column >= to.column {
                    let message = "a link leads to a later column".into();
                    return refuse("/cell/number/link/to/column", message);
                }
            }
            FlowNumber::Path { steps, side } => columns.check_path(steps, *side)?,
        }
        check_segment(&self.segment, usize::from(flow.breakdown.is_some()))
    }
}

struct Columns(Vec<FlowColumn>);

impl Columns {
    fn check_column(&self, at: &'static str, column: usize) -> Result<(), InvalidReport> {
        if column < self.0.len() {
            return Ok(());
        }
        refuse(at, format!("give a column of 0 to {}", self.0.len() - 1))
    }

    fn check_node(&self, at: &'static str, PathStep { column, name }: &PathStep) -> Result<(), InvalidReport> {
        self.check_column(at, *column)?;
        let is_more = self.0[*column].part == FlowPart::More;
        match name.kind {
            NodeKind::More if !is_more => refuse(at, format!("column {column} is a step, not the rest of a gap")),
            NodeKind::Event | NodeKind::Other if is_more => refuse(
                at,
                format!("column {column} is the rest of a gap; its one node is 'more'"),
            ),
            NodeKind::Event if name.event.is_none() => refuse(at, "name the node's event".into()),
            NodeKind::Other | NodeKind::More if name.event.is_some() || !name.value.is_empty() => {
                refuse(at, "only a node of kind 'event' has an event and a value".into())
            }
            _ => Ok(()),
        }
    }

    /// Checks that a path can begin or end in a column.
    fn check_side(&self, at: &'static str, side: FlowSide, column: usize) -> Result<(), InvalidReport> {
        let before = self.0.iter().filter(|column| column.part == FlowPart::Before).count();
        let after = self.0.iter().filter(|column| column.part == FlowPart::After).count();
        let (there, what) = match side {
            FlowSide::Through => return Ok(()),
            FlowSide::Began => (1..before + 1, "begin late"),
            FlowSide::DroppedOff | FlowSide::WindowEnded => {
                let last = self.0.len() - 1;
                (last - after..last, "end early")
            }
        };
        if there.contains(&column) {
            return Ok(());
        }
        if there.is_empty() {
            return refuse(at, format!("no path of this flow can {what}"));
        }
        refuse(
            at,
            format!("paths {what} in the columns {} to {} only", there.start, there.end - 1),
        )
    }

    fn check_path(&self, steps: &[PathStep], side: FlowSide) -> Result<(), InvalidReport> {
        let at = "/cell/number/path/steps";
        let Some(last) = steps.last() else {
            return refuse(at, "give the steps of a path".into());
        };
        for step in steps {
            self.check_node(at, step)?;
            if step.name.kind == NodeKind::Other {
                return refuse(at, "in a whole path every node has its own name".into());
            }
        }
        if steps.windows(2).any(|pair| pair[0].column >= pair[1].column) {
            return refuse(at, "give the steps in order of their columns".into());
        }
        let at = "/cell/number/path/side";
        match side {
            FlowSide::Began => refuse(at, "where paths begin is a number of a node".into()),
            side => self.check_side(at, side, last.column),
        }
    }
}
