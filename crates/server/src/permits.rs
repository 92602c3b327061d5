//! How many questions run at once: over all projects, and for each of them, so that one cannot take all places.

use crate::app_state::lock;
use crate::error::{ApiError, ApiResult};
use model::{ErrorCode, ProjectId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Questions that run at once. Each uses both cores, so more would only share them.
const QUESTIONS_MAX: usize = 8;
/// How long a question waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

pub struct Permits {
    all: Arc<Semaphore>,
    per_project: usize,
    projects: Mutex<HashMap<ProjectId, Arc<Semaphore>>>,
    patience: Duration,
}

/// A place among the questions that run; free again when dropped.
pub struct Permit {
    _of_project: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

impl Permits {
    pub fn new(per_project: usize) -> Permits {
        Permits {
            all: Arc::new(Semaphore::new(QUESTIONS_MAX)),
            per_project: per_project.max(1),
            projects: Mutex::default(),
            patience: PATIENCE,
        }
    }

    /// Waits for a place. Whoever waits for one of their project holds none of all.
    pub async fn question(&self, project: ProjectId) -> ApiResult<Permit> {
        let of_project = lock(&self.projects)
            .entry(project)
            .or_insert_with(|| Arc::new(Semaphore::new(self.per_project)))
            .clone();
        let places = async {
            Some(Permit {
                _of_project: of_project.acquire_owned().await.ok()?,
                _of_all: self.all.clone().acquire_owned().await.ok()?,
            })
        };
        match tokio::time::timeout(self.patience, places).await {
            Ok(Some(permit)) => Ok(permit),
            _ => Err(ApiError::new(
                ErrorCode::RateLimited,
                format!(
                    "too many questions are running; a project asks up to {} at once",
                    self.per_project
                ),
            )
            .fix("try again in a moment")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::response::IntoResponse;

    #[tokio::test]
    async fn a_project_has_its_places_and_no_more() {
        let permits = Permits {
            patience: Duration::from_millis(1),
            ..Permits::new(2)
        };
        let first = permits.question(ProjectId(1)).await.unwrap();
        let _second = permits.question(ProjectId(1)).await.unwrap();
        let refused = permits.question(ProjectId(1)).await.err().unwrap().into_response();
        assert_eq!(refused.status(), 429);
        assert!(refused.headers().contains_key("retry-after"));
        let _other = permits.question(ProjectId(2)).await.unwrap();
        drop(first);
        permits.question(ProjectId(1)).await.unwrap();
    }
}
