//! Whether a name comes twice.

/// Above this many names, repeated ones are found by sorting instead of by comparing every pair.
const PAIRWISE_MAX: usize = 64;

/// Whether one of the names is there twice.
pub fn has_repeats<'n>(names: impl ExactSizeIterator<Item = &'n str>) -> bool {
    if names.len() > PAIRWISE_MAX {
        let mut sorted: Vec<&str> = names.collect();
        sorted.sort_unstable();
        return sorted.windows(2).any(|pair| pair[0] == pair[1]);
    }
    let mut seen = [(0, ""); PAIRWISE_MAX];
    for (at, name) in names.enumerate() {
        let mark = mark(name);
        if seen[..at].iter().any(|(other, text)| *other == mark && *text == name) {
            return true;
        }
        seen[at] = (mark, name);
    }
    false
}

/// A number that tells nearly all names apart: the last bytes, which differ more than the first, and the length.
fn mark(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let tail = &bytes[bytes.len().saturating_sub(8)..];
    let mut last = [0; 8];
    last[..tail.len()].copy_from_slice(tail);
    u64::from_le_bytes(last).wrapping_add((bytes.len() as u64) << 56)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_comes_twice_is_found_among_few_and_many() {
        for count in [0, 1, 2, 20, PAIRWISE_MAX, PAIRWISE_MAX + 1, 300] {
            let mut names: Vec<String> = (0..count).map(|at| format!("{at:03}_the_same_end")).collect();
            assert!(
                !has_repeats(names.iter().map(String::as_str)),
                "{count} different names"
            );
            if count >= 2 {
                names[count - 1] = names[count / 2 - 1].clone();
                assert!(has_repeats(names.iter().map(String::as_str)), "{count} names");
            }
        }
        assert!(!has_repeats(["", "a", "b", "aa"].into_iter()));
        assert!(has_repeats(["", "a", ""].into_iter()));
    }
}
