//! Which profiles a paging session has found.

use crate::app_state::lock;
use crate::error::{ApiError, ApiResult};
use model::ProjectId;
use query::{GroupSet, PeopleSet};
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// How long a session lives after its last page.
const SESSION_AGE: Duration = Duration::from_secs(15 * 60);
/// Sessions kept at once; the oldest goes first.
const SESSIONS_MAX: usize = 256;

/// What a session pages through.
#[derive(Clone)]
pub enum Matching {
    People(PeopleSet),
    /// Groups of a key.
    Groups(String, GroupSet),
}

impl Matching {
    pub fn len(&self) -> usize {
        match self {
            Matching::People(people) => people.len(),
            Matching::Groups(_, groups) => groups.len(),
        }
    }

    /// The first profiles in the order asked for, and no more.
    pub fn first(self, limit: usize) -> Matching {
        match self {
            Matching::People(people) => Matching::People(people.first(limit)),
            Matching::Groups(key, groups) => Matching::Groups(key, groups.first(limit)),
        }
    }
}

#[derive(Clone)]
pub struct Session {
    pub matching: Matching,
    /// Property, and whether the largest come first.
    pub order: Option<(String, bool)>,
    pub page_size: usize,
}

struct Open {
    project: ProjectId,
    session: Session,
    used: Instant,
}

/// The open paging sessions, by id.
#[derive(Default)]
pub struct EngageSessions {
    open: Mutex<HashMap<String, Open>>,
}

impl EngageSessions {
    pub fn start(&self, project: ProjectId, session: Session) -> ApiResult<String> {
        let id = crate::credentials::random_base62(22)
            .map_err(|_| ApiError::new(model::ErrorCode::Unavailable, "no randomness for a session id"))?;
        let mut open = lock(&self.open);
        open.retain(|_, session| session.used.elapsed() < SESSION_AGE);
        if open.len() >= SESSIONS_MAX
            && let Some(oldest) = open
                .iter()
                .min_by_key(|(_, session)| session.used)
                .map(|(id, _)| id.clone())
        {
            open.remove(&oldest);
        }
        let used = Instant::now();
        open.insert(id.clone(), Open { project, session, used });
        Ok(id)
    }

    pub fn find(&self, project: ProjectId, id: &str) -> Option<Session> {
        let mut open = lock(&self.open);
        let found = open
            .get_mut(id)
            .filter(|session| session.project == project && session.used.elapsed() < SESSION_AGE)?;
        found.used = Instant::now();
        Some(found.session.clone())
    }
}
