//! What a session is, for every kind of report that counts or cuts by them.

use super::{InvalidReport, refuse};

/// Length of the longest gap between two events of one session, in milliseconds, unless a definition says another.
///
/// A *session* is a maximal run of one person's events, of any name, each at most this long after the one before, in
/// the order of time and then of reception. Only events in the interval that the question reads are looked at, so a
/// session that began before it counts from its first event in it. The report's filter does not cut sessions: they are
/// made of all events, and filtered then. Events of nobody have no session. A session is dated by its first event.
///
/// 30 minutes, as in Google Analytics and Mixpanel. Changing it changes history: sessions are computed when asked for.
pub const SESSION_TIMEOUT_MS: i64 = 30 * 60 * 1000;
pub const SESSION_TIMEOUT_MS_MIN: i64 = 1_000;
pub const SESSION_TIMEOUT_MS_MAX: i64 = 24 * 60 * 60 * 1000;

/// For `#[serde(default)]` of a field `session_timeout_ms`.
pub fn session_timeout_default() -> i64 {
    SESSION_TIMEOUT_MS
}

/// Checks a field `session_timeout_ms` of a question.
pub fn check_session_timeout(timeout_ms: i64) -> Result<(), InvalidReport> {
    if (SESSION_TIMEOUT_MS_MIN..=SESSION_TIMEOUT_MS_MAX).contains(&timeout_ms) {
        return Ok(());
    }
    refuse(
        "/question/session_timeout_ms",
        "give a session timeout of 1 second to 24 hours".into(),
    )
}
