//! Rules for funnels that the types cannot express.

use super::{
    Attribution, EXCLUSIONS_MAX, FUNNEL_SELECTORS_MAX, Funnel, HELD_MAX, Order, STEPS_MAX, STEPS_MIN, TimesToConvert,
};
use crate::report::{BUCKETS_MAX, InvalidReport, check_limit, check_session_timeout, refuse, unit_fits};

const PERCENTILES_MAX: usize = 20;
const EDGES_MAX: usize = 200;
const SESSIONS_MAX: u32 = 1_000;

impl Funnel {
    /// Checks the rules that the types cannot express, for a range of `days`.
    pub(in crate::report) fn check(&self, days: usize) -> Result<(), InvalidReport> {
        self.check_steps()?;
        self.check_exclusions()?;
        self.check_window()?;
        if self.hold.len() > HELD_MAX {
            return refuse("/question/hold", format!("hold at most {HELD_MAX} properties"));
        }
        if let Attribution::Step(step) = self.attribution
            && step >= self.steps.len()
        {
            return refuse(
                "/question/attribution",
                format!("the last step has index {}", self.steps.len() - 1),
            );
        }
        if let Some(times) = &self.times {
            times.check()?;
        }
        if !self.unit.is_none_or(|unit| unit_fits(unit, days)) {
            return refuse(
                "/question/unit",
                format!("more than {BUCKETS_MAX} buckets; take a longer unit or a shorter range"),
            );
        }
        check_limit(self.limit)
    }

    fn check_steps(&self) -> Result<(), InvalidReport> {
        if !(STEPS_MIN..=STEPS_MAX).contains(&self.steps.len()) {
            return refuse("/question/steps", format!("give {STEPS_MIN} to {STEPS_MAX} steps"));
        }
        for step in &self.steps {
            if !step.any_of.is_empty() && (step.event.is_some() || step.filter.is_some()) {
                return refuse(
                    "/question/steps",
                    "a step has either any_of or event and filter; move these into any_of".into(),
                );
            }
            if step.anchored && self.order != Order::Any {
                return refuse(
                    "/question/steps",
                    "only a funnel of any order has anchors; set order to any".into(),
                );
            }
        }
        let of_steps: usize = self.steps.iter().map(|step| step.selectors().count()).sum();
        if of_steps + self.exclusions.len() > FUNNEL_SELECTORS_MAX {
            return refuse(
                "/question/steps",
                format!("steps and exclusions name more than {FUNNEL_SELECTORS_MAX} events"),
            );
        }
        Ok(())
    }

    fn check_exclusions(&self) -> Result<(), InvalidReport> {
        if self.exclusions.len() > EXCLUSIONS_MAX {
            return refuse(
                "/question/exclusions",
                format!("give at most {EXCLUSIONS_MAX} exclusions"),
            );
        }
        let steps = self.steps.len();
        if self
            .exclusions
            .iter()
            .any(|exclusion| exclusion.last(steps) >= steps || exclusion.from >= exclusion.last(steps))
        {
            return refuse(
                "/question/exclusions",
                "an exclusion goes from a step to a later one; give their indexes, from 0".into(),
            );
        }
        Ok(())
    }

    fn check_window(&self) -> Result<(), InvalidReport> {
        if self.window_ms <= 0 || self.window_ms > 367 * 86_400_000 {
            return refuse("/question/window_ms", "give a window of 1 ms to 367 days".into());
        }
        if !(0..=60_000).contains(&self.tie_ms) {
            return refuse("/question/tie_ms", "give 0 to 60000 ms".into());
        }
        if self
            .window_sessions
            .is_some_and(|sessions| !(1..=SESSIONS_MAX).contains(&sessions))
        {
            return refuse(
                "/question/window_sessions",
                format!("give a window of 1 to {SESSIONS_MAX} sessions"),
            );
        }
        check_session_timeout(self.session_timeout_ms)
    }
}

impl TimesToConvert {
    fn check(&self) -> Result<(), InvalidReport> {
        if self.percentiles.len() > PERCENTILES_MAX
            || self.percentiles.iter().any(|percent| !(1..100).contains(percent))
        {
            return refuse(
                "/question/times/percentiles",
                format!("give at most {PERCENTILES_MAX} percentiles of 1 to 99"),
            );
        }
        let ascends = self.edges_ms.first().is_none_or(|first| *first > 0) && self.edges_ms.is_sorted_by(|a, b| a < b);
        if self.edges_ms.len() > EDGES_MAX || !ascends {
            return refuse(
                "/question/times/edges_ms",
                format!("give at most {EDGES_MAX} edges above 0, each above the one before"),
            );
        }
        Ok(())
    }
}
