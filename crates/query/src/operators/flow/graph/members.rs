//! The persons behind one number of a flow, instead of all its numbers.

use super::super::table::{End, MORE, column_and_node};
use super::paths::{PathRow, Paths};
use super::segment::{Counting, Shown};
use crate::operators::Memory;
use crate::operators::cells::{Cells, WHOLE_RANGE, Wanted};
use datafusion::arrow::array::RecordBatch;
use datafusion::common::Result;
use model::report::{Flow, FlowCell, FlowNumber, FlowSide, NodeKind, PathStep, Segment};
use roaring::RoaringTreemap;

/// The only cell of the batch.
pub(crate) fn only_cell() -> Wanted {
    Wanted {
        series: 0,
        bucket: WHOLE_RANGE,
        segment: Segment::new(),
    }
}

/// One cell with everybody behind the number.
pub(in super::super) fn merge(
    flow: &Flow,
    cell: &FlowCell,
    partials: &[RecordBatch],
    memory: Memory<'_>,
) -> Result<RecordBatch> {
    let paths = Paths::of(partials, memory)?;
    let segment = paths.find_segment(&cell.segment);
    let inside =
        |row: &&PathRow| cell.segment.is_empty() || segment.is_some_and(|segment| row.segments.contains(&segment));
    let rows = paths.rows.iter().filter(inside);
    let (complete, incomplete): (Vec<&PathRow>, Vec<&PathRow>) =
        rows.partition(|row| !paths.places(row.way).is_empty());
    let shown = Counting::new(flow, &paths).shown_nodes(&complete, memory)?;
    let (rows, number) = match &cell.number {
        FlowNumber::Incomplete => (incomplete, Number::All),
        number => (complete, Number::new(number, &paths, &shown)),
    };
    let mut members = RoaringTreemap::new();
    for row in rows
        .into_iter()
        .filter(|row| number.counts(paths.places(row.way), row.end))
    {
        members.extend(row.persons.iter().copied());
    }
    // The batch that it ends as takes as much again.
    memory(2 * members.serialized_size())?;
    let mut cells = Cells::default();
    let key = cells.key_of(&only_cell());
    cells.entry(key).members = members;
    cells.into_batch()
}

/// A number with its nodes looked up.
enum Number<'a> {
    All,
    Reached(usize),
    Node(Node<'a>, FlowSide),
    Link(Node<'a>, Node<'a>),
    Path(Vec<Node<'a>>, FlowSide),
}

impl<'a> Number<'a> {
    fn new(number: &FlowNumber, paths: &Paths, shown: &'a [Shown]) -> Number<'a> {
        let node = |step: &PathStep| Node::new(step, paths, shown);
        match number {
            FlowNumber::Complete | FlowNumber::Incomplete => Number::All,
            FlowNumber::Reached { column } => Number::Reached(*column),
            FlowNumber::Node { at, side } => Number::Node(node(at), *side),
            FlowNumber::Link { from, to } => Number::Link(node(from), node(to)),
            FlowNumber::Path { steps, side } => Number::Path(steps.iter().map(node).collect(), *side),
        }
    }

    /// Whether it counts a path of these places.
    fn counts(&self, places: &[u64], end: End) -> bool {
        match self {
            Number::All => true,
            Number::Reached(column) => places.iter().any(|place| column_and_node(*place).0 == *column),
            Number::Node(node, FlowSide::Through) => places.iter().any(|place| node.is(*place)),
            Number::Node(node, FlowSide::Began) => places.first().is_some_and(|place| node.is(*place)),
            Number::Node(node, side) => places.last().is_some_and(|place| node.is(*place)) && ends(end, *side),
            Number::Link(from, to) => places.windows(2).any(|pair| from.is(pair[0]) && to.is(pair[1])),
            Number::Path(nodes, side) => {
                let all = nodes.len() == places.len() && nodes.iter().zip(places).all(|(node, place)| node.is(*place));
                all && ends(end, *side)
            }
        }
    }
}

fn ends(end: End, side: FlowSide) -> bool {
    match side {
        FlowSide::DroppedOff => end == End::DroppedOff,
        FlowSide::WindowEnded => end == End::WindowEnded,
        FlowSide::Through | FlowSide::Began => true,
    }
}

/// A node of a column.
struct Node<'a> {
    column: usize,
    named: Named<'a>,
}

enum Named<'a> {
    /// No path has it.
    Never,
    One(u32),
    /// Each that the column does not show.
    Rare(&'a Shown),
}

impl<'a> Node<'a> {
    fn new(PathStep { column, name }: &PathStep, paths: &Paths, shown: &'a [Shown]) -> Node<'a> {
        Node {
            column: *column,
            named: match name.kind {
                NodeKind::Other => Named::Rare(&shown[*column]),
                NodeKind::More => Named::One(MORE),
                NodeKind::Event => paths.find_node(name).map_or(Named::Never, Named::One),
            },
        }
    }

    fn is(&self, place: u64) -> bool {
        let (column, node) = column_and_node(place);
        column == self.column
            && match self.named {
                Named::Never => false,
                Named::One(named) => node == named,
                Named::Rare(shown) => !shown.has(node),
            }
    }
}
