//! Projects and their settings.

use super::Catalog;
use crate::error::StoreError;
use crate::retention::{Cutoffs, Retention};
use model::{EventTime, ProjectId};
use rusqlite::{Connection, Row};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A tenant: its events, persons and credentials are apart from every other's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    pub id: ProjectId,
    pub name: String,
    /// IANA name of the time zone that reports use unless they name one.
    pub timezone: String,
    pub created: EventTime,
    pub settings: ProjectSettings,
}

/// What an administrator may change about a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProjectSettings {
    /// Whether requests with `Sec-GPC` or `DNT` are dropped.
    pub honour_opt_out: bool,
    /// Whether a country is derived from the sender's address before the address is forgotten.
    pub country_from_ip: bool,
    /// Event properties whose values are groups.
    pub group_keys: Vec<String>,
    /// How long events are kept.
    pub retention: Retention,
}

impl Default for ProjectSettings {
    fn default() -> ProjectSettings {
        ProjectSettings {
            honour_opt_out: true,
            country_from_ip: true,
            group_keys: Vec::new(),
            retention: Retention::default(),
        }
    }
}

impl Catalog {
    /// Adds a project with default settings. Names need not be unique.
    pub fn create_project(&self, name: &str, timezone: &str) -> Result<Project, StoreError> {
        if jiff::tz::TimeZone::get(timezone).is_err() {
            return Err(StoreError::Invalid(format!("{timezone:?} is not a known time zone")));
        }
        let connection = self.lock();
        let created = (self.clock)();
        let settings = ProjectSettings::default();
        connection
            .execute(
                "INSERT INTO project(name, timezone, created_ms, settings) VALUES (?1, ?2, ?3, ?4)",
                (name, timezone, created.0, settings_text(&settings)),
            )
            .map_err(StoreError::catalog("add a project"))?;
        let id = u32::try_from(connection.last_insert_rowid())
            .map_err(|_| StoreError::Invalid("no project number is left".into()))?;
        let project = Project {
            id: ProjectId(id),
            name: name.to_owned(),
            timezone: timezone.to_owned(),
            created,
            settings,
        };
        self.change_cache(|cache| drop(cache.projects.insert(project.id, project.clone())));
        Ok(project)
    }

    /// Replaces the name, time zone and settings of a project.
    pub fn update_project(&self, project: &Project) -> Result<(), StoreError> {
        if let Some(fault) = project.settings.retention.fault() {
            return Err(StoreError::Invalid(fault));
        }
        let connection = self.lock();
        let changed = connection
            .execute(
                "UPDATE project SET name = ?2, timezone = ?3, settings = ?4 WHERE id = ?1",
                (
                    project.id.0,
                    &project.name,
                    &project.timezone,
                    settings_text(&project.settings),
                ),
            )
            .map_err(StoreError::catalog("change a project"))?;
        if changed == 0 {
            return Err(StoreError::UnknownProject(project.id));
        }
        self.change_cache(|cache| drop(cache.projects.insert(project.id, project.clone())));
        Ok(())
    }

    /// All projects by number.
    pub fn projects(&self) -> Vec<Project> {
        self.cached(|cache| cache.projects.values().cloned().collect())
    }

    pub fn project(&self, id: ProjectId) -> Option<Project> {
        self.cached(|cache| cache.projects.get(&id).cloned())
    }

    pub(crate) fn cutoffs(&self, id: ProjectId) -> Cutoffs {
        let now_ms = (self.clock)().0;
        self.cached(|cache| match cache.projects.get(&id) {
            Some(project) => Cutoffs::new(&project.settings.retention, now_ms),
            None => Cutoffs::default(),
        })
    }

    pub(crate) fn has_project(&self, id: ProjectId) -> bool {
        self.cached(|cache| cache.projects.contains_key(&id))
    }
}

fn settings_text(settings: &ProjectSettings) -> String {
    serde_json::to_string(settings).expect("settings are plain strings and flags")
}

pub(super) fn load(connection: &Connection) -> Result<BTreeMap<ProjectId, Project>, StoreError> {
    let read = || -> rusqlite::Result<BTreeMap<ProjectId, Project>> {
        connection
            .prepare("SELECT id, name, timezone, created_ms, settings FROM project")?
            .query_map((), project_of_row)?
            .map(|project| project.map(|project| (project.id, project)))
            .collect()
    };
    read().map_err(StoreError::catalog("read the projects"))
}

fn project_of_row(row: &Row<'_>) -> rusqlite::Result<Project> {
    let settings: String = row.get(4)?;
    Ok(Project {
        id: ProjectId(row.get(0)?),
        name: row.get(1)?,
        timezone: row.get(2)?,
        created: EventTime(row.get(3)?),
        settings: serde_json::from_str(&settings)
            .map_err(|error| rusqlite::Error::FromSqlConversionFailure(4, rusqlite::types::Type::Text, error.into()))?,
    })
}
