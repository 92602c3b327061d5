//! Why a question has no answer.

use crate::limits::MEMORY_SHORT;
use datafusion::error::DataFusionError;
use model::report::InvalidReport;
use model::{DefinitionError, ErrorCode, Expression};
use serde::Serialize;
use std::sync::Arc;
use store::StoreError;

/// One variant per thing the caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The definition breaks a rule: mend it where the pointer says.
    #[error(transparent)]
    Invalid(#[from] InvalidReport),
    /// A filter or breakdown met a value of a type that it cannot use: mend the expression.
    #[error("{message}")]
    Expression { message: String },
    /// A statement that is not one `SELECT` over the views, or fails: mend it at the position.
    #[error("{}", .0.message)]
    Sql(SqlFault),
    /// An expression names what the project has not saved, or what is built on itself: mend it where the pointer says.
    #[error("{error}")]
    Definition {
        error: DefinitionError,
        /// JSON pointer into the question, where it is known.
        at: Option<String>,
    },
    /// The question needs more memory than the operator allows: narrow it.
    #[error("the question needs more memory than the {limit_bytes} bytes it may use; narrow {narrow}")]
    TooLarge { limit_bytes: usize, narrow: &'static str },
    /// The process has too little memory left beside what other questions and arriving events hold: ask again.
    #[error(
        "there is too little memory left for this question beside what others hold; ask again in a moment, or narrow {narrow}"
    )]
    MemoryShort { narrow: &'static str },
    /// The question ran into the time limit: narrow it.
    #[error("the question took longer than the {limit_ms} ms it may take")]
    TimedOut { limit_ms: u64 },
    /// The same question of somebody else failed, and this one waited for it.
    #[error(transparent)]
    Shared(Arc<QueryError>),
    /// The store cannot be read; the same question may work later or after a repair.
    #[error("the event store cannot be read")]
    Store(#[source] StoreError),
    /// A fault of ours.
    #[error("the question could not be computed")]
    Internal(#[source] DataFusionError),
}

impl QueryError {
    pub fn code(&self) -> ErrorCode {
        match self {
            QueryError::Invalid(_) => ErrorCode::InvalidReport,
            QueryError::Expression { .. } | QueryError::Definition { .. } => ErrorCode::InvalidExpression,
            QueryError::Sql(_) => ErrorCode::InvalidSql,
            QueryError::TooLarge { .. } => ErrorCode::QueryTooLarge,
            QueryError::MemoryShort { .. } => ErrorCode::MemoryShort,
            QueryError::TimedOut { .. } => ErrorCode::QueryTimeout,
            QueryError::Shared(error) => error.code(),
            QueryError::Store(_) => ErrorCode::Unavailable,
            QueryError::Internal(_) => ErrorCode::Internal,
        }
    }

    /// The rule that the definition breaks, if that is why.
    pub fn invalid(&self) -> Option<&InvalidReport> {
        match self {
            QueryError::Invalid(invalid) => Some(invalid),
            QueryError::Shared(error) => error.invalid(),
            _ => None,
        }
    }

    /// The name that cannot be resolved, and where it stands in the question, if that is why.
    pub fn definition(&self) -> Option<(&DefinitionError, Option<&str>)> {
        match self {
            QueryError::Definition { error, at } => Some((error, at.as_deref())),
            QueryError::Shared(error) => error.definition(),
            _ => None,
        }
    }
}

/// Why a statement has no rows, in words that hold nothing of the data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlFault {
    pub message: String,
    pub position: Option<SqlPosition>,
}

/// A place in a statement; lines and columns count characters from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SqlPosition {
    pub line: u64,
    pub column: u64,
}

impl From<DefinitionError> for QueryError {
    fn from(error: DefinitionError) -> QueryError {
        QueryError::Definition { error, at: None }
    }
}

/// Where `expression` stands in a question, as a JSON pointer: expressions are written as texts.
pub(crate) fn pointer_to(question: &impl Serialize, expression: &Expression) -> Option<String> {
    let json = serde_json::to_value(question).ok()?;
    find(&json, &expression.to_string())
}

fn find(json: &serde_json::Value, text: &str) -> Option<String> {
    match json {
        serde_json::Value::String(found) => (found == text).then(String::new),
        serde_json::Value::Array(items) => {
            let mut items = items.iter().enumerate();
            items.find_map(|(index, item)| Some(format!("/{index}{}", find(item, text)?)))
        }
        serde_json::Value::Object(members) => members.iter().find_map(|(name, member)| {
            let rest = find(member, text)?;
            Some(format!("/{}{rest}", name.replace('~', "~0").replace('/', "~1")))
        }),
        _ => None,
    }
}

/// A type error in an expression, on its way through DataFusion (contract X9).
#[derive(Debug, thiserror::Error)]
#[error("'and' and 'or' join booleans; one side of {in_what} is another type")]
pub(crate) struct TypeFault {
    pub in_what: String,
}

impl TypeFault {
    pub fn raise(in_what: impl Into<String>) -> DataFusionError {
        DataFusionError::External(Box::new(TypeFault {
            in_what: in_what.into(),
        }))
    }
}

/// Sorts what DataFusion reports into what the caller can do.
pub(crate) fn sort_out(error: DataFusionError, limit_bytes: usize, narrow: &'static str) -> QueryError {
    if let DataFusionError::ResourcesExhausted(why) = error.find_root() {
        return match why.starts_with(MEMORY_SHORT) {
            true => QueryError::MemoryShort { narrow },
            false => QueryError::TooLarge { limit_bytes, narrow },
        };
    }
    let inner = match error.find_root() {
        DataFusionError::External(inner) => inner,
        _ => return QueryError::Internal(error),
    };
    if let Some(fault) = inner.downcast_ref::<TypeFault>() {
        return QueryError::Expression {
            message: fault.to_string(),
        };
    }
    if let Some(QueryError::TimedOut { limit_ms }) = inner.downcast_ref::<QueryError>() {
        return QueryError::TimedOut { limit_ms: *limit_ms };
    }
    match error {
        DataFusionError::External(inner) => match inner.downcast::<StoreError>() {
            Ok(store) => QueryError::Store(*store),
            // A question inside the question has sorted its own out.
            Err(other) => match other.downcast::<QueryError>() {
                Ok(nested) => *nested,
                Err(other) => QueryError::Internal(DataFusionError::External(other)),
            },
        },
        error => QueryError::Internal(error),
    }
}
