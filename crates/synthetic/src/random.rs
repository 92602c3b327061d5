//! Seeded draws. Every stream of numbers is derived from the seed and from what it decides, never from the order
//! in which things are asked, so that a person's life does not depend on how many events are wanted.

use fastrand::Rng;

/// A stream of random numbers for one purpose.
pub(crate) fn stream(seed: u64, purpose: u64, index: u64) -> Rng {
    Rng::with_seed(mix(mix(seed ^ purpose.wrapping_mul(0x9E37_79B9_7F4A_7C15)) ^ index))
}

/// SplitMix64's finaliser: spreads close inputs far apart.
pub(crate) fn mix(input: u64) -> u64 {
    let mut z = input.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// An index, drawn by weight.
pub(crate) fn weighted<T>(rng: &mut Rng, from: &[T], weight: impl Fn(&T) -> u16) -> u8 {
    let total: u32 = from.iter().map(|item| u32::from(weight(item))).sum();
    let mut rest = rng.u32(..total);
    for (index, item) in from.iter().enumerate() {
        let width = u32::from(weight(item));
        if rest < width {
            return index as u8;
        }
        rest -= width;
    }
    unreachable!("the draw is below the sum of the weights")
}

/// An index below `length` that prefers small ones.
pub(crate) fn skewed(rng: &mut Rng, length: usize) -> usize {
    let x = rng.f32();
    ((x * x * length as f32) as usize).min(length - 1)
}

/// Exponentially distributed with the given mean.
pub(crate) fn exponential(rng: &mut Rng, mean: f64) -> f64 {
    -mean * (1.0 - rng.f64()).ln()
}

/// Poisson distributed with the given mean.
pub(crate) fn poisson(rng: &mut Rng, mean: f64) -> u32 {
    if mean > 30.0 {
        // The normal approximation: Knuth's loop would take as many steps as the answer is large.
        let normal = (0..12).map(|_| rng.f64()).sum::<f64>() - 6.0;
        return (mean + normal * mean.sqrt()).max(0.0).round() as u32;
    }
    let limit = (-mean).exp();
    let mut product = rng.f64();
    let mut count = 0;
    while product > limit {
        product *= rng.f64();
        count += 1;
    }
    count
}
