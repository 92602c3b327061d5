//! Signing in with a one-time link, and out again.

use super::JsonBody;
use crate::alarms::alarms;
use crate::app_state::{Shared, blocking};
use crate::auth::{COOKIE_PLAIN, COOKIE_SECURE, Staff, check_same_site};
use crate::connection::Peer;
use crate::error::{ApiError, ApiResult};
use axum::Json;
use axum::extract::{Extension, FromRequestParts, Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use model::ErrorCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vault_client::{SecretText, Session};

#[derive(Deserialize, ToSchema)]
pub struct SignInBody {
    /// The part of the login link behind `#`.
    code: String,
}

/// Who is signed in, what they may look at, and how well this installation keeps its keys.
#[derive(Serialize, ToSchema)]
pub struct SessionView {
    pub account: u64,
    pub role: &'static str,
    pub expires_ms: i64,
    pub tier: TierView,
    pub projects: Vec<ProjectView>,
    /// What somebody must act on; shown on every page.
    pub alarms: Vec<String>,
}

#[derive(Serialize, ToSchema)]
pub struct TierView {
    /// `T0` … `T3`.
    pub code: &'static str,
    pub label: &'static str,
    /// What staff must know about it; shown on every page.
    pub warning: Option<&'static str>,
}

#[derive(Serialize, ToSchema)]
pub struct ProjectView {
    pub id: u32,
    pub name: String,
    pub timezone: String,
}

pub fn tier_view(app: &Shared) -> TierView {
    TierView {
        code: app.tier.code(),
        label: app.tier.label(),
        warning: app.tier.warning(),
    }
}

fn session_view(app: &Shared, session: &Session) -> SessionView {
    let projects = app.store.catalog().projects().into_iter();
    SessionView {
        account: session.account.0,
        role: session.role.as_str(),
        expires_ms: session.expires_ms,
        tier: tier_view(app),
        projects: projects
            .map(|p| ProjectView {
                id: p.id.0,
                name: p.name.clone(),
                timezone: p.timezone.clone(),
            })
            .collect(),
        alarms: alarms(app),
    }
}

/// Exchanges a login code for a session cookie. The code works once.
#[utoipa::path(post, operation_id = "sign_in", path = "/api/v1/session", tag = "session", request_body = SignInBody,
    responses((status = 200, body = SessionView), (status = 401, description = "unknown, used or expired code")))]
pub async fn sign_in(
    State(app): State<Shared>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> ApiResult<Response> {
    let (parts, body) = request.into_parts();
    check_same_site(&parts)?;
    let secure = is_https(&app, &parts.headers, peer);
    if app.options.plain_public_listener && !secure {
        return Err(
            ApiError::new(ErrorCode::Forbidden, "sign-in over plain HTTP works on loopback only")
                .fix("put TLS in front, and name the proxy with --trusted-proxy"),
        );
    }
    let JsonBody(SignInBody { code }) =
        <JsonBody<_> as axum::extract::FromRequest<_>>::from_request(Request::from_parts(parts, body), &()).await?;
    let vault = app.vault.clone();
    let signed_in = blocking(move || Ok(vault.sign_in(&SecretText::new(code))?)).await?;
    let signed_in = signed_in.ok_or_else(|| {
        ApiError::new(
            ErrorCode::Unauthenticated,
            "this login link is unknown, expired or was used before",
        )
        .fix("make a new one with: frostpane login")
    })?;
    tracing::info!(account = signed_in.session.account.0, "Signed in");
    let cookie = cookie(signed_in.secret.expose(), secure, None)?;
    Ok((
        [(header::SET_COOKIE, cookie)],
        Json(session_view(&app, &signed_in.session)),
    )
        .into_response())
}

/// The current sign-in.
#[utoipa::path(get, operation_id = "current_session", path = "/api/v1/session", tag = "session",
    responses((status = 200, body = SessionView), (status = 401, description = "not signed in")))]
pub async fn show(State(app): State<Shared>, staff: Staff) -> Json<SessionView> {
    Json(session_view(&app, &staff.session))
}

/// Ends the current sign-in, at once and everywhere.
#[utoipa::path(delete, operation_id = "sign_out", path = "/api/v1/session", tag = "session", responses((status = 204)))]
pub async fn sign_out(
    State(app): State<Shared>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> ApiResult<Response> {
    let (mut parts, _) = request.into_parts();
    let staff = Staff::from_request_parts(&mut parts, &app).await?;
    app.sessions.forget(&staff.secret);
    let vault = app.vault.clone();
    blocking(move || Ok(vault.end_session(&staff.secret)?)).await?;
    let gone = cookie("", is_https(&app, &parts.headers, peer), Some(0))?;
    Ok((axum::http::StatusCode::NO_CONTENT, [(header::SET_COOKIE, gone)]).into_response())
}

/// Whether the browser reached us over TLS, as a trusted proxy says.
fn is_https(app: &Shared, headers: &HeaderMap, peer: Peer) -> bool {
    app.options.trusted_proxies.contains(&peer.0.ip())
        && headers
            .get("x-forwarded-proto")
            .is_some_and(|proto| proto.as_bytes() == b"https")
}

fn cookie(secret: &str, secure: bool, max_age_s: Option<u32>) -> ApiResult<HeaderValue> {
    let (name, flag) = if secure {
        (COOKIE_SECURE, "; Secure")
    } else {
        (COOKIE_PLAIN, "")
    };
    let age = max_age_s.map_or(String::new(), |seconds| format!("; Max-Age={seconds}"));
    let mut value = HeaderValue::from_str(&format!("{name}={secret}; Path=/; HttpOnly; SameSite=Lax{flag}{age}"))
        .map_err(|_| ApiError::new(ErrorCode::Internal, "the session could not be written as a cookie"))?;
    value.set_sensitive(true);
    Ok(value)
}
