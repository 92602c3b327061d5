//! What a metric counts.

use crate::Expression;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub const ACTIVE_DAYS_MAX: u16 = 90;

/// What is counted. In each bucket, and once over the whole range for the total.
///
/// *Percentile* p of n numbers in order, the first being number 0: the number at place p/100 · (n − 1); between two
/// places, on the straight line from the one to the other. The median is percentile 50. (DuckDB: `quantile_cont`.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Events.
    Total,
    /// Distinct persons; nobody does not count.
    Unique,
    /// Events of persons divided by distinct persons; 0 where there are none.
    PerPerson,
    /// Distinct persons in the `days` calendar days that end with the bucket's last day in the range (DAU, WAU and MAU for
    /// 1, 7 and 30), also in those before the range. The total is that of the last bucket. In hours, the hours that begin
    /// at most `days` · 24 hours before the bucket's end.
    Active { days: u16 },
    /// Sessions (see [`crate::report::SESSION_TIMEOUT_MS`]) with at least one of the metric's events, in the bucket of the
    /// session's first event of any name. A session is in the segments of those of its events that the metric selects.
    /// With `rolling`, the interval that the question reads begins with the first whole bucket.
    Sessions,
    /// Number of events of each person that has any; over these numbers the aggregate. 0 where there is none. Events of
    /// nobody do not count, so that they make no segment either.
    Frequency { aggregate: Aggregate },
    /// Sum of a number; values that are not numbers count as 0.
    Sum {
        #[schema(value_type = Object)]
        property: Expression,
    },
    /// Mean of a number over the events that have one; 0 where none has.
    Mean {
        #[schema(value_type = Object)]
        property: Expression,
    },
    /// Median of a number over the events that have one; 0 where none has.
    Median {
        #[schema(value_type = Object)]
        property: Expression,
    },
    /// Percentile of a number over the events that have one; 0 where none has.
    Percentile {
        #[schema(value_type = Object)]
        property: Expression,
        /// 0 to 100.
        percentile: f64,
    },
    /// Smallest number; 0 where no event has one. It is single persons' number: an answer that shows it discloses whose it
    /// is, if they are few. So do percentiles 0 and 100, and extremes of frequency.
    Min {
        #[schema(value_type = Object)]
        property: Expression,
    },
    /// Largest number; 0 where no event has one. Like the smallest.
    Max {
        #[schema(value_type = Object)]
        property: Expression,
    },
    /// Distinct values, told apart as a breakdown does: of a list its elements; what is not set does not count.
    Distinct {
        #[schema(value_type = Object)]
        property: Expression,
    },
}

/// What is shown of the persons' numbers of events.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Aggregate {
    Mean,
    Median,
    /// 0 to 100.
    Percentile(f64),
    Min,
    Max,
}

impl Measure {
    /// The expression that it is of.
    pub fn property(&self) -> Option<&Expression> {
        match self {
            Measure::Total
            | Measure::Unique
            | Measure::PerPerson
            | Measure::Active { .. }
            | Measure::Sessions
            | Measure::Frequency { .. } => None,
            Measure::Sum { property }
            | Measure::Mean { property }
            | Measure::Median { property }
            | Measure::Percentile { property, .. }
            | Measure::Min { property }
            | Measure::Max { property }
            | Measure::Distinct { property } => Some(property),
        }
    }
}
