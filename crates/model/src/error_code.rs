//! The stable codes of everything that can be refused. One list, so that a renamed code fails a test.

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident => $text:literal, $status:literal;)*) => {
        /// A stable, documented reason for a refusal. The text form never changes once released.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum ErrorCode { $($(#[$doc])* #[serde(rename = $text)] $variant,)* }

        impl ErrorCode {
            /// Every code there is, in order of declaration.
            pub const ALL: &'static [ErrorCode] = &[$(ErrorCode::$variant,)*];

            pub fn as_str(self) -> &'static str {
                match self { $(ErrorCode::$variant => $text,)* }
            }

            /// The HTTP status that carries this code outside the ingestion dialects.
            pub fn http_status(self) -> u16 {
                match self { $(ErrorCode::$variant => $status,)* }
            }
        }
    };
}

codes! {
    /// The body or a parameter is not what the route takes.
    InvalidRequest => "invalid_request", 400;
    /// A report definition that does not parse or breaks a rule of its kind.
    InvalidReport => "invalid_report", 400;
    /// A filter or breakdown expression that does not parse or has a type error.
    InvalidExpression => "invalid_expression", 400;
    /// A statement that is not one `SELECT` over the views, or that fails.
    InvalidSql => "invalid_sql", 400;
    /// No credential, or one that is not known.
    Unauthenticated => "unauthenticated", 401;
    /// The credential is known and may not do this.
    Forbidden => "forbidden", 403;
    /// A state-changing request that came from another site.
    CrossSite => "cross_site", 403;
    NotFound => "not_found", 404;
    MethodNotAllowed => "method_not_allowed", 405;
    /// The thing was changed by somebody else since the version that this change was made from.
    Conflict => "conflict", 409;
    /// A body above the limit that the message states.
    TooLarge => "too_large", 413;
    /// An answer about persons was asked for without a purpose.
    PurposeRequired => "purpose_required", 422;
    RateLimited => "rate_limited", 429;
    /// The question would need more memory than the operator allows.
    QueryTooLarge => "query_too_large", 422;
    /// Others need the memory that the question asked for. Nothing is wrong with it; try again.
    MemoryShort => "memory_short", 503;
    /// The question ran into its time limit.
    QueryTimeout => "query_timeout", 504;
    /// A transient fault: nothing was stored; try again.
    Unavailable => "unavailable", 503;
    /// The vault does not answer. Nothing was stored; try again.
    VaultUnavailable => "vault_unavailable", 503;
    /// The disk is full or read-only. Nothing was stored; it resumes by itself.
    StorageUnavailable => "storage_unavailable", 503;
    /// A fault of ours. The log has the cause under the same request id.
    Internal => "internal", 500;
    NotImplemented => "not_implemented", 501;
}

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_golden() {
        let listed: Vec<String> = ErrorCode::ALL
            .iter()
            .map(|code| format!("{} {}", code.http_status(), code))
            .collect();
        assert_eq!(listed.join("\n") + "\n", include_str!("../tests/error_codes.txt"));
    }
}
