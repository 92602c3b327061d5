//! A snapshot of events as a DataFusion table: provider, leaf plan and stream.
//!
//! One partition of the plan is one partition of the snapshot, and nothing may deal rows out anew: that all rows of a
//! person come from one partition is what our operators build on. Filters on event name and time go into the scan
//! and are exact there; everything else is DataFusion's.

use super::columns::{text_type, unsigned_zeros};
use super::profiles::ProfileColumns;
use super::pushdown::{Pushed, push};
use datafusion::arrow::array::{ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt64Type};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::datasource::TableType;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use std::fmt::{self, Formatter};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use store::{Column, ScanRequest, Snapshot};

/// What the scans of one question read.
#[derive(Debug, Default)]
pub(crate) struct ScanCounters {
    pub rows: AtomicU64,
    pub bytes: AtomicU64,
}

/// Events of one snapshot with the columns a question needs.
pub(crate) struct EventTable {
    snapshot: Snapshot,
    profiles: Arc<ProfileColumns>,
    persons: Option<Vec<model::PersonNumber>>,
    counters: Arc<ScanCounters>,
    schema: SchemaRef,
}

impl EventTable {
    pub fn new(
        snapshot: Snapshot,
        columns: &[Column],
        profiles: Arc<ProfileColumns>,
        persons: Option<Vec<model::PersonNumber>>,
        counters: Arc<ScanCounters>,
    ) -> EventTable {
        let mut fields = vec![
            Field::new("event", text_type(), false),
            Field::new("person", DataType::UInt64, false),
            Field::new("time", DataType::Int64, false),
            Field::new("seq", DataType::UInt64, false),
        ];
        fields.extend(
            columns
                .iter()
                .map(|column| Field::new(&column.physical, column.kind.data_type(), true)),
        );
        fields.extend(profiles.user_fields());
        EventTable {
            snapshot,
            profiles,
            persons,
            counters,
            schema: Arc::new(Schema::new(fields)),
        }
    }

    /// A scan of some columns, by their names here.
    pub fn scan_columns<'a>(
        &self,
        names: impl Iterator<Item = &'a str>,
        pushed: Pushed,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let places = names.map(|name| self.schema.index_of(name));
        let places = places.collect::<std::result::Result<Vec<usize>, _>>()?;
        Ok(self.scan_as(Arc::new(self.schema.project(&places)?), pushed))
    }

    fn scan_as(&self, schema: SchemaRef, pushed: Pushed) -> Arc<dyn ExecutionPlan> {
        let names = schema.fields().iter().map(|field| field.name());
        let properties = names.filter(|name| is_property(name)).cloned();
        let request = ScanRequest {
            events: pushed.events,
            from_ms: pushed.from_ms,
            to_ms: pushed.to_ms,
            properties: properties.collect(),
            persons: self.persons.clone(),
            with_event: schema.column_with_name("event").is_some(),
            with_seq: schema.column_with_name("seq").is_some(),
            with_insert_id: false,
        };
        Arc::new(ScanExec::new(self, request, schema))
    }
}

impl fmt::Debug for EventTable {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "EventTable")
    }
}

#[async_trait::async_trait]
impl TableProvider for EventTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(filters
            .iter()
            .map(|filter| match push(filter) {
                Some(_) => TableProviderFilterPushDown::Exact,
                None => TableProviderFilterPushDown::Unsupported,
            })
            .collect())
    }

    async fn scan(
        &self,
        _session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mut pushed = Pushed::default();
        for filter in filters {
            match push(filter) {
                Some(one) => pushed = pushed.and(one),
                None => return internal_err!("a filter was pushed that the scan cannot apply: {filter}"),
            }
        }
        let schema = match projection {
            Some(projection) => Arc::new(self.schema.project(projection)?),
            None => self.schema.clone(),
        };
        Ok(self.scan_as(schema, pushed))
    }
}

/// Whether a column is one of the store's property columns.
fn is_property(name: &str) -> bool {
    !matches!(name, "event" | "person" | "time" | "seq") && !name.ends_with("@user")
}

/// The leaf of every plan over events.
pub(crate) struct ScanExec {
    snapshot: Snapshot,
    profiles: Arc<ProfileColumns>,
    counters: Arc<ScanCounters>,
    request: ScanRequest,
    properties: Arc<PlanProperties>,
}

impl ScanExec {
    fn new(table: &EventTable, request: ScanRequest, schema: SchemaRef) -> ScanExec {
        let partitions = Partitioning::UnknownPartitioning(table.snapshot.scan_count());
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            partitions,
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        ScanExec {
            snapshot: table.snapshot.clone(),
            profiles: table.profiles.clone(),
            counters: table.counters.clone(),
            request,
            properties: Arc::new(properties),
        }
    }
}

impl fmt::Debug for ScanExec {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "ScanExec")
    }
}

impl DisplayAs for ScanExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut Formatter<'_>) -> fmt::Result {
        let events = match &self.request.events {
            Some(events) => format!("{events:?}"),
            None => "all".into(),
        };
        write!(
            f,
            "EventScan: events={events}, time=[{}, {})",
            self.request.from_ms, self.request.to_ms
        )?;
        write!(f, ", columns={:?}", self.request.properties)
    }
}

impl ExecutionPlan for ScanExec {
    fn name(&self) -> &str {
        "EventScan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, _children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(&self, partition: usize, _context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let batches = Batches {
            scan: self.snapshot.scan(partition, &self.request).map_err(from_store)?,
            schema: self.schema(),
            profiles: self.profiles.clone(),
            counters: self.counters.clone(),
        };
        let stream = futures::stream::iter(batches);
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), stream)))
    }
}

fn from_store(error: store::StoreError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// The batches of one partition, with profile columns added.
struct Batches {
    scan: store::Scan,
    schema: SchemaRef,
    profiles: Arc<ProfileColumns>,
    counters: Arc<ScanCounters>,
}

impl Iterator for Batches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = match self.scan.next()? {
            Ok(batch) => self.columns(&batch),
            Err(error) => Err(from_store(error)),
        };
        Some(batch)
    }
}

impl Drop for Batches {
    fn drop(&mut self) {
        self.counters.rows.fetch_add(self.scan.rows_read(), Ordering::Relaxed);
        self.counters.bytes.fetch_add(self.scan.bytes_read(), Ordering::Relaxed);
    }
}

impl Batches {
    fn columns(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let named = |name: &str| match batch.column_by_name(name) {
            Some(column) => Ok(unsigned_zeros(column)),
            None => internal_err!("the scan left out column {name}"),
        };
        let mut rows_of_profiles = None;
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.schema.fields().len());
        for field in self.schema.fields() {
            if !field.name().ends_with("@user") {
                columns.push(named(field.name())?);
                continue;
            }
            if rows_of_profiles.is_none() {
                let persons = named("person")?;
                rows_of_profiles = Some(self.profiles.rows_of(persons.as_primitive::<UInt64Type>().values()));
            }
            let joined = match &rows_of_profiles {
                Some(rows) => self.profiles.joined(field.name(), rows)?,
                None => None,
            };
            match joined {
                Some(column) => columns.push(column),
                None => return internal_err!("no profile column {}", field.name()),
            }
        }
        let rows = datafusion::arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(RecordBatch::try_new_with_options(self.schema.clone(), columns, &rows)?)
    }
}
