//! Numbers of a cell with how often each is there, for percentiles.

use model::report::Aggregate;

/// Numbers in order, each with how often it is there.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Spread {
    /// Each in order and distinct, and more than twice as long as the next: adding up any number of spreads handles
    /// each number a few times only.
    runs: Vec<Vec<(f64, u64)>>,
}

/// Small whole numbers, which most are that people measure, are counted in a table instead of sorted.
const TABLE_MAX: usize = 1 << 16;

impl Spread {
    pub fn of(numbers: Vec<f64>) -> Spread {
        let run = match small(&numbers) {
            Some(most) if most <= 1024 + 4 * numbers.len() => tabulated(&numbers, most),
            _ => sorted(numbers),
        };
        Spread::of_run(run)
    }

    /// Of pairs in any order, no number twice.
    pub fn of_pairs(pairs: impl Iterator<Item = (f64, u64)>) -> Spread {
        let mut run: Vec<(f64, u64)> = pairs.collect();
        run.sort_unstable_by(|left, right| left.0.total_cmp(&right.0));
        Spread::of_run(run)
    }

    fn of_run(run: Vec<(f64, u64)>) -> Spread {
        match run.is_empty() {
            true => Spread::default(),
            false => Spread { runs: vec![run] },
        }
    }

    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    pub fn merge(&mut self, other: &Spread) {
        for run in &other.runs {
            self.runs.push(run.clone());
            while let [.., left, right] = self.runs.as_slice()
                && left.len() <= 2 * right.len()
            {
                let merged = merged(left, right);
                self.runs.truncate(self.runs.len() - 2);
                self.runs.push(merged);
            }
        }
    }

    /// The numbers in order, each once.
    pub fn into_pairs(self) -> Vec<(f64, u64)> {
        let runs = self.runs.into_iter().rev();
        runs.reduce(|right, left| merged(&left, &right)).unwrap_or_default()
    }

    /// A percentile, as [`model::report::Measure`] defines it; 0 of nothing.
    pub fn percentile(&self, percent: f64) -> f64 {
        match self.runs.as_slice() {
            [] => 0.0,
            [run] => percentile(run, percent),
            _ => percentile(&self.clone().into_pairs(), percent),
        }
    }

    pub fn aggregate(&self, aggregate: Aggregate) -> f64 {
        let pairs = || self.runs.iter().flatten();
        let numbers = || pairs().map(|(number, _)| *number);
        match aggregate {
            _ if self.is_empty() => 0.0,
            Aggregate::Mean => {
                let count: u64 = pairs().map(|(_, times)| times).sum();
                let sum: f64 = pairs().map(|(number, times)| number * *times as f64).sum();
                sum / count as f64
            }
            Aggregate::Median => self.percentile(50.0),
            Aggregate::Percentile(percent) => self.percentile(percent),
            Aggregate::Min => numbers().fold(f64::INFINITY, f64::min),
            Aggregate::Max => numbers().fold(f64::NEG_INFINITY, f64::max),
        }
    }
}

/// The largest number, if all are whole, not negative and small.
fn small(numbers: &[f64]) -> Option<usize> {
    let mut most = 0;
    for number in numbers {
        let whole = *number as u16;
        // By bits: zero with a sign is not in the table.
        if f64::from(whole).to_bits() != number.to_bits() {
            return None;
        }
        most = most.max(whole);
    }
    debug_assert!(usize::from(most) < TABLE_MAX);
    Some(usize::from(most))
}

fn tabulated(numbers: &[f64], most: usize) -> Vec<(f64, u64)> {
    let mut times = vec![0_u64; most + 1];
    for number in numbers {
        times[*number as usize] += 1;
    }
    let there = times.iter().enumerate().filter(|(_, times)| **times > 0);
    there.map(|(number, times)| (number as f64, *times)).collect()
}

fn sorted(mut numbers: Vec<f64>) -> Vec<(f64, u64)> {
    numbers.sort_unstable_by(f64::total_cmp);
    let equal = numbers.chunk_by(|left, right| left == right);
    equal.map(|equal| (equal[0], equal.len() as u64)).collect()
}

fn merged(left: &[(f64, u64)], right: &[(f64, u64)]) -> Vec<(f64, u64)> {
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left, right);
    while let ([least, rest @ ..], [other, others @ ..]) = (left, right) {
        if least.0 == other.0 {
            merged.push((least.0, least.1 + other.1));
            (left, right) = (rest, others);
        } else if least.0 < other.0 {
            merged.push(*least);
            left = rest;
        } else {
            merged.push(*other);
            right = others;
        }
    }
    merged.extend_from_slice(left);
    merged.extend_from_slice(right);
    merged
}

fn percentile(run: &[(f64, u64)], percent: f64) -> f64 {
    let count: u64 = run.iter().map(|(_, times)| times).sum();
    let place = percent / 100.0 * (count - 1) as f64;
    let lower = at(run, place.floor() as u64);
    let upper = at(run, place.ceil() as u64);
    lower + (upper - lower) * (place - place.floor())
}

/// The number at a place, the first being at 0.
fn at(run: &[(f64, u64)], place: u64) -> f64 {
    let mut before = 0;
    let found = run.iter().find(|(_, times)| {
        before += times;
        before > place
    });
    found.or(run.last()).map_or(0.0, |(number, _)| *number)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What DuckDB's `quantile_cont` gives.
    #[test]
    fn percentiles_lie_on_the_line_between_neighbours() {
        let spread = Spread::of(vec![4.0, 2.0, 1.0, 2.0]);
        let cases = [(0.0, 1.0), (50.0, 2.0), (90.0, 3.4), (100.0, 4.0), (25.0, 1.75)];
        for (percent, expected) in cases {
            let got = spread.percentile(percent);
            assert!((got - expected).abs() < 1e-12, "{percent}: {got}");
        }
        assert_eq!(Spread::default().percentile(50.0), 0.0);
        assert_eq!(Spread::of(vec![7.0]).percentile(33.0), 7.0);
    }

    /// Whole and broken, small and large, with and without a sign: however they came, they are all there in order.
    #[test]
    fn spreads_add_up() {
        let mut rng = fastrand::Rng::with_seed(11);
        for kind in 0..6 {
            let number = |rng: &mut fastrand::Rng| match kind {
                0 => f64::from(rng.u32(0..50)),
                1 => f64::from(rng.u32(0..70_000)),
                2 => f64::from(rng.i32(-20..20)),
                3 => rng.f64() * 1e9,
                4 => f64::from(rng.u32(0..8)) / 4.0,
                _ => f64::from(rng.u32(0..3)) * 1e15,
            };
            let (mut all, mut spread) = (Vec::new(), Spread::default());
            for _ in 0..rng.usize(1..40) {
                let some: Vec<f64> = (0..rng.usize(0..300)).map(|_| number(&mut rng)).collect();
                all.extend_from_slice(&some);
                spread.merge(&Spread::of(some));
            }
            all.sort_by(f64::total_cmp);
            let each = |pairs: Vec<(f64, u64)>| -> Vec<f64> {
                let repeated = pairs.into_iter().map(|(number, times)| vec![number; times as usize]);
                repeated.flatten().collect()
            };
            let place = 0.3 * (all.len() - 1) as f64;
            let (lower, upper) = (all[place.floor() as usize], all[place.ceil() as usize]);
            assert_eq!(spread.percentile(30.0), lower + (upper - lower) * place.fract());
            let pairs = spread.into_pairs();
            assert!(pairs.is_sorted_by(|left, right| left.0 < right.0), "kind {kind}");
            assert_eq!(each(pairs), all, "kind {kind}");
        }
    }
}
