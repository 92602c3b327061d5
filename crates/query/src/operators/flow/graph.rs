//! The paths of all partitions as nodes and links.
//!
//! Persons of different partitions are different, and so are the paths of one partition, but one person can have
//! several paths. So whoever is behind a number is put together from the persons of its paths.

mod members;
mod paths;
mod segment;

use super::Memory;
use crate::segments::compare;
use datafusion::arrow::array::{Array, AsArray, ListBuilder, RecordBatch, StringArray, UInt64Builder};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt64Type};
use datafusion::common::{Result, internal_err};
use datafusion::error::DataFusionError;
use model::report::{Flow, FlowAnswer, Segment};
use paths::Paths;
use roaring::RoaringTreemap;
use segment::Counting;
use std::sync::{Arc, LazyLock};

pub(super) use members::merge as merge_members;
pub(crate) use members::only_cell;

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let persons = DataType::List(Arc::new(Field::new("item", DataType::UInt64, true)));
    Arc::new(Schema::new(vec![
        // The answer as JSON.
        Field::new("answer", DataType::Utf8, false),
        // The persons behind numbers that are small.
        Field::new("shown", persons, false),
    ]))
});

pub(super) fn schema() -> SchemaRef {
    SCHEMA.clone()
}

/// One row: the answer, and whom it shows.
pub(super) fn merge(flow: &Flow, partials: &[RecordBatch], memory: Memory<'_>) -> Result<RecordBatch> {
    let paths = Paths::of(partials, memory)?;
    let mut counting = Counting::new(flow, &paths);
    let answer = answer(flow, &paths, &mut counting, memory)?;
    let text = serde_json::to_string(&answer).map_err(|error| DataFusionError::External(Box::new(error)))?;
    let mut shown = ListBuilder::new(UInt64Builder::new());
    shown.append_value(counting.shown.iter().map(Some));
    let columns: Vec<Arc<dyn Array>> = vec![Arc::new(StringArray::from(vec![text])), Arc::new(shown.finish())];
    Ok(RecordBatch::try_new(schema(), columns)?)
}

/// What [`merge`] wrote.
pub(crate) fn read(batches: &[RecordBatch]) -> Result<(FlowAnswer, RoaringTreemap)> {
    let Some(batch) = batches.iter().find(|batch| batch.num_rows() == 1) else {
        return internal_err!("a flow ends in one row");
    };
    let answers: &StringArray = batch.column(0).as_string();
    let answer = serde_json::from_str(answers.value(0)).map_err(|error| DataFusionError::External(Box::new(error)))?;
    let shown = batch.column(1).as_list::<i32>().value(0);
    Ok((answer, shown.as_primitive::<UInt64Type>().values().iter().collect()))
}

fn answer(flow: &Flow, paths: &Paths, counting: &mut Counting<'_>, memory: Memory<'_>) -> Result<FlowAnswer> {
    let mut sized: Vec<(u32, u64)> = paths.segment_sizes().into_iter().collect();
    sized.sort_by(|(left, left_size), (right, right_size)| {
        let by_value = || compare(paths.segment(*left), paths.segment(*right));
        right_size.cmp(left_size).then_with(by_value)
    });
    let segments_total = sized.len();
    sized.truncate(flow.limit);
    let mut segments = vec![counting.segment(Segment::new(), |_| true, memory)?];
    for (segment, _) in sized {
        let inside = |row: &paths::PathRow| row.segments.contains(&segment);
        segments.push(counting.segment(paths.segment(segment).clone(), inside, memory)?);
    }
    Ok(FlowAnswer {
        columns: flow.columns(),
        segments,
        segments_total,
    })
}
