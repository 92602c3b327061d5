//! Who starts a flow, and when what they do is within reach of a start.

use crate::persons::PersonIndex;
use model::report::{Flow, FlowCount};

/// Everybody with a start. Their numbers are those of a [`PersonIndex`].
pub(super) struct Reaches {
    starts_ms: (i64, i64),
    /// How long before and after a start something can be of its path, in milliseconds.
    before_ms: i64,
    after_ms: i64,
    /// Whether the first start of a person stands for all.
    only_first: bool,
    /// Whether all events of the range are needed, because they make sessions.
    of_sessions: bool,
    persons: PersonIndex,
    of_persons: Vec<Starts>,
}

/// Of one person.
#[derive(Clone, Copy)]
struct Starts {
    first_ms: i64,
    last_ms: i64,
    /// Whether there is a step after all that is within reach.
    later: bool,
}

/// When something of a person can be of a path.
#[derive(Clone, Copy)]
pub(super) struct Reach {
    /// The person's.
    pub number: u32,
    from_ms: i64,
    /// The last instant.
    to_ms: i64,
}

impl Reach {
    /// Of those without a start. No time is before or after it.
    pub const NONE: Reach = Reach {
        number: u32::MAX,
        from_ms: i64::MAX,
        to_ms: i64::MAX,
    };

    #[inline]
    pub fn holds(&self, time_ms: i64) -> bool {
        self.from_ms <= time_ms && time_ms <= self.to_ms
    }

    /// Whether a time is after it.
    #[inline]
    pub fn is_before(&self, time_ms: i64) -> bool {
        self.to_ms < time_ms
    }
}

impl Reaches {
    /// Of starts in a range: from, and to before.
    pub fn new(flow: &Flow, starts_ms: (i64, i64)) -> Reaches {
        let window_ms = flow.window_ms.unwrap_or(0);
        Reaches {
            starts_ms,
            before_ms: if flow.before > 0 { window_ms } else { 0 },
            after_ms: window_ms,
            // With more anchors it could miss them, and the next one not.
            only_first: flow.count == FlowCount::Person && flow.anchors.len() == 1,
            of_sessions: flow.needs_sessions(),
            persons: PersonIndex::default(),
            of_persons: Vec::new(),
        }
    }

    /// Notes a start.
    pub fn start(&mut self, person: u64, time_ms: i64) {
        let number = self.persons.number(person) as usize;
        if number == self.of_persons.len() {
            self.of_persons.push(Starts {
                first_ms: time_ms,
                last_ms: time_ms,
                later: false,
            });
        }
        let starts = &mut self.of_persons[number];
        starts.first_ms = starts.first_ms.min(time_ms);
        starts.last_ms = starts.last_ms.max(time_ms);
    }

    /// The reach of a person's starts.
    #[inline]
    pub fn of(&self, person: u64) -> Reach {
        let Some(number) = self.persons.known(person) else {
            return Reach::NONE;
        };
        let starts = &self.of_persons[number as usize];
        let last_ms = match self.only_first {
            true => starts.first_ms,
            false => starts.last_ms,
        };
        let (mut from_ms, mut to_ms) = (starts.first_ms - self.before_ms, last_ms + self.after_ms);
        if self.of_sessions {
            from_ms = from_ms.min(self.starts_ms.0);
            to_ms = to_ms.max(self.starts_ms.1 - 1);
        }
        Reach { number, from_ms, to_ms }
    }

    /// Notes that a person has a step after all that is within reach.
    #[inline]
    pub fn set_later(&mut self, reach: Reach) {
        self.of_persons[reach.number as usize].later = true;
    }

    /// Whether a person has a step after all that is within reach.
    pub fn has_later(&self, number: usize) -> bool {
        self.of_persons[number].later
    }

    pub fn person(&self, number: usize) -> u64 {
        self.persons.person(number)
    }

    pub fn persons(&self) -> usize {
        self.persons.len()
    }

    pub fn size_bytes(&self) -> usize {
        self.persons.size_bytes() + self.of_persons.capacity() * size_of::<Starts>()
    }
}
