//! Why a question has no answer.

use datafusion::error::DataFusionError;
use model::ErrorCode;
use model::report::InvalidReport;
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
    /// The question needs more memory than the operator allows: narrow it.
    #[error("the question needs more memory than the {limit_bytes} bytes it may use; narrow {narrow}")]
    TooLarge { limit_bytes: usize, narrow: &'static str },
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
            QueryError::Expression { .. } => ErrorCode::InvalidExpression,
            QueryError::TooLarge { .. } => ErrorCode::QueryTooLarge,
            QueryError::Store(_) => ErrorCode::Unavailable,
            QueryError::Internal(_) => ErrorCode::Internal,
        }
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
    if let DataFusionError::ResourcesExhausted(_) = error.find_root() {
        return QueryError::TooLarge { limit_bytes, narrow };
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
    match error {
        DataFusionError::External(inner) => match inner.downcast::<StoreError>() {
            Ok(store) => QueryError::Store(*store),
            Err(other) => QueryError::Internal(DataFusionError::External(other)),
        },
        error => QueryError::Internal(error),
    }
}
