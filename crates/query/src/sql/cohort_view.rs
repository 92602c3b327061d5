//! The view `cohorts`: who is in which saved cohort at the time of asking.

use super::views::PERSON;
use crate::asking::Asking;
use crate::cohorts::Evaluation;
use crate::definitions::{COHORT_KIND, Resolved, Setting};
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions, StringArray, UInt64Array,
};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DFSchema, DataFusionError, Result};
use datafusion::datasource::{MemTable, TableType};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;
use model::{Cohort, EventTime};
use roaring::RoaringTreemap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use store::{Project, Snapshot};

const COHORT: &str = "cohort";
const NAME: &str = "name";
const BATCH_ROWS: usize = 8_192;

/// Only the cohorts that a statement's conditions leave are evaluated.
pub(crate) struct CohortView {
    asking: Asking,
    project: Project,
    snapshot: Snapshot,
    now: EventTime,
    schema: SchemaRef,
    /// Memory of the rows that were made, for as long as the statement runs.
    reserved: Mutex<Vec<MemoryReservation>>,
}

/// A saved cohort that this build can read.
struct Saved {
    number: u64,
    name: String,
    cohort: Cohort,
}

impl CohortView {
    pub fn new(setting: Setting<'_>) -> CohortView {
        let fields = [
            Field::new(COHORT, DataType::UInt64, false),
            Field::new(NAME, DataType::Utf8, false),
            Field::new(PERSON, DataType::UInt64, false),
        ];
        CohortView {
            asking: setting.asking.clone(),
            project: setting.project.clone(),
            snapshot: setting.snapshot.clone(),
            now: setting.now,
            schema: Arc::new(Schema::new(fields.to_vec())),
            reserved: Mutex::default(),
        }
    }

    /// The saved cohorts that pass conditions on number and name.
    fn wanted(&self, session: &dyn Session, filters: &[Expr]) -> Result<Vec<Saved>> {
        let catalog = self.asking.store.catalog();
        let documents = catalog.documents(self.project.id, COHORT_KIND).map_err(external)?;
        let readable = documents.into_iter().filter_map(|document| {
            let cohort = serde_json::from_str(&document.json).ok()?;
            Some(Saved {
                number: document.id,
                name: document.name,
                cohort,
            })
        });
        let saved: Vec<Saved> = readable.collect();
        let Some(condition) = conjunction(filters.to_vec()) else {
            return Ok(saved);
        };
        let columns: [ArrayRef; 3] = [
            Arc::new(saved.iter().map(|saved| saved.number).collect::<UInt64Array>()),
            Arc::new(StringArray::from_iter_values(
                saved.iter().map(|saved| saved.name.as_str()),
            )),
            Arc::new(UInt64Array::from(vec![0; saved.len()])),
        ];
        let batch = RecordBatch::try_new(self.schema.clone(), columns.to_vec())?;
        let condition = session.create_physical_expr(condition, &DFSchema::try_from(self.schema.clone())?)?;
        let passes = condition.evaluate(&batch)?.into_array(batch.num_rows())?;
        let passes: &BooleanArray = passes.as_boolean();
        let saved = saved.into_iter().enumerate();
        let kept = saved.filter(|(place, _)| passes.is_valid(*place) && passes.value(*place));
        Ok(kept.map(|(_, saved)| saved).collect())
    }

    async fn members(&self, cohort: &Cohort) -> Result<RoaringTreemap> {
        let setting = self.asking.setting(&self.project, &self.snapshot, self.now);
        let resolved = Resolved::of_cohort(setting, cohort).map_err(external)?;
        let mut evaluation = Evaluation::new(setting, resolved.definitions());
        evaluation.members(cohort).await.map_err(external)
    }
}

fn external(error: impl std::error::Error + Send + Sync + 'static) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// A condition that a cohort passes or not, whoever is in it.
fn is_about_cohorts(filter: &Expr) -> bool {
    filter.column_refs().iter().all(|column| column.name != PERSON)
}

impl fmt::Debug for CohortView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CohortView")
    }
}

#[async_trait::async_trait]
impl TableProvider for CohortView {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let support = filters.iter().map(|filter| match is_about_cohorts(filter) {
            true => TableProviderFilterPushDown::Exact,
            false => TableProviderFilterPushDown::Unsupported,
        });
        Ok(support.collect())
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let all = (0..self.schema.fields().len()).collect();
        let places = projection.unwrap_or(&all);
        let schema = Arc::new(self.schema.project(places)?);
        let reservation = MemoryConsumer::new("cohorts").register(session.task_ctx().memory_pool());
        let mut batches = Vec::new();
        for saved in self.wanted(session, filters)? {
            let members: Vec<u64> = self.members(&saved.cohort).await?.into_iter().collect();
            for persons in members.chunks(BATCH_ROWS) {
                let columns = places.iter().map(|place| -> ArrayRef {
                    match self.schema.field(*place).name().as_str() {
                        COHORT => Arc::new(UInt64Array::from(vec![saved.number; persons.len()])),
                        NAME => Arc::new(StringArray::from_iter_values(
                            persons.iter().map(|_| saved.name.as_str()),
                        )),
                        _ => Arc::new(UInt64Array::from(persons.to_vec())),
                    }
                });
                let options = RecordBatchOptions::new().with_row_count(Some(persons.len()));
                let batch = RecordBatch::try_new_with_options(schema.clone(), columns.collect(), &options)?;
                reservation.try_grow(batch.get_array_memory_size())?;
                batches.push(batch);
            }
        }
        self.reserved
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(reservation);
        MemTable::try_new(schema, vec![batches])?
            .scan(session, None, &[], limit)
            .await
    }
}
