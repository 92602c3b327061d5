//! The views that statements can name, as DataFusion tables.

use super::cohort_view::CohortView;
use super::names::{self, SqlView};
use super::result::{SqlColumn, type_name};
use crate::definitions::Setting;
use crate::scan::{EventTable, Pushed, ScanCounters, column_of, push, push_instant, view_type};
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, StringArray, TimestampMillisecondArray, UInt64Array,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef, TimeUnit, UInt64Type};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::datasource::{MemTable, TableType};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties};
use futures::StreamExt;
use model::{EventTime, Value};
use std::collections::BTreeSet;
use std::fmt::{self, Formatter};
use std::sync::{Arc, Mutex, PoisonError};
use store::{ColumnKind, Profile, Snapshot};

/// The column with a row's person, in every view that has one.
pub(crate) const PERSON: &str = "person";
/// Names of all views.
pub(crate) const VIEWS: [&str; 4] = ["events", "persons", "groups", "cohorts"];

fn instant() -> DataType {
    DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()))
}

fn instants(times_ms: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(times_ms.collect::<TimestampMillisecondArray>().with_timezone("UTC"))
}

/// A view by name.
pub(crate) fn view(name: &str, setting: Setting<'_>) -> Option<Arc<dyn TableProvider>> {
    Some(match name {
        "events" => Arc::new(EventView::new(setting.snapshot, setting.asking.counters.clone())),
        "persons" => Arc::new(ProfileView::persons(setting.snapshot)),
        "groups" => Arc::new(ProfileView::groups(setting.snapshot)),
        "cohorts" => Arc::new(CohortView::new(setting)),
        _ => return None,
    })
}

/// All views with their columns.
pub(crate) fn described(setting: Setting<'_>) -> Vec<SqlView> {
    let described = |name: &&str| {
        let schema = view(name, setting)?.schema();
        let columns = schema.fields().iter().map(|field| SqlColumn {
            name: field.name().clone(),
            r#type: type_name(field.data_type()).to_owned(),
        });
        Some(SqlView {
            name: (*name).to_owned(),
            columns: columns.collect(),
        })
    };
    VIEWS.iter().filter_map(described).collect()
}

/// What a column of `events` is made from.
#[derive(Clone, Debug)]
struct EventColumn {
    name: String,
    stored: String,
    data_type: DataType,
}

/// The view `events`: the same scan as every report's, with readable names and types.
struct EventView {
    table: EventTable,
    columns: Vec<EventColumn>,
    schema: SchemaRef,
}

impl EventView {
    fn new(snapshot: &Snapshot, counters: Arc<ScanCounters>) -> EventView {
        let stored = snapshot.columns();
        let table = EventTable::new(snapshot.clone(), stored, Arc::default(), None, counters);
        let column = |name: &str, data_type: DataType| EventColumn {
            name: name.to_owned(),
            stored: name.to_owned(),
            data_type,
        };
        let mut columns = vec![
            column("event", DataType::Utf8),
            column("time", instant()),
            column(PERSON, DataType::UInt64),
        ];
        let properties = stored.iter().map(|column| (column.name.clone(), column.kind));
        for (name, property, kind) in names::columns(&["event", "time", PERSON], properties) {
            columns.push(EventColumn {
                name,
                stored: store::physical_name(&property, kind),
                data_type: view_type(kind),
            });
        }
        // Nobody is not a person: without a number, `count(distinct person)` counts what a report counts.
        let fields = columns.iter().map(|column| {
            let nullable = !matches!(column.name.as_str(), "event" | "time");
            Field::new(&column.name, column.data_type.clone(), nullable)
        });
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        EventView { table, columns, schema }
    }
}

impl fmt::Debug for EventView {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "EventView")
    }
}

/// Conditions on event name and time, which the scan applies itself.
fn pushed(filter: &Expr) -> Option<Pushed> {
    push_instant(filter, "time").or_else(|| push(filter))
}

#[async_trait::async_trait]
impl TableProvider for EventView {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let support = filters.iter().map(|filter| match pushed(filter) {
            Some(_) => TableProviderFilterPushDown::Exact,
            None => TableProviderFilterPushDown::Unsupported,
        });
        Ok(support.collect())
    }

    async fn scan(
        &self,
        _session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let all = (0..self.columns.len()).collect();
        let places = projection.unwrap_or(&all);
        let columns: Vec<EventColumn> = places.iter().map(|place| self.columns[*place].clone()).collect();
        let mut conditions = Pushed::default();
        for filter in filters {
            match pushed(filter) {
                Some(one) => conditions = conditions.and(one),
                None => return internal_err!("a filter was pushed that the scan cannot apply"),
            }
        }
        let scan = self
            .table
            .scan_columns(columns.iter().map(|column| column.stored.as_str()), conditions)?;
        Ok(Arc::new(ViewExec::new(scan, columns)))
    }
}

/// Columns of a scan under the names and types of the view.
#[derive(Debug)]
struct ViewExec {
    input: Arc<dyn ExecutionPlan>,
    columns: Vec<EventColumn>,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
}

impl ViewExec {
    fn new(input: Arc<dyn ExecutionPlan>, columns: Vec<EventColumn>) -> ViewExec {
        let fields = columns.iter().map(|column| {
            let nullable = !matches!(column.name.as_str(), "event" | "time");
            Field::new(&column.name, column.data_type.clone(), nullable)
        });
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let partitions = input.output_partitioning().partition_count();
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema.clone()),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        ViewExec {
            input,
            columns,
            schema,
            properties: Arc::new(properties),
        }
    }
}

impl DisplayAs for ViewExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "EventView")
    }
}

impl ExecutionPlan for ViewExec {
    fn name(&self) -> &str {
        "EventView"
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
            Some(input) => Ok(Arc::new(ViewExec::new(input, self.columns.clone()))),
            None => internal_err!("EventView has one input"),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, context)?;
        let (columns, schema) = (self.columns.clone(), self.schema.clone());
        let viewed = input.map(move |batch| {
            let batch = batch?;
            let across = columns.iter().zip(batch.columns());
            let across = across
                .map(|(column, stored)| viewed_as(column, stored))
                .collect::<Result<_>>()?;
            let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            Ok(RecordBatch::try_new_with_options(schema.clone(), across, &options)?)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), viewed)))
    }
}

fn viewed_as(column: &EventColumn, stored: &ArrayRef) -> Result<ArrayRef> {
    Ok(match column.stored.as_str() {
        PERSON => {
            let persons = stored.as_primitive::<UInt64Type>().values().iter();
            Arc::new(UInt64Array::from_iter(
                persons.map(|person| (*person != 0).then_some(*person)),
            ))
        }
        "time" => {
            let times_ms = stored.as_primitive::<Int64Type>().values();
            Arc::new(TimestampMillisecondArray::new(times_ms.clone(), None).with_timezone("UTC"))
        }
        _ if stored.data_type() != &column.data_type => cast(stored, &column.data_type)?,
        _ => stored.clone(),
    })
}

/// A subject of `persons` or `groups`.
struct Subject {
    key: Option<String>,
    number: u64,
    profile: Arc<Profile>,
}

/// The views `persons` and `groups`: profiles as they are now.
struct ProfileView {
    subjects: Vec<Subject>,
    /// Name, property and kind.
    columns: Vec<(String, String, ColumnKind)>,
    fixed: Vec<Field>,
    schema: SchemaRef,
    /// Memory of the columns that were made, for as long as the statement runs.
    reserved: Mutex<Vec<MemoryReservation>>,
}

impl ProfileView {
    fn persons(snapshot: &Snapshot) -> ProfileView {
        let profiles = snapshot.profiles();
        let subjects = profiles.iter().map(|(person, profile)| Subject {
            key: None,
            number: person.0,
            profile: Arc::new(profile.clone()),
        });
        let fixed = vec![Field::new(PERSON, DataType::UInt64, false)];
        ProfileView::new(fixed, subjects.collect())
    }

    fn groups(snapshot: &Snapshot) -> ProfileView {
        let profiles = snapshot.profiles();
        let mut subjects = Vec::new();
        for key in profiles.group_keys() {
            subjects.extend(profiles.groups(key).map(|(group, profile)| Subject {
                key: Some(key.to_owned()),
                number: group.0,
                profile: Arc::new(profile.clone()),
            }));
        }
        let fixed = vec![
            Field::new("key", DataType::Utf8, false),
            Field::new("group", DataType::UInt64, false),
        ];
        ProfileView::new(fixed, subjects)
    }

    fn new(mut fixed: Vec<Field>, subjects: Vec<Subject>) -> ProfileView {
        fixed.push(Field::new("last_seen", instant(), true));
        let mut properties: BTreeSet<(&str, ColumnKind)> = BTreeSet::new();
        for subject in &subjects {
            for (name, value) in &subject.profile.properties {
                properties.extend(ColumnKind::of(value).map(|kind| (name.as_str(), kind)));
            }
        }
        let reserved: Vec<&str> = fixed.iter().map(|field| field.name().as_str()).collect();
        let properties = properties.into_iter().map(|(name, kind)| (name.to_owned(), kind));
        let columns = names::columns(&reserved, properties);
        let of_properties = columns
            .iter()
            .map(|(name, _, kind)| Field::new(name, view_type(*kind), true));
        let fields: Vec<Field> = fixed.iter().cloned().chain(of_properties).collect();
        ProfileView {
            subjects,
            columns,
            fixed,
            schema: Arc::new(Schema::new(fields)),
            reserved: Mutex::default(),
        }
    }

    fn column(&self, place: usize) -> Result<ArrayRef> {
        let Some(property) = place.checked_sub(self.fixed.len()) else {
            return Ok(self.fixed_column(self.fixed[place].name()));
        };
        let (_, property, kind) = &self.columns[property];
        let values: Vec<Option<&Value>> = self
            .subjects
            .iter()
            .map(|subject| subject.profile.properties.get(property))
            .collect();
        let made = column_of(&values, *kind);
        Ok(if made.data_type() == &view_type(*kind) {
            made
        } else {
            cast(&made, &view_type(*kind))?
        })
    }

    fn fixed_column(&self, name: &str) -> ArrayRef {
        let subjects = self.subjects.iter();
        match name {
            "key" => Arc::new(subjects.map(|subject| subject.key.as_deref()).collect::<StringArray>()),
            "last_seen" => instants(subjects.map(|subject| subject.profile.last_seen.map(|EventTime(ms)| ms))),
            _ => Arc::new(subjects.map(|subject| subject.number).collect::<UInt64Array>()),
        }
    }
}

impl fmt::Debug for ProfileView {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "ProfileView")
    }
}

#[async_trait::async_trait]
impl TableProvider for ProfileView {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::View
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
        let reservation = MemoryConsumer::new("profiles").register(session.task_ctx().memory_pool());
        let mut columns = Vec::with_capacity(places.len());
        for place in places {
            let column = self.column(*place)?;
            reservation.try_grow(column.get_array_memory_size())?;
            columns.push(column);
        }
        let schema = Arc::new(self.schema.project(places)?);
        let options = RecordBatchOptions::new().with_row_count(Some(self.subjects.len()));
        let batch = RecordBatch::try_new_with_options(schema.clone(), columns, &options)?;
        self.reserved
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(reservation);
        MemTable::try_new(schema, vec![vec![batch]])?
            .scan(session, None, filters, limit)
            .await
    }
}
