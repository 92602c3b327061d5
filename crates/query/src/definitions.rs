//! What the names in a question's expressions stand for: read from the catalog, with cohorts evaluated.

use crate::QueryError;
use crate::asking::Asking;
use crate::cohorts::Evaluation;
use crate::error::pointer_to;
use crate::named::named_persons;
use crate::plan;
use crate::plan::functions::named::{Cells, GroupValues, Members};
use ledger::digest_of;
use model::cohort::{Cohort, asked_until};
use model::definitions::LookupTable;
use model::{DefinitionError, Definitions, EventTime, Expression, PersonNumber, ProjectId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::{Catalog, Document, Profiles, Project, Snapshot, StoreError};

/// Kinds of the documents that definitions are saved as.
pub const COHORT_KIND: &str = "cohort";
pub const COMPUTED_KIND: &str = "computed_property";
pub const LOOKUP_TABLE_KIND: &str = "lookup_table";

/// The definitions that some expressions need, directly or by way of each other. What does not exist is left out.
pub fn load<'a>(
    catalog: &Catalog,
    project: ProjectId,
    expressions: impl Iterator<Item = &'a Expression>,
) -> Result<Definitions, StoreError> {
    let mut loading = Loading::new(catalog, project);
    loading.expressions(expressions)?;
    Ok(loading.found)
}

struct Loading<'a> {
    catalog: &'a Catalog,
    project: ProjectId,
    found: Definitions,
    cohort_names: BTreeMap<u64, String>,
    read: Vec<Edition>,
}

/// A document as it was read: its kind, number and version. The same three never mean another text.
type Edition = (&'static str, u64, u64);

impl<'c> Loading<'c> {
    fn new(catalog: &'c Catalog, project: ProjectId) -> Loading<'c> {
        Loading {
            catalog,
            project,
            found: Definitions::default(),
            cohort_names: BTreeMap::new(),
            read: Vec::new(),
        }
    }

    fn expressions<'a>(&mut self, expressions: impl Iterator<Item = &'a Expression>) -> Result<(), StoreError> {
        for expression in expressions {
            let mut named = Vec::new();
            expression.walk(&mut |part| named.push(part));
            for part in named {
                match part {
                    Expression::Cohort(number) => self.cohort(*number)?,
                    Expression::Computed(name) => self.computed(name)?,
                    Expression::Lookup { table, .. } => self.lookup_table(table)?,
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn cohort(&mut self, number: u64) -> Result<(), StoreError> {
        if self.found.cohorts.contains_key(&number) {
            return Ok(());
        }
        let document = self.catalog.document(self.project, COHORT_KIND, number)?;
        let Some((document, cohort)) = self.parsed::<Cohort>(COHORT_KIND, document) else {
            return Ok(());
        };
        self.cohort_names.insert(number, document.name);
        self.found.cohorts.insert(number, cohort.clone());
        self.needs_of(&cohort)
    }

    fn needs_of(&mut self, cohort: &Cohort) -> Result<(), StoreError> {
        self.expressions(cohort.rule.filters().into_iter())?;
        for (report, _) in cohort.rule.cells() {
            self.expressions(plan::expressions(report).into_iter())?;
        }
        cohort
            .rule
            .cohorts()
            .into_iter()
            .try_for_each(|other| self.cohort(other))
    }

    fn computed(&mut self, name: &str) -> Result<(), StoreError> {
        if self.found.computed.contains_key(name) {
            return Ok(());
        }
        let document = self.catalog.document_named(self.project, COMPUTED_KIND, name)?;
        let Some((_, formula)) = self.parsed::<Expression>(COMPUTED_KIND, document) else {
            return Ok(());
        };
        self.found.computed.insert(name.to_owned(), formula.clone());
        self.expressions(std::iter::once(&formula))
    }

    fn lookup_table(&mut self, name: &str) -> Result<(), StoreError> {
        if self.found.lookups.contains_key(name) {
            return Ok(());
        }
        let document = self.catalog.document_named(self.project, LOOKUP_TABLE_KIND, name)?;
        if let Some((_, table)) = self.parsed::<LookupTable>(LOOKUP_TABLE_KIND, document) {
            self.found.lookups.insert(name.to_owned(), table);
        }
        Ok(())
    }

    /// A stored document; one that this build cannot read is as good as none.
    fn parsed<T: DeserializeOwned>(&mut self, kind: &'static str, document: Option<Document>) -> Option<(Document, T)> {
        let document = document?;
        let parsed = serde_json::from_str(&document.json).ok()?;
        self.read.push((kind, document.id, document.version));
        Some((document, parsed))
    }
}

/// A question's surroundings, as far as the meaning of names depends on them.
#[derive(Clone, Copy)]
pub(crate) struct Setting<'a> {
    pub asking: &'a Asking,
    pub project: &'a Project,
    pub snapshot: &'a Snapshot,
    pub now: EventTime,
}

/// The names of a question's expressions, resolved as of one snapshot and one moment.
#[derive(Default)]
pub(crate) struct Resolved {
    definitions: Arc<Definitions>,
    cohort_names: BTreeMap<u64, String>,
    read: Vec<Edition>,
    members: BTreeMap<u64, Members>,
    profiles: Arc<Profiles>,
}

impl Resolved {
    /// Resolves what the expressions of `question` name.
    pub async fn of_question<'a>(
        setting: Setting<'_>,
        question: &impl Serialize,
        expressions: impl Iterator<Item = &'a Expression>,
    ) -> Result<Resolved, QueryError> {
        let expressions: Vec<&Expression> = expressions.collect();
        let mut resolved = Resolved::load(setting, expressions.iter().copied())?;
        resolved.evaluate(setting, question, &expressions).await?;
        Ok(resolved)
    }

    /// What some expressions name, but for the members of cohorts.
    pub fn load<'a>(
        setting: Setting<'_>,
        expressions: impl Iterator<Item = &'a Expression>,
    ) -> Result<Resolved, QueryError> {
        Resolved::named(setting, |loading| loading.expressions(expressions))
    }

    /// Finds the members of the cohorts that the expressions of `question`, which were loaded, name.
    pub async fn evaluate(
        &mut self,
        setting: Setting<'_>,
        question: &impl Serialize,
        expressions: &[&Expression],
    ) -> Result<(), QueryError> {
        let mut wanted = BTreeSet::new();
        for expression in expressions {
            let written_out = self.write_out(expression).map_err(|error| QueryError::Definition {
                error,
                at: pointer_to(question, expression),
            })?;
            wanted.extend(cohorts_in(&written_out));
        }
        let mut evaluation = Evaluation::new(setting, &self.definitions);
        let mut members = BTreeMap::new();
        for number in wanted {
            let found = Members::of_cohort(number, evaluation.saved(number).await?);
            members.insert(number, found);
        }
        self.members = members;
        Ok(())
    }

    /// Notes whom expressions name, also by way of computed properties.
    pub fn name_persons(&self, setting: Setting<'_>, expressions: &[&Expression]) -> Result<(), QueryError> {
        let mut written_out = Vec::new();
        for expression in expressions {
            written_out.push(self.write_out(expression)?);
        }
        let named = named_persons(&written_out)?.into_iter();
        let canonical = named.map(|person| setting.snapshot.canonical(PersonNumber(person)).0);
        setting.asking.name(canonical.collect());
        Ok(())
    }

    /// Of everything that what was loaded depends on besides the data; `None` where nothing was.
    pub fn digest(&self, project: &Project, now: EventTime) -> Option<[u8; 32]> {
        if self.read.is_empty() {
            return None;
        }
        let cohorts = self.definitions.cohorts.values();
        let minute = cohorts.clone().any(Cohort::moves).then(|| asked_until(now));
        // Days of cohorts are those of the project's zone.
        let zone = (cohorts.len() > 0).then_some(&project.timezone);
        Some(digest_of(&(&self.read, minute, zone)))
    }

    /// Resolves what a cohort's filters name, and finds the cohorts it is built on.
    pub fn of_cohort(setting: Setting<'_>, cohort: &Cohort) -> Result<Resolved, QueryError> {
        Resolved::named(setting, |loading| loading.needs_of(cohort))
    }

    /// Resolves filters within the definition of a cohort, whose needs were loaded.
    pub fn of_filters<'a>(
        setting: Setting<'_>,
        definitions: &Arc<Definitions>,
        filters: impl Iterator<Item = &'a Expression>,
    ) -> Result<Resolved, QueryError> {
        for filter in filters {
            if let Some(cohort) = cohorts_in(&definitions.resolve(filter)?).first() {
                return Err(DefinitionError::CohortInCohort(*cohort).into());
            }
        }
        Ok(Resolved {
            definitions: definitions.clone(),
            profiles: setting.snapshot.profiles(),
            ..Resolved::default()
        })
    }

    /// Resolves the expressions of a report within the definition of a cohort, given the cohorts that they name.
    pub fn of_cell(setting: Setting<'_>, definitions: &Arc<Definitions>, members: BTreeMap<u64, Members>) -> Resolved {
        Resolved {
            definitions: definitions.clone(),
            profiles: setting.snapshot.profiles(),
            members,
            ..Resolved::default()
        }
    }

    /// Everything but the members of cohorts.
    fn named(
        setting: Setting<'_>,
        load: impl FnOnce(&mut Loading<'_>) -> Result<(), StoreError>,
    ) -> Result<Resolved, QueryError> {
        let mut loading = Loading::new(setting.asking.store.catalog(), setting.project.id);
        load(&mut loading).map_err(QueryError::Store)?;
        Ok(Resolved {
            definitions: Arc::new(loading.found),
            cohort_names: loading.cohort_names,
            read: loading.read,
            profiles: setting.snapshot.profiles(),
            ..Resolved::default()
        })
    }

    pub fn definitions(&self) -> &Arc<Definitions> {
        &self.definitions
    }

    /// The expression without computed properties; every other name in it exists.
    pub fn write_out(&self, expression: &Expression) -> Result<Expression, DefinitionError> {
        self.definitions.resolve(expression)
    }

    pub fn members(&self, cohort: u64) -> Option<Members> {
        self.members.get(&cohort).cloned()
    }

    pub fn cells(&self, table: &str, column: &str) -> Result<Cells, DefinitionError> {
        let Some(found) = self.definitions.lookups.get(table) else {
            return Err(DefinitionError::UnknownTable(table.to_owned()));
        };
        Cells::of_table(table, column, found).ok_or_else(|| DefinitionError::UnknownColumn {
            table: table.to_owned(),
            column: column.to_owned(),
        })
    }

    pub fn group_values(&self, key: &str, property: &str) -> GroupValues {
        GroupValues::of_profiles(&self.profiles, key, property)
    }

    /// What the cohorts that a question names are, as sentences behind the question's own.
    pub fn words(&self) -> String {
        let mut words = String::new();
        for number in self.members.keys() {
            if let (Some(cohort), Some(name)) = (self.definitions.cohorts.get(number), self.cohort_names.get(number)) {
                let defined = crate::definition::cohort::words(cohort, &self.cohort_names);
                words.push_str(&format!(" cohort({number}) is \"{name}\": {defined}"));
            }
        }
        words
    }
}

/// The cohorts that an expression without computed properties names.
pub(crate) fn cohorts_in(expression: &Expression) -> Vec<u64> {
    let mut cohorts = Vec::new();
    expression.walk(&mut |part| {
        if let Expression::Cohort(number) = part {
            cohorts.push(*number);
        }
    });
    cohorts
}
