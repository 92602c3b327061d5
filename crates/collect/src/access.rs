//! Which project a request may write to (contract 0.2).

use crate::decode::Parameters;
use crate::decode::authorization::{Credentials, credentials};
use crate::reply::Rejection;
use hashbrown::HashMap;
use model::ProjectId;
use sha2::{Digest, Sha256};
use store::{Catalog, CredentialKind, Project};

/// SHA-256 of a credential's secret; the catalog knows no more of it. Tokens are random, so no salt is needed.
pub fn token_digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// The project of a public write token, the only credential that belongs into a payload.
fn project_of_token(catalog: &Catalog, token: &str) -> Option<Project> {
    let credential = catalog.credential_by_digest(&token_digest(token))?;
    (credential.kind == CredentialKind::WriteToken).then(|| catalog.project(credential.project))?
}

/// The project that a write token or API secret opens for imports.
fn project_of_secret(catalog: &Catalog, secret: &str) -> Option<Project> {
    let credential = catalog.credential_by_digest(&token_digest(secret))?;
    (credential.kind != CredentialKind::ServiceAccount).then(|| catalog.project(credential.project))?
}

/// The project of an authenticated `/import`: A2 and A3 in the header, A4 with `project_id`, A6 as a parameter.
pub fn import_project(catalog: &Catalog, header: Option<&str>, parameters: &Parameters) -> Result<Project, Rejection> {
    const INVALID: Rejection = Rejection::Unauthorized("Invalid credentials");
    let project = match credentials(header) {
        Some(Credentials::Basic { user, password }) if !password.is_empty() => {
            service_account(catalog, &user, &password, parameters)?
        }
        Some(Credentials::Basic { user, .. }) => project_of_secret(catalog, &user).ok_or(INVALID)?,
        Some(Credentials::Bearer(secret)) => project_of_secret(catalog, &secret).ok_or(INVALID)?,
        None => {
            let key = parameters.api_key.as_deref().ok_or(INVALID)?;
            project_of_secret(catalog, key).ok_or(INVALID)?
        }
    };
    match parameters.project_id {
        Some(asked) if ProjectId(asked) != project.id => Err(INVALID),
        _ => Ok(project),
    }
}

fn service_account(catalog: &Catalog, user: &str, secret: &str, parameters: &Parameters) -> Result<Project, Rejection> {
    const INVALID: Rejection = Rejection::Unauthorized("Invalid service account credentials");
    let account = catalog.service_account(user).ok_or(INVALID)?;
    // Digests of random secrets: how long the comparison takes says nothing about the secret.
    if account.digest != token_digest(secret) {
        return Err(INVALID);
    }
    if parameters.project_id.is_none() {
        return Err(Rejection::Unauthorized("project_id, missing or empty"));
    }
    catalog.project(account.project).ok_or(INVALID)
}

/// Projects by the tokens of one request, so that a batch of 2,000 events digests its token once.
#[derive(Default)]
pub struct TokenMemo {
    projects: HashMap<String, Option<Project>>,
}

impl TokenMemo {
    pub fn project(&mut self, catalog: &Catalog, token: &str) -> Option<&Project> {
        if !self.projects.contains_key(token) {
            self.projects.insert(token.to_owned(), project_of_token(catalog, token));
        }
        self.projects.get(token).and_then(Option::as_ref)
    }
}
