//! The rules of insights that types cannot express.

use super::super::{BUCKETS_MAX, InvalidReport, Unit, check_limit, check_session_timeout, refuse, unit_fits};
use super::*;

impl Insights {
    /// Checks the rules that the types cannot express, for a range of `days`.
    pub(in crate::report) fn check(&self, days: usize) -> Result<(), InvalidReport> {
        if self.metrics.is_empty() || self.metrics.len() > METRICS_MAX {
            return refuse("/question/metrics", format!("give 1 to {METRICS_MAX} metrics"));
        }
        self.metrics
            .iter()
            .try_for_each(|metric| check_measure(&metric.measure))?;
        self.check_formulas()?;
        if self.breakdown.len() > BREAKDOWNS_MAX {
            return refuse(
                "/question/breakdown",
                format!("give at most {BREAKDOWNS_MAX} breakdowns"),
            );
        }
        self.breakdown.iter().try_for_each(check_edges)?;
        if !unit_fits(self.unit, days) {
            return refuse(
                "/question/unit",
                format!("more than {BUCKETS_MAX} buckets; take a longer unit or a shorter range"),
            );
        }
        self.check_windows()?;
        self.check_compare()?;
        check_session_timeout(self.session_timeout_ms)?;
        check_limit(self.limit)
    }

    fn check_formulas(&self) -> Result<(), InvalidReport> {
        if self.formulas.len() > FORMULAS_MAX {
            return refuse("/question/formulas", format!("give at most {FORMULAS_MAX} formulas"));
        }
        if self.formulas.is_empty() && self.metrics.iter().all(|metric| metric.hidden) {
            return refuse(
                "/question/metrics",
                "every metric is hidden; show one, or give a formula".into(),
            );
        }
        let letter = |metric: usize| char::from(b'A' + metric as u8);
        for formula in &self.formulas {
            if formula.name.chars().count() > 200 {
                return refuse(
                    "/question/formulas",
                    "give a formula a name of at most 200 characters".into(),
                );
            }
            let missing = formula
                .formula
                .metrics()
                .into_iter()
                .find(|metric| *metric >= self.metrics.len());
            if let Some(missing) = missing {
                return refuse(
                    "/question/formulas",
                    format!(
                        "the formula '{}' names {}, but the last metric is {}; add metrics or take another letter",
                        formula.formula.text(),
                        letter(missing),
                        letter(self.metrics.len() - 1),
                    ),
                );
            }
        }
        Ok(())
    }

    fn check_windows(&self) -> Result<(), InvalidReport> {
        if self
            .rolling
            .is_some_and(|buckets| !(2..=ROLLING_MAX).contains(&buckets))
        {
            return refuse("/question/rolling", format!("give 2 to {ROLLING_MAX} buckets"));
        }
        if self.rolling.is_some() && self.cumulative {
            return refuse(
                "/question/rolling",
                "numbers are either rolling or cumulative; leave one out".into(),
            );
        }
        let is_active = |metric: &Metric| matches!(metric.measure, Measure::Active { .. });
        if !self.metrics.iter().any(is_active) {
            return Ok(());
        }
        if self.rolling.is_some() || self.cumulative {
            return refuse(
                "/question/metrics",
                "active persons have a window of their own; leave out 'rolling' and 'cumulative'".into(),
            );
        }
        if self.unit == Unit::Minute {
            return refuse("/question/unit", "active persons go by hour or longer".into());
        }
        Ok(())
    }

    fn check_compare(&self) -> Result<(), InvalidReport> {
        if self.compare.is_some() && self.compare_previous {
            return refuse(
                "/question/compare",
                "an answer is compared to one other; leave out 'compare' or 'compare_previous'".into(),
            );
        }
        match self.compare {
            Some(Compare::Shift { count, .. }) if !(1..=1_000).contains(&count) => refuse(
                "/question/compare",
                "give 1 to 1000 days, weeks, months, quarters or years".into(),
            ),
            _ => Ok(()),
        }
    }
}

fn check_measure(measure: &Measure) -> Result<(), InvalidReport> {
    let (Measure::Percentile { percentile, .. }
    | Measure::Frequency {
        aggregate: Aggregate::Percentile(percentile),
    }) = measure
    else {
        return match measure {
            Measure::Active { days } if !(1..=ACTIVE_DAYS_MAX).contains(days) => refuse(
                "/question/metrics",
                format!("give 1 to {ACTIVE_DAYS_MAX} days of activity"),
            ),
            _ => Ok(()),
        };
    };
    if (0.0..=100.0).contains(percentile) {
        return Ok(());
    }
    refuse("/question/metrics", "give a percentile of 0 to 100".into())
}

fn check_edges(breakdown: &Breakdown) -> Result<(), InvalidReport> {
    let Breakdown::Ranges {
        edges: Edges::At(edges),
        ..
    } = breakdown
    else {
        return Ok(());
    };
    let ascending = edges.windows(2).all(|pair| pair[0] < pair[1]);
    if (1..=EDGES_MAX).contains(&edges.len()) && ascending && edges.iter().all(|edge| edge.is_finite()) {
        return Ok(());
    }
    refuse(
        "/question/breakdown",
        format!("give 1 to {EDGES_MAX} edges, each larger than the one before"),
    )
}
