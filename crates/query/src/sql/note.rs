//! A node that notes whom rows are about as they pass, and takes the columns away that say so.
//!
//! The hidden columns are the last ones of its input: a person's number, or a crowd.

use super::crowd::few;
use datafusion::arrow::array::{Array, AsArray, RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{DataType, SchemaRef, UInt64Type};
use datafusion::catalog::Session;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DFSchema, DFSchemaRef, Result, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties};
use datafusion::physical_planner::{ExtensionPlanner, PhysicalPlanner};
use futures::StreamExt;
use roaring::RoaringTreemap;
use std::cmp::Ordering;
use std::fmt::{self, Formatter};
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

/// Whom an answer is about, as far as it was computed.
#[derive(Debug, Default)]
pub(crate) struct Noted(Mutex<RoaringTreemap>);

impl Noted {
    pub fn persons(&self, persons: impl Iterator<Item = u64>) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.extend(persons.filter(|person| *person != model::PersonNumber::NOBODY.0));
    }

    fn hidden(&self, column: &dyn Array) {
        match column.data_type() {
            DataType::UInt64 => self.persons(column.as_primitive::<UInt64Type>().iter().flatten()),
            _ => {
                let crowds = column.as_list::<i32>();
                let small = (0..crowds.len()).filter_map(|row| few(crowds, row)).flatten();
                self.persons(small);
            }
        }
    }

    /// The persons, and whether there is any.
    pub fn take(&self) -> (RoaringTreemap, bool) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let persons = std::mem::take(&mut *noted);
        let any = !persons.is_empty();
        (persons, any)
    }
}

#[derive(Debug)]
pub(crate) struct NoteNode {
    input: LogicalPlan,
    keep: usize,
    schema: DFSchemaRef,
    noted: Arc<Noted>,
}

impl NoteNode {
    /// Notes the columns of `input` behind the first `keep`.
    pub fn over(input: LogicalPlan, keep: usize, noted: &Arc<Noted>) -> Result<LogicalPlan> {
        let node = Arc::new(NoteNode::new(input, keep, noted.clone())?);
        Ok(LogicalPlan::Extension(Extension { node }))
    }

    fn new(input: LogicalPlan, keep: usize, noted: Arc<Noted>) -> Result<NoteNode> {
        let fields = input.schema().iter().take(keep);
        let fields = fields.map(|(qualifier, field)| (qualifier.cloned(), field.clone()));
        let schema = DFSchema::new_with_metadata(fields.collect(), input.schema().metadata().clone())?;
        Ok(NoteNode {
            input,
            keep,
            schema: Arc::new(schema),
            noted,
        })
    }

    fn identity(&self) -> (usize, usize, &LogicalPlan) {
        (Arc::as_ptr(&self.noted) as usize, self.keep, &self.input)
    }
}

impl PartialEq for NoteNode {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for NoteNode {}

impl PartialOrd for NoteNode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.identity().partial_cmp(&other.identity())
    }
}

impl Hash for NoteNode {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

impl UserDefinedLogicalNodeCore for NoteNode {
    fn name(&self) -> &str {
        "Note"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "Note")
    }

    fn with_exprs_and_inputs(&self, _expressions: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        match inputs.pop() {
            Some(input) if inputs.is_empty() => NoteNode::new(input, self.keep, self.noted.clone()),
            _ => internal_err!("Note has one input"),
        }
    }

    /// What is noted must be computed, whatever the answer shows of it.
    fn necessary_children_exprs(&self, _output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        Some(vec![(0..self.input.schema().fields().len()).collect()])
    }
}

#[derive(Debug)]
pub(crate) struct NotePlanner;

#[async_trait::async_trait]
impl ExtensionPlanner for NotePlanner {
    async fn plan_extension(
        &self,
        _planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical_inputs: &[&LogicalPlan],
        physical_inputs: &[Arc<dyn ExecutionPlan>],
        _session: &dyn Session,
        _context: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let Some(node) = node.as_any().downcast_ref::<NoteNode>() else {
            return Ok(None);
        };
        let [input] = physical_inputs else {
            return internal_err!("Note has one input");
        };
        let exec = NoteExec::new(input.clone(), node.keep, node.noted.clone())?;
        Ok(Some(Arc::new(exec)))
    }
}

#[derive(Debug)]
struct NoteExec {
    input: Arc<dyn ExecutionPlan>,
    keep: usize,
    noted: Arc<Noted>,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
}

impl NoteExec {
    fn new(input: Arc<dyn ExecutionPlan>, keep: usize, noted: Arc<Noted>) -> Result<NoteExec> {
        let kept: Vec<usize> = (0..keep).collect();
        let schema = Arc::new(input.schema().project(&kept)?);
        let partitions = input.output_partitioning().partition_count();
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema.clone()),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(NoteExec {
            input,
            keep,
            noted,
            schema,
            properties: Arc::new(properties),
        })
    }
}

impl DisplayAs for NoteExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "Note")
    }
}

impl ExecutionPlan for NoteExec {
    fn name(&self) -> &str {
        "Note"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        match children.pop() {
            Some(input) => Ok(Arc::new(NoteExec::new(input, self.keep, self.noted.clone())?)),
            None => internal_err!("Note has one input"),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, context)?;
        let (keep, noted, schema) = (self.keep, self.noted.clone(), self.schema.clone());
        let passed = input.map(move |batch| {
            let batch = batch?;
            for hidden in &batch.columns()[keep..] {
                noted.hidden(hidden.as_ref());
            }
            let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            let kept = batch.columns()[..keep].to_vec();
            Ok(RecordBatch::try_new_with_options(schema.clone(), kept, &options)?)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), passed)))
    }
}
