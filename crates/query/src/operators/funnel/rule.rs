//! What a funnel of general form asks of attempts, with steps as bits of a word.
//!
//! | Bits of a row | Say |
//! |---|---|
//! | 0 … 19 | it is this step |
//! | 20 … 29 | this exclusion looks at it |
//! | 31 | the report's filter keeps it |

use model::report::{Attempt, Attribution, EXCLUSIONS_MAX, Funnel, FunnelCount, Order, STEPS_MAX};

/// Bit of the first exclusion.
pub(crate) const EXCLUSION_BIT: u32 = STEPS_MAX as u32;
/// Any step.
pub(crate) const STEPS: u32 = (1 << EXCLUSION_BIT) - 1;
/// Any step or exclusion.
pub(crate) const LOOKED_AT: u32 = (1 << (EXCLUSION_BIT + EXCLUSIONS_MAX as u32)) - 1;
pub(crate) const KEPT: u32 = 1 << 31;

#[derive(Debug)]
pub(crate) struct Rule {
    pub steps: usize,
    /// By place in the attempt: the steps among which the one at that place is.
    pub groups: Vec<u32>,
    pub strict: bool,
    /// Steps that only the first such event is.
    pub first_time: u32,
    /// From where to where each exclusion holds.
    pub exclusions: Vec<(usize, usize)>,
    /// Starts that count: from, and to before.
    pub starts_ms: (i64, i64),
    pub window_ms: i64,
    pub tie_ms: i64,
    /// How many sessions the window has, and the longest gap within one.
    pub sessions: Option<(u32, i64)>,
    pub count: FunnelCount,
    pub attempt: Attempt,
    pub attribution: Attribution,
    pub times: bool,
}

impl Rule {
    pub fn new(funnel: &Funnel, starts_ms: (i64, i64)) -> Rule {
        let steps = funnel.steps.len();
        let first_time = funnel.steps.iter().enumerate();
        let first_time = first_time.filter(|(_, step)| step.first_time);
        let sessions = match funnel.count {
            FunnelCount::Sessions => Some(1),
            _ => funnel.window_sessions,
        };
        Rule {
            steps,
            groups: groups(funnel),
            strict: funnel.order == Order::Strict,
            first_time: first_time.map(|(step, _)| 1 << step).sum(),
            exclusions: funnel
                .exclusions
                .iter()
                .map(|exclusion| (exclusion.from, exclusion.last(steps)))
                .collect(),
            starts_ms,
            window_ms: funnel.window_ms,
            tie_ms: funnel.tie_ms,
            sessions: sessions.map(|sessions| (sessions, funnel.session_timeout_ms)),
            count: funnel.count,
            attempt: funnel.attempt,
            attribution: funnel.attribution,
            times: funnel.times.is_some(),
        }
    }

    /// Rows without any of these bits are of no use; 0 where all are.
    pub fn wanted_bits(&self) -> u32 {
        match (self.sessions, self.strict) {
            (Some(_), _) => 0,
            (None, true) => KEPT,
            (None, false) => LOOKED_AT,
        }
    }
}

fn groups(funnel: &Funnel) -> Vec<u32> {
    let keeps_place = |step: usize| funnel.order != Order::Any || funnel.steps[step].anchored;
    let mut groups: Vec<u32> = Vec::new();
    let mut first = 0;
    while first < funnel.steps.len() {
        let mut end = first + 1;
        while !keeps_place(first) && end < funnel.steps.len() && !keeps_place(end) {
            end += 1;
        }
        let group: u32 = (first..end).map(|step| 1 << step).sum();
        groups.extend((first..end).map(|_| group));
        first = end;
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::report::StepSelector;

    #[test]
    fn steps_between_anchors_are_one_group() {
        let step = |anchored| StepSelector {
            anchored,
            ..StepSelector::default()
        };
        let mut funnel = Funnel::of([false, false, true, false, true, true].map(step).to_vec(), 1);
        assert_eq!(groups(&funnel), [1, 2, 4, 8, 16, 32]);
        funnel.order = Order::Any;
        assert_eq!(groups(&funnel), [0b11, 0b11, 4, 8, 16, 32]);
    }
}
