//! The smallest and the largest of some numbers, and whose they are.

use crate::persons::Crowd;

/// One end of some numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Extreme {
    pub number: f64,
    /// Who has this very number. Nobody's number can be the extreme too.
    pub whose: Crowd,
}

/// Both ends of some numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Extremes {
    pub least: Extreme,
    pub most: Extreme,
}

impl Extremes {
    /// Of a single number.
    pub fn of(number: f64, person: u64) -> Extremes {
        let mut extreme = Extreme {
            number,
            whose: Crowd::default(),
        };
        extreme.take(number, person);
        Extremes {
            least: extreme.clone(),
            most: extreme,
        }
    }

    /// Takes in one more number.
    #[inline]
    pub fn add(&mut self, number: f64, person: u64) {
        if number <= self.least.number {
            self.least.take(number, person);
        }
        if number >= self.most.number {
            self.most.take(number, person);
        }
    }

    pub fn heap_bytes(&self) -> usize {
        (self.least.whose.few().len() + self.most.whose.few().len()) * 8
    }

    pub fn merge(&mut self, other: &Extremes) {
        self.least.meet(&other.least, other.least.number < self.least.number);
        self.most.meet(&other.most, other.most.number > self.most.number);
    }
}

impl Extreme {
    /// A number that is at least as far out.
    fn take(&mut self, number: f64, person: u64) {
        if number != self.number {
            self.number = number;
            self.whose = Crowd::default();
        }
        if person != 0 {
            self.whose.insert(person);
        }
    }

    fn meet(&mut self, other: &Extreme, is_beyond: bool) {
        if is_beyond {
            *self = other.clone();
        } else if other.number == self.number {
            self.whose.merge(&other.whose);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extremes_know_whose_they_are() {
        let of = |numbers: &[(f64, u64)]| {
            let mut numbers = numbers.iter();
            let first = numbers.next().unwrap();
            let mut extremes = Extremes::of(first.0, first.1);
            numbers.for_each(|(number, person)| extremes.add(*number, *person));
            extremes
        };
        let whose = |extreme: &Extreme| (extreme.number, extreme.whose.few().to_vec());
        let some = of(&[(3.0, 1), (5.0, 2), (3.0, 4), (4.0, 9), (3.0, 1)]);
        assert_eq!(whose(&some.least), (3.0, vec![1, 4]));
        assert_eq!(whose(&some.most), (5.0, vec![2]));
        let mut all = some.clone();
        all.merge(&of(&[(7.0, 0), (3.0, 6)]));
        assert_eq!(whose(&all.least), (3.0, vec![1, 4, 6]));
        assert_eq!(whose(&all.most), (7.0, vec![]), "nobody's");
        let many: Vec<(f64, u64)> = (1..=10).map(|person| (8.0, person)).collect();
        all.merge(&of(&many));
        assert!(all.most.whose.is_many() && all.most.number == 8.0);
    }
}
