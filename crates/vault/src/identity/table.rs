//! Table 1.3 of the secrecy contract: what a tuple of a device and a user means (simplified identity merge).

use super::index::Entry;

/// What a tuple does, with the row of the table it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Row 1: nothing usable.
    Nobody,
    /// Rows 3, 5, 10, 11: everything is known, nothing changes.
    Known(u64),
    /// Row 2: a number for a device.
    NewDevice,
    /// Rows 4 and 12: a number for a user.
    NewUser,
    /// Row 6: one number for both, and a link.
    NewPair,
    /// Row 7: a device without a past joins its user.
    JoinDevice { user: u64 },
    /// Row 8: the user takes the number of the device, whose profile is emptied.
    SignUp { device: u64 },
    /// Row 9: a second device with a past. Its number is absorbed by the user's.
    Absorb { device: u64, user: u64 },
}

/// An identity of a tuple: absent, or present and perhaps known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    Absent,
    Unknown,
    Known(Entry),
}

impl Seen {
    pub(super) fn of(present: bool, entry: Option<Entry>) -> Seen {
        match (present, entry) {
            (false, _) => Seen::Absent,
            (true, None) => Seen::Unknown,
            (true, Some(entry)) => Seen::Known(entry),
        }
    }
}

pub(super) fn decide(device: Seen, user: Seen) -> Act {
    match (device, user) {
        (Seen::Absent, Seen::Absent) => Act::Nobody,
        (Seen::Unknown, Seen::Absent) => Act::NewDevice,
        (Seen::Known(device), Seen::Absent) => Act::Known(device.person()),
        (Seen::Absent, Seen::Unknown) => Act::NewUser,
        (Seen::Absent, Seen::Known(user)) => Act::Known(user.person()),
        (Seen::Unknown, Seen::Unknown) => Act::NewPair,
        (Seen::Unknown, Seen::Known(user)) => Act::JoinDevice { user: user.person() },
        (Seen::Known(device), Seen::Unknown) if device.is_linked() => Act::NewUser,
        (Seen::Known(device), Seen::Unknown) => Act::SignUp {
            device: device.person(),
        },
        // Rows 10 and 11 give the same number; only whether the device is this user's differs.
        (Seen::Known(device), Seen::Known(user)) if device.is_linked() => Act::Known(user.person()),
        (Seen::Known(device), Seen::Known(user)) => Act::Absorb {
            device: device.person(),
            user: user.person(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_row_by_row() {
        let free = |n| Seen::Known(Entry::new(n, false));
        let linked = |n| Seen::Known(Entry::new(n, true));
        let check = |row: u32, device: Seen, user: Seen, act: Act| {
            assert_eq!(decide(device, user), act, "row {row}");
        };
        check(1, Seen::Absent, Seen::Absent, Act::Nobody);
        check(2, Seen::Unknown, Seen::Absent, Act::NewDevice);
        check(3, free(7), Seen::Absent, Act::Known(7));
        check(3, linked(8), Seen::Absent, Act::Known(8));
        check(4, Seen::Absent, Seen::Unknown, Act::NewUser);
        check(5, Seen::Absent, free(9), Act::Known(9));
        check(6, Seen::Unknown, Seen::Unknown, Act::NewPair);
        check(7, Seen::Unknown, free(3), Act::JoinDevice { user: 3 });
        check(8, free(4), Seen::Unknown, Act::SignUp { device: 4 });
        check(9, free(4), free(5), Act::Absorb { device: 4, user: 5 });
        check(10, linked(5), free(5), Act::Known(5));
        check(11, linked(6), free(5), Act::Known(5));
        check(12, linked(6), Seen::Unknown, Act::NewUser);
    }
}
