//! Who is calling: a signed-in member of staff, or a machine with a credential.
//!
//! Extracting [`InProject`] or [`Staff`] is what closes a route: a handler that takes neither is public, and
//! `router.rs` lists those.

use crate::app_state::{App, Shared, blocking, lock};
use crate::credentials;
use crate::error::{ApiError, ApiResult};
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use ledger::{Actor, Asker, Class};
use model::{ErrorCode, ProjectId};
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use store::{Credential, CredentialKind, Project};
use vault_client::{Role, SecretText, Session};

/// Cookie of a sign-in over plain HTTP, which is allowed on loopback only.
pub const COOKIE_PLAIN: &str = "fp_session";
/// Cookie of a sign-in over HTTPS.
pub const COOKIE_SECURE: &str = "__Host-fp_session";
/// How long a yes of the vault is believed (secrecy contract, LG-1).
const SESSION_CACHE_AGE: Duration = Duration::from_secs(30);

/// May see persons by number.
pub const SCOPE_PERSONS: &str = "query:persons";
/// May learn who a person is, with a purpose.
pub const SCOPE_REVEAL: &str = "identity:reveal";
/// May ask whether an identifier is known.
pub const SCOPE_LOOKUP: &str = "identity:lookup";
/// May pull rows under the pseudonyms of its own stream.
pub const SCOPE_EXPORT: &str = "export:stream";
/// May send history to `/import`.
pub const SCOPE_IMPORT: &str = "import";

/// A signed-in member of staff.
#[derive(Clone)]
pub struct Staff {
    pub session: Session,
    pub secret: SecretText,
}

#[derive(Clone)]
pub enum Caller {
    Staff(Staff),
    Machine(Credential),
}

impl Caller {
    pub fn actor(&self) -> Actor {
        match self {
            Caller::Staff(staff) => Actor::Account(staff.session.account),
            Caller::Machine(credential) => match (&credential.kind, &credential.username) {
                (CredentialKind::ServiceAccount, Some(username)) => Actor::ServiceAccount(username.clone()),
                _ => Actor::ApiSecret(credential.project),
            },
        }
    }

    /// The closest answers the caller may get. In a trial (T0) approvals are off and the owner's grants are preset.
    pub fn clearance(&self) -> Class {
        match self {
            Caller::Staff(staff) => match staff.session.role {
                Role::Owner | Role::PrivacyOfficer => Class::D3,
                Role::Admin | Role::Analyst | Role::Viewer | Role::Auditor => Class::D0,
            },
            Caller::Machine(credential) if has(credential, SCOPE_REVEAL) => Class::D3,
            Caller::Machine(credential) if has(credential, SCOPE_PERSONS) => Class::D2,
            Caller::Machine(_) => Class::D0,
        }
    }

    pub fn asker(&self, project: ProjectId, action: &'static str) -> Asker {
        Asker {
            actor: self.actor(),
            clearance: self.clearance(),
            session_commit: match self {
                Caller::Staff(staff) => Some(staff.session.session_commit),
                Caller::Machine(_) => None,
            },
            project,
            action,
            purpose: None,
            purpose_commit: None,
        }
    }

    /// How the vault is told who asks it for an identity.
    pub fn vault_asker(&self) -> ApiResult<vault_client::Asker> {
        match self {
            Caller::Staff(staff) => Ok(vault_client::Asker::Session(staff.secret.clone())),
            Caller::Machine(credential) => match &credential.username {
                Some(username) if has(credential, SCOPE_REVEAL) => {
                    Ok(vault_client::Asker::ServiceAccount(username.clone()))
                }
                _ => Err(ApiError::new(
                    ErrorCode::Forbidden,
                    "this credential may not learn who a person is",
                )),
            },
        }
    }

    /// The name of the caller's pseudonym stream.
    pub fn stream(&self) -> String {
        self.actor().to_string()
    }

    /// Refuses who may not ask questions of their own (secrecy contract, 5.2).
    pub fn require_analyst(&self) -> ApiResult<()> {
        match self {
            Caller::Staff(staff) if matches!(staff.session.role, Role::Viewer | Role::Auditor) => Err(ApiError::new(
                ErrorCode::Forbidden,
                "viewers and auditors do not ask questions of their own",
            )
            .fix("look at a board or a saved report, or ask an owner for the role of an analyst")),
            _ => Ok(()),
        }
    }

    /// Refuses who may not look at saved reports, boards and annotations (secrecy contract, 5.2).
    pub fn require_reader(&self) -> ApiResult<()> {
        match self {
            Caller::Staff(staff) if staff.session.role == Role::Auditor => Err(ApiError::new(
                ErrorCode::Forbidden,
                "auditors read the ledger, not reports and boards",
            )),
            _ => Ok(()),
        }
    }

    /// Who changes saved reports, boards and annotations; refuses those who only look at them.
    pub fn require_editor(&self) -> ApiResult<Actor> {
        match self {
            Caller::Staff(staff) if matches!(staff.session.role, Role::Viewer | Role::Auditor) => Err(ApiError::new(
                ErrorCode::Forbidden,
                "viewers and auditors do not change what others saved",
            )
            .fix("ask an owner for the role of an analyst")),
            caller => Ok(caller.actor()),
        }
    }

    /// Who changes how a project is kept. Machines do not.
    pub fn require_manager(&self) -> ApiResult<Actor> {
        match self {
            Caller::Staff(staff) if matches!(staff.session.role, Role::Owner | Role::Admin | Role::PrivacyOfficer) => {
                Ok(self.actor())
            }
            _ => Err(ApiError::new(
                ErrorCode::Forbidden,
                "owners, admins and privacy officers change how a project is kept",
            )),
        }
    }

    pub fn require_scope(&self, scope: &'static str) -> ApiResult<()> {
        match self {
            Caller::Machine(credential) if !has(credential, scope) => Err(ApiError::new(
                ErrorCode::Forbidden,
                format!("this credential lacks the scope {scope}"),
            )),
            _ => Ok(()),
        }
    }
}

fn has(credential: &Credential, scope: &str) -> bool {
    credential.scopes.iter().any(|held| held == scope)
}

/// A caller that may ask about the project named in the path (`{project}`).
pub struct InProject {
    pub project: Project,
    pub caller: Caller,
}

impl FromRequestParts<Shared> for InProject {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> ApiResult<InProject> {
        let caller = caller(app, parts).await?;
        let params = RawPathParams::from_request_parts(parts, app)
            .await
            .map_err(|_| ApiError::not_found("the project"))?;
        let id = params
            .iter()
            .find(|(name, _)| *name == "project")
            .and_then(|(_, value)| value.parse().ok());
        let project = id.and_then(|id| app.store.catalog().project(ProjectId(id)));
        let visible = match (&caller, &project) {
            (Caller::Machine(credential), Some(project)) => credential.project == project.id,
            (Caller::Staff(_), Some(_)) => true,
            (_, None) => false,
        };
        // Another tenant's project and one that does not exist look the same.
        match project {
            Some(project) if visible => Ok(InProject { project, caller }),
            _ => Err(ApiError::not_found("the project")),
        }
    }
}

impl FromRequestParts<Shared> for Staff {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> ApiResult<Staff> {
        check_same_site(parts)?;
        let secret = session_cookie(&parts.headers).ok_or_else(unauthenticated)?;
        let session = app.sessions.check(app, &secret).await?.ok_or_else(unauthenticated)?;
        Ok(Staff { session, secret })
    }
}

async fn caller(app: &Shared, parts: &mut Parts) -> ApiResult<Caller> {
    match parts
        .headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
    {
        Some(authorization) => {
            let found = machine(app, authorization).ok_or_else(unauthenticated);
            found.map(Caller::Machine)
        }
        None => Staff::from_request_parts(parts, app).await.map(Caller::Staff),
    }
}

/// As [`machine`], and the secret of either as `Bearer` (contract A5), which only Mixpanel's routes take.
pub fn mixpanel_machine(app: &App, authorization: &str) -> Option<Credential> {
    if let Some(secret) = credentials::bearer(authorization) {
        let credential = app.store.catalog().credential_by_digest(&credentials::digest(secret))?;
        let asks = matches!(
            credential.kind,
            CredentialKind::ServiceAccount | CredentialKind::ApiSecret
        );
        return asks.then_some(credential);
    }
    machine(app, authorization)
}

/// The credential behind a `Basic` header: a service account, or the API secret as user name (contract A3, A4).
pub fn machine(app: &App, authorization: &str) -> Option<Credential> {
    let (user, password) = credentials::basic(authorization)?;
    let catalog = app.store.catalog();
    if password.is_empty() {
        return catalog
            .credential_by_digest(&credentials::digest(&user))
            .filter(|credential| credential.kind == CredentialKind::ApiSecret);
    }
    // Looking up by the digest of the secret, then comparing a public name: no comparison of secrets to time.
    catalog
        .credential_by_digest(&credentials::digest(&password))
        .filter(|credential| {
            credential.kind == CredentialKind::ServiceAccount && credential.username.as_deref() == Some(&user)
        })
}

pub fn unauthenticated() -> ApiError {
    ApiError::new(
        ErrorCode::Unauthenticated,
        "sign in, or send a service account as Basic authentication",
    )
}

/// Refuses a state-changing request that another site's page could have caused (secrecy contract, LG-9).
pub fn check_same_site(parts: &Parts) -> ApiResult<()> {
    if matches!(parts.method, Method::GET | Method::HEAD) {
        return Ok(());
    }
    let text = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let same_site = match (text("sec-fetch-site"), text("origin"), text("host")) {
        (Some("same-origin"), _, _) => true,
        (Some(_), _, _) => false,
        (None, Some(origin), Some(host)) => origin.split_once("://").is_some_and(|(_, authority)| authority == host),
        _ => false,
    };
    match same_site {
        true => Ok(()),
        false => Err(ApiError::new(
            ErrorCode::CrossSite,
            "this request did not come from the app's own pages",
        )),
    }
}

/// The session secret in the request's cookies.
pub fn session_cookie(headers: &HeaderMap) -> Option<SecretText> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE_PLAIN || *name == COOKIE_SECURE)
        .map(|(_, value)| SecretText::new(value.to_owned()))
}

/// Sessions the vault said yes to a moment ago, by digest of their secret.
#[derive(Default)]
pub struct SessionCache {
    known: Mutex<HashMap<[u8; 32], (Session, Instant)>>,
}

impl SessionCache {
    async fn check(&self, app: &Shared, secret: &SecretText) -> ApiResult<Option<Session>> {
        let digest = credentials::digest(secret.expose());
        if let Some((session, checked)) = lock(&self.known).get(&digest)
            && checked.elapsed() < SESSION_CACHE_AGE
        {
            return Ok(Some(session.clone()));
        }
        let vault = app.vault.clone();
        let asked = secret.clone();
        let session = blocking(move || Ok(vault.check_session(&asked)?)).await?;
        let mut known = lock(&self.known);
        known.retain(|_, (_, checked)| checked.elapsed() < SESSION_CACHE_AGE);
        match &session {
            Some(session) => known.insert(digest, (session.clone(), Instant::now())),
            None => known.remove(&digest),
        };
        Ok(session)
    }

    pub fn forget(&self, secret: &SecretText) {
        lock(&self.known).remove(&credentials::digest(secret.expose()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::AccountNumber;

    fn staff(role: Role) -> Caller {
        let session = Session {
            account: AccountNumber(7),
            role,
            session_commit: [0; 32],
            expires_ms: 0,
        };
        Caller::Staff(Staff {
            session,
            secret: SecretText::new(String::new()),
        })
    }

    #[test]
    fn who_may_read_and_change_what_is_saved() {
        for role in Role::ALL {
            let caller = staff(role);
            assert_eq!(caller.require_reader().is_ok(), role != Role::Auditor, "{role:?}");
            let may_change = !matches!(role, Role::Viewer | Role::Auditor);
            assert_eq!(caller.require_editor().is_ok(), may_change, "{role:?}");
            assert_eq!(caller.require_analyst().is_ok(), may_change, "{role:?}");
            let may_manage = matches!(role, Role::Owner | Role::Admin | Role::PrivacyOfficer);
            assert_eq!(caller.require_manager().is_ok(), may_manage, "{role:?}");
        }
        assert_eq!(staff(Role::Analyst).require_editor().unwrap().to_string(), "account:7");
    }
}
