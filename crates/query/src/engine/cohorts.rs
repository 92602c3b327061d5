//! Questions about definitions themselves: who is in a cohort, and whether one could be saved.

use super::Engine;
use crate::QueryError;
use crate::asking::Asking;
use crate::cohorts::{self, Evaluation};
use crate::definition;
use crate::definitions::{Resolved, load};
use crate::people::PeopleSet;
use ledger::Undisclosed;
use model::{Cohort, EventTime, Expression};
use roaring::RoaringTreemap;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::Project;

impl Engine {
    /// Who is in a cohort now, with an event or a profile or without.
    pub async fn cohort(&self, project: &Project, cohort: &Cohort, now: EventTime) -> Result<PeopleSet, QueryError> {
        let (shared, project, cohort) = (self.shared.clone(), project.clone(), cohort.clone());
        self.run(async move {
            let members = members(&shared.asking(), &project, &cohort, now).await?;
            Ok(PeopleSet::of(members))
        })
        .await
    }

    /// How many are in a cohort now.
    pub async fn cohort_size(
        &self,
        project: &Project,
        cohort: &Cohort,
        now: EventTime,
    ) -> Result<Undisclosed<u64>, QueryError> {
        let (shared, project, cohort) = (self.shared.clone(), project.clone(), cohort.clone());
        self.run(async move {
            let asking = shared.asking();
            let members = members(&asking, &project, &cohort, now).await?;
            Ok(cohorts::size(&members, &cohort, asking.named()))
        })
        .await
    }

    /// Whether a definition could be saved, in the place of cohort `number` if one is given: tries it out.
    pub async fn try_cohort(
        &self,
        project: &Project,
        number: Option<u64>,
        cohort: &Cohort,
        now: EventTime,
    ) -> Result<(), QueryError> {
        let (shared, project, cohort) = (self.shared.clone(), project.clone(), cohort.clone());
        self.run(async move {
            cohort.check()?;
            let snapshot = shared.store.snapshot(project.id);
            let asking = shared.asking();
            let setting = asking.setting(&project, &snapshot, now);
            let mut definitions = (**Resolved::of_cohort(setting, &cohort)?.definitions()).clone();
            match number {
                None => {
                    Evaluation::new(setting, &Arc::new(definitions))
                        .members(&cohort)
                        .await?;
                }
                Some(number) => {
                    definitions.cohorts.insert(number, cohort);
                    Evaluation::new(setting, &Arc::new(definitions)).saved(number).await?;
                }
            }
            Ok(())
        })
        .await
    }

    /// Whether a formula could be saved under a name: everything it names exists, and it is not built on itself.
    pub async fn check_computed(&self, project: &Project, name: &str, formula: &Expression) -> Result<(), QueryError> {
        let (shared, project) = (self.shared.clone(), project.clone());
        let (name, formula) = (name.to_owned(), formula.clone());
        self.run(async move {
            let mut definitions =
                load(shared.store.catalog(), project.id, std::iter::once(&formula)).map_err(QueryError::Store)?;
            definitions.computed.insert(name.clone(), formula);
            definitions.resolve(&Expression::Computed(name))?;
            Ok(())
        })
        .await
    }

    /// A cohort's definition in words, with the names of the cohorts it is built on.
    pub fn cohort_words(&self, cohort: &Cohort, names: &BTreeMap<u64, String>) -> String {
        definition::cohort::words(cohort, names)
    }
}

async fn members(
    asking: &Asking,
    project: &Project,
    cohort: &Cohort,
    now: EventTime,
) -> Result<RoaringTreemap, QueryError> {
    cohort.check()?;
    let snapshot = asking.store.snapshot(project.id);
    let setting = asking.setting(project, &snapshot, now);
    let resolved = Resolved::of_cohort(setting, cohort)?;
    Evaluation::new(setting, resolved.definitions()).members(cohort).await
}
