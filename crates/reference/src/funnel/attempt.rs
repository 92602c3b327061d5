//! One attempt, from its start to its end.

use super::events::Seen;
use model::report::{Funnel, FunnelCount, Order};

/// How far a person came from one start.
#[derive(Clone)]
pub(super) struct Run<'a> {
    /// Each step taken: its index in the definition, and the event.
    pub taken: Vec<(usize, &'a Seen)>,
    end: End<'a>,
}

#[derive(Clone)]
enum End<'a> {
    Completed,
    /// By an excluded event, or by another event in a strict funnel.
    By(&'a Seen),
    Expired,
}

impl<'a> Run<'a> {
    pub fn start(&self) -> &'a Seen {
        self.taken[0].1
    }

    fn uses(&self, event: &Seen) -> bool {
        self.taken.iter().any(|(_, used)| used.seq == event.seq)
    }
}

/// Whether an attempt can begin with an event.
pub(super) fn may_start(funnel: &Funnel, event: &Seen) -> bool {
    open_steps(funnel, &[]).iter().any(|step| event.is_step[*step]) && has_held(event)
}

/// The steps that may come next, as the definition lists them.
fn open_steps(funnel: &Funnel, taken: &[(usize, &Seen)]) -> Vec<usize> {
    let place = taken.len();
    if place == funnel.steps.len() {
        return Vec::new();
    }
    if funnel.order != Order::Any || funnel.steps[place].anchored {
        return vec![place];
    }
    // The run of steps without anchor around this place.
    let mut first = place;
    while first > 0 && !funnel.steps[first - 1].anchored {
        first -= 1;
    }
    let mut last = place;
    while last + 1 < funnel.steps.len() && !funnel.steps[last + 1].anchored {
        last += 1;
    }
    let done = |step: &usize| taken.iter().any(|(taken, _)| taken == step);
    (first..=last).filter(|step| !done(step)).collect()
}

pub(super) fn attempt<'a>(funnel: &Funnel, events: &'a [Seen], start: &'a Seen) -> Run<'a> {
    let first = open_steps(funnel, &[]).into_iter().find(|step| start.is_step[*step]);
    let mut run = Run {
        taken: vec![(first.unwrap_or_default(), start)],
        end: End::Completed,
    };
    loop {
        let open = open_steps(funnel, &run.taken);
        if open.is_empty() {
            return run;
        }
        let next = events.iter().find(|event| may_be_next(funnel, &run, &open, event));
        let ending = events.iter().find(|event| ends(funnel, &run, event));
        if let Some(ending) = ending
            && next.is_none_or(|next| ending.time_ms < next.time_ms - funnel.tie_ms)
        {
            run.end = End::By(ending);
            return run;
        }
        let Some(next) = next else {
            run.end = End::Expired;
            return run;
        };
        let step = open.into_iter().find(|step| next.is_step[*step]);
        run.taken.push((step.unwrap_or_default(), next));
    }
}

fn may_be_next(funnel: &Funnel, run: &Run<'_>, open: &[usize], event: &Seen) -> bool {
    let before_ms = run.taken[run.taken.len() - 1].1.time_ms;
    open.iter().any(|step| event.is_step[*step])
        && !run.uses(event)
        && event.time_ms >= before_ms - funnel.tie_ms
        && event.time_ms >= run.start().time_ms - funnel.tie_ms
        && in_window(funnel, run.start(), event)
        && has_held(event)
        && event.held == run.start().held
}

fn in_window(funnel: &Funnel, start: &Seen, event: &Seen) -> bool {
    let sessions = match funnel.count {
        FunnelCount::Sessions => Some(1),
        _ => funnel.window_sessions,
    };
    let in_sessions = match (sessions, start.session, event.session) {
        (Some(sessions), Some(first), Some(session)) => first <= session && session < first + sessions as usize,
        _ => true,
    };
    in_sessions && event.time_ms <= start.time_ms + funnel.window_ms
}

/// Whether an event ends the attempt unless a next step comes before it.
fn ends(funnel: &Funnel, run: &Run<'_>, event: &Seen) -> bool {
    if run.uses(event) || !in_window(funnel, run.start(), event) {
        return false;
    }
    let is_after = |step: usize| event.time_ms > run.taken[step].1.time_ms + funnel.tie_ms;
    if funnel.order == Order::Strict && is_after(0) {
        return true;
    }
    let last = run.taken.len() - 1;
    funnel.exclusions.iter().enumerate().any(|(index, exclusion)| {
        event.is_excluded[index]
            && exclusion.from <= last
            && last < exclusion.last(funnel.steps.len())
            && is_after(exclusion.from)
            && (event.held.iter().zip(&run.start().held)).all(|(held, started)| is_not_set(held) || held == started)
    })
}

fn has_held(event: &Seen) -> bool {
    !event.held.iter().any(|held| is_not_set(held))
}

fn is_not_set(held: &[model::report::Segment]) -> bool {
    held == [vec![None]]
}

/// Whether the next attempt that does not overlap with `run` may begin with `start`.
pub(super) fn next_start(funnel: &Funnel, run: &Run<'_>, start: &Seen) -> bool {
    let order = |event: &Seen| (event.time_ms, event.seq);
    match run.end {
        End::Completed => run.taken.iter().all(|(_, used)| order(used) < order(start)),
        End::By(ending) => order(ending) <= order(start),
        End::Expired => order(run.start()) < order(start) && !in_window(funnel, run.start(), start),
    }
}
