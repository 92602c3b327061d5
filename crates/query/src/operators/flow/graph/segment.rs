//! One segment's paths counted.

use super::super::Memory;
use super::super::table::{End, MORE, column_and_node};
use super::paths::{PathRow, Paths};
use crate::persons::PersonSet;
use crate::segments::compare;
use datafusion::common::Result;
use hashbrown::HashMap;
use model::report::{
    Flow, FlowColumn, FlowLink, FlowNode, FlowPath, FlowSegment, FlowStep, FlowTotal, NodeKind, NodeName, NodePlace,
    PathStep, Segment,
};
use roaring::RoaringTreemap;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// Counts one segment after the other.
pub(super) struct Counting<'a> {
    flow: &'a Flow,
    columns: Vec<FlowColumn>,
    paths: &'a Paths,
    /// Everybody behind a number of few persons.
    pub shown: RoaringTreemap,
}

/// A number in the making.
#[derive(Default)]
struct Tally {
    count: u64,
    persons: PersonSet,
}

impl Tally {
    fn add(&mut self, row: &PathRow) {
        self.count += row.count;
        row.persons.iter().for_each(|person| self.persons.insert(*person));
    }
}

#[derive(Default)]
struct NodeTally {
    through: Tally,
    began: Tally,
    /// By [`End`]; of `AllShown` there is nothing to tell.
    ended: [Tally; 3],
    more: u64,
}

/// The nodes that a column shows.
#[derive(Default)]
pub(super) struct Shown {
    /// Largest first.
    large: Vec<u32>,
    /// Places in `large`.
    places: HashMap<u32, usize>,
    rare: usize,
}

impl Shown {
    pub fn has(&self, node: u32) -> bool {
        self.places.contains_key(&node)
    }

    /// The place of a node among those shown; all rare ones share the last.
    fn place(&self, node: u32) -> usize {
        self.places.get(&node).copied().unwrap_or(self.large.len())
    }
}

impl<'a> Counting<'a> {
    pub fn new(flow: &'a Flow, paths: &'a Paths) -> Counting<'a> {
        Counting {
            flow,
            columns: flow.columns(),
            paths,
            shown: RoaringTreemap::new(),
        }
    }

    pub fn segment(
        &mut self,
        segment: Segment,
        inside: impl Fn(&PathRow) -> bool,
        memory: Memory<'_>,
    ) -> Result<FlowSegment> {
        let paths = self.paths;
        let (complete, incomplete): (Vec<&PathRow>, Vec<&PathRow>) = paths
            .rows
            .iter()
            .filter(|row| inside(row))
            .partition(|row| !paths.places(row.way).is_empty());
        let shown = self.shown_nodes(&complete, memory)?;
        let mut reached: Vec<Tally> = self.columns.iter().map(|_| Tally::default()).collect();
        let mut nodes: Vec<Vec<NodeTally>> = shown
            .iter()
            .map(|shown| (0..=shown.large.len()).map(|_| NodeTally::default()).collect())
            .collect();
        let mut links: BTreeMap<(NodePlace, NodePlace), Tally> = BTreeMap::new();
        for row in &complete {
            self.count(row, &shown, &mut reached, &mut nodes, &mut links);
        }
        let shown_and_nodes = shown.iter().zip(nodes).zip(reached);
        let steps = shown_and_nodes.map(|((shown, nodes), reached)| self.step(shown, nodes, reached));
        let steps = steps.collect();
        let links = links.into_iter().map(|((from, to), tally)| {
            let FlowTotal { count, persons } = show(&mut self.shown, tally);
            FlowLink {
                from,
                to,
                count,
                persons,
            }
        });
        let links = links.collect();
        let (listed, paths_total) = self.list_paths(&complete, memory)?;
        Ok(FlowSegment {
            segment,
            complete: self.total(complete.iter()),
            incomplete: self.total(incomplete.iter()),
            steps,
            links,
            paths: listed,
            paths_total,
        })
    }

    /// The largest nodes of each column.
    pub fn shown_nodes(&self, rows: &[&PathRow], memory: Memory<'_>) -> Result<Vec<Shown>> {
        let mut sizes: Vec<HashMap<u32, u64>> = vec![HashMap::new(); self.columns.len()];
        for row in rows {
            for place in self.paths.places(row.way) {
                let (column, node) = column_and_node(*place);
                *sizes[column].entry(node).or_default() += row.count;
            }
        }
        memory(sizes.iter().map(|sizes| sizes.capacity() * 48).sum())?;
        let shown = sizes.into_iter().map(|sizes| {
            let total = sizes.len();
            let large = self.largest(sizes);
            let places = large.iter().enumerate().map(|(place, node)| (*node, place)).collect();
            let rare = total - large.len();
            Shown { large, places, rare }
        });
        Ok(shown.collect())
    }

    fn largest(&self, sizes: HashMap<u32, u64>) -> Vec<u32> {
        let mut sized: Vec<(u32, u64)> = sizes.into_iter().collect();
        let by_size = |left: &(u32, u64), right: &(u32, u64)| {
            let by_name = || compare_names(&self.paths.node(left.0), &self.paths.node(right.0));
            right.1.cmp(&left.1).then_with(by_name)
        };
        if sized.len() > self.flow.nodes {
            sized.select_nth_unstable_by(self.flow.nodes, by_size);
            sized.truncate(self.flow.nodes);
        }
        sized.sort_by(by_size);
        sized.into_iter().map(|(node, _)| node).collect()
    }

    fn count(
        &self,
        row: &PathRow,
        shown: &[Shown],
        reached: &mut [Tally],
        nodes: &mut [Vec<NodeTally>],
        links: &mut BTreeMap<(NodePlace, NodePlace), Tally>,
    ) {
        let places = self.paths.places(row.way);
        let mut before: Option<NodePlace> = None;
        for (index, place) in places.iter().enumerate() {
            let (column, node) = column_and_node(*place);
            let here = NodePlace {
                column,
                node: shown[column].place(node),
            };
            reached[column].add(row);
            let tally = &mut nodes[column][here.node];
            tally.through.add(row);
            if index == 0 && column > 0 {
                tally.began.add(row);
            }
            if index + 1 == places.len() && row.end != End::AllShown {
                tally.ended[row.end as usize].add(row);
            }
            if node == MORE {
                tally.more += row.more[self.columns[column].anchor as usize];
            }
            if let Some(before) = before {
                links.entry((before, here)).or_default().add(row);
            }
            before = Some(here);
        }
    }

    fn step(&mut self, shown: &Shown, nodes: Vec<NodeTally>, reached: Tally) -> FlowStep {
        let names = shown.large.iter().map(|node| self.paths.node(*node));
        let other = (shown.rare > 0).then(|| NodeName::of_kind(NodeKind::Other));
        let names: Vec<NodeName> = names.chain(other).collect();
        let nodes = names.into_iter().zip(nodes).map(|(name, tally)| {
            let [_, dropped_off, window_ended] = tally.ended;
            let FlowTotal { count, persons } = show(&mut self.shown, tally.through);
            FlowNode {
                stands_for: match name.kind {
                    NodeKind::Other => shown.rare as u64,
                    NodeKind::More => tally.more,
                    NodeKind::Event => 0,
                },
                name,
                count,
                persons,
                began: show(&mut self.shown, tally.began),
                dropped_off: show(&mut self.shown, dropped_off),
                window_ended: show(&mut self.shown, window_ended),
            }
        });
        let nodes = nodes.collect();
        FlowStep {
            reached: show(&mut self.shown, reached),
            nodes,
        }
    }

    fn total<'r>(&mut self, rows: impl Iterator<Item = &'r &'r PathRow>) -> FlowTotal {
        let mut tally = Tally::default();
        rows.for_each(|row| tally.add(row));
        show(&mut self.shown, tally)
    }

    /// The most frequent ways, and how many there are.
    fn list_paths(&mut self, rows: &[&PathRow], memory: Memory<'_>) -> Result<(Vec<FlowPath>, usize)> {
        let mut of_ways: HashMap<u32, Vec<&PathRow>> = HashMap::new();
        for row in rows {
            of_ways.entry(row.way).or_default().push(row);
        }
        memory(of_ways.capacity() * 96)?;
        let total = of_ways.len();
        let count = |rows: &[&PathRow]| rows.iter().map(|row| row.count).sum::<u64>();
        let mut sized: Vec<(u32, u64)> = of_ways.iter().map(|(way, rows)| (*way, count(rows))).collect();
        let by_size = |left: &(u32, u64), right: &(u32, u64)| {
            right
                .1
                .cmp(&left.1)
                .then_with(|| compare_paths(&self.steps_of(left.0), &self.steps_of(right.0)))
        };
        if sized.len() > self.flow.paths {
            if self.flow.paths > 0 {
                sized.select_nth_unstable_by(self.flow.paths, by_size);
            }
            sized.truncate(self.flow.paths);
        }
        sized.sort_by(by_size);
        let listed = sized.into_iter().map(|(way, _)| {
            let of_way = &of_ways[&way];
            let ending = |end: End| of_way.iter().filter(move |row| row.end == end);
            let FlowTotal { count, persons } = self.total(of_way.iter());
            FlowPath {
                steps: self.steps_of(way),
                count,
                persons,
                dropped_off: self.total(ending(End::DroppedOff)),
                window_ended: self.total(ending(End::WindowEnded)),
            }
        });
        Ok((listed.collect(), total))
    }

    fn steps_of(&self, way: u32) -> Vec<PathStep> {
        let places = self.paths.places(way).iter().map(|place| column_and_node(*place));
        let steps = places.map(|(column, node)| PathStep {
            column,
            name: self.paths.node(node),
        });
        steps.collect()
    }
}

/// A number as the answer shows it, noting whom it shows.
fn show(shown: &mut RoaringTreemap, mut tally: Tally) -> FlowTotal {
    let crowd = tally.persons.crowd();
    if !crowd.is_many() {
        shown.extend(crowd.few().iter().copied());
    }
    FlowTotal {
        count: tally.count,
        persons: tally.persons.count(),
    }
}

/// Paths that are equally frequent: by the first step that is another, the shorter first.
fn compare_paths(left: &[PathStep], right: &[PathStep]) -> Ordering {
    let pairs = left.iter().zip(right);
    pairs
        .map(|(left, right)| {
            let by_name = || compare_names(&left.name, &right.name);
            left.column.cmp(&right.column).then_with(by_name)
        })
        .find(|order| order.is_ne())
        .unwrap_or_else(|| left.len().cmp(&right.len()))
}

fn compare_names(left: &NodeName, right: &NodeName) -> Ordering {
    left.event
        .cmp(&right.event)
        .then_with(|| compare(&left.value, &right.value))
}
