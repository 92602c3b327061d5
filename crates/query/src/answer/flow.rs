//! The answer of a flow, which its operator has made already.

use super::{Computed, Reading};
use crate::QueryError;
use datafusion::error::DataFusionError;
use model::report::FlowAnswer;

impl Reading<'_> {
    pub(super) fn flow(&mut self, computed: Computed) -> Result<FlowAnswer, QueryError> {
        let Some((answer, shown)) = computed.flow else {
            let missing = DataFusionError::Internal("a flow was not computed as one".into());
            return Err(QueryError::Internal(missing));
        };
        self.shown |= shown;
        Ok(answer)
    }
}
