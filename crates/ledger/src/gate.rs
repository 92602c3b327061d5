//! The one function through which answers about persons pass.

use crate::disclosure::{Class, Undisclosed};
use crate::entry::{Asker, Decision};
use crate::ledger::{Ledger, LedgerError};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Why an answer was not released.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// The actor's role or scopes do not reach this class. The refusal is on record.
    #[error("this answer is of class {}, and this sign-in may see up to {}", wanted.as_str(), allowed.as_str())]
    Forbidden { wanted: Class, allowed: Class },
    /// An identity was asked for without saying why.
    #[error("say why you need to know who this is")]
    PurposeRequired,
    /// The record could not be written, so nothing was disclosed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Decides, records, releases.
#[derive(Clone)]
pub struct Gate {
    ledger: Arc<Ledger>,
    now_ms: fn() -> i64,
}

impl Gate {
    pub fn new(ledger: Arc<Ledger>) -> Gate {
        Gate::with_clock(ledger, system_now_ms)
    }

    pub fn with_clock(ledger: Arc<Ledger>, now_ms: fn() -> i64) -> Gate {
        Gate { ledger, now_ms }
    }

    pub fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    /// Releases an answer to its asker, after the entry about it is on disk. Returns the value and the entry's number;
    /// 0 for an aggregate over crowds (D0) that could not be recorded.
    pub fn release<T>(&self, undisclosed: Undisclosed<T>, asker: &Asker) -> Result<(T, u64), GateError> {
        let disclosure = undisclosed.disclosure();
        if disclosure.class > asker.clearance {
            let refused = GateError::Forbidden {
                wanted: disclosure.class,
                allowed: asker.clearance,
            };
            self.ledger
                .append(asker, disclosure, Decision::Refused, (self.now_ms)())?;
            return Err(refused);
        }
        if disclosure.class == Class::D3 && asker.purpose.is_none() {
            return Err(GateError::PurposeRequired);
        }
        match self
            .ledger
            .append(asker, disclosure, Decision::Released, (self.now_ms)())
        {
            Ok(seq) => Ok((undisclosed.open(), seq)),
            // A crowd's number shows nobody, so a full disk must not blind the people who have to mend it.
            Err(error) if disclosure.class == Class::D0 => {
                tracing::warn!(cause = %error, "An aggregate was released without its ledger entry");
                Ok((undisclosed.open(), 0))
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn system_now_ms() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}
