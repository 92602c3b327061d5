//! Rows of a partition brought together by person.

/// A row that was kept in short form.
pub(crate) trait OfPerson: Copy {
    /// Number of the person in the partition's [`crate::persons::PersonIndex`].
    fn person(&self) -> u32;

    /// Time and place in the order of reception.
    fn order(&self) -> (i64, u64);
}

/// Rows grouped by person, each person's in order.
pub(crate) struct Grouped<R> {
    rows: Vec<R>,
    /// Where each person's rows end.
    ends: Vec<u32>,
}

impl<R: OfPerson> Grouped<R> {
    /// Deals rows out to their persons. The rows of one come in few runs that are in order already, one per batch and
    /// event, so a merging sort has little left to do.
    pub fn new(rows: Vec<R>, persons: usize) -> Grouped<R> {
        let mut ends = vec![0_u32; persons];
        for row in &rows {
            ends[row.person() as usize] += 1;
        }
        let mut next = 0;
        for end in &mut ends {
            next += std::mem::replace(end, next);
        }
        // `ends` holds beginnings now, and ends when all rows have been placed.
        let mut placed = rows.clone();
        for row in rows {
            let place = &mut ends[row.person() as usize];
            placed[*place as usize] = row;
            *place += 1;
        }
        let mut grouped = Grouped { rows: placed, ends };
        grouped.sort();
        grouped
    }

    /// Bytes that [`Grouped::new`] needs besides its rows.
    pub fn bytes(rows: usize, persons: usize) -> usize {
        rows * size_of::<R>() + persons * 4
    }

    fn sort(&mut self) {
        let mut begin = 0;
        for end in &self.ends {
            let rows = &mut self.rows[begin..*end as usize];
            if !rows.is_sorted_by_key(OfPerson::order) {
                rows.sort_by_key(OfPerson::order);
            }
            begin = *end as usize;
        }
    }

    /// The rows of each person that has any, with the person's number.
    pub fn persons(&self) -> impl Iterator<Item = (usize, &[R])> {
        let begins = std::iter::once(&0).chain(&self.ends);
        let spans = begins.zip(&self.ends).enumerate();
        spans
            .filter(|(_, (begin, end))| begin < end)
            .map(|(person, (begin, end))| (person, &self.rows[*begin as usize..*end as usize]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl OfPerson for (u32, i64, u64) {
        fn person(&self) -> u32 {
            self.0
        }

        fn order(&self) -> (i64, u64) {
            (self.1, self.2)
        }
    }

    #[test]
    fn every_row_comes_to_its_person_in_order() {
        let rows = vec![(2, 5, 1), (0, 9, 2), (2, 3, 4), (2, 3, 3), (0, 1, 5), (4, 0, 6)];
        let grouped = Grouped::new(rows, 6);
        let got: Vec<(usize, Vec<_>)> = grouped
            .persons()
            .map(|(person, rows)| (person, rows.to_vec()))
            .collect();
        let expected = vec![
            (0, vec![(0, 1, 5), (0, 9, 2)]),
            (2, vec![(2, 3, 3), (2, 3, 4), (2, 5, 1)]),
            (4, vec![(4, 0, 6)]),
        ];
        assert_eq!(got, expected);
    }
}
