//! National identity numbers in the written form that gives them away: the French NIR in its groups, the US social
//! security number with dashes. Bare digits are too common to be claimed.

/// Whether either stands in the text.
pub fn is_in(text: &str) -> bool {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == ' '))
        .any(|part| has_ssn(part) || has_nir(part))
}

/// `AAA-GG-SSSS` as one word, with the ranges that are given out.
fn has_ssn(text: &str) -> bool {
    text.split(' ').any(|word| {
        let groups: Vec<&str> = word.split('-').collect();
        let [area, group, serial] = groups[..] else {
            return false;
        };
        let is_digits = |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
        is_digits(area, 3)
            && is_digits(group, 2)
            && is_digits(serial, 4)
            && !matches!(area, "000" | "666")
            && !area.starts_with('9')
            && group != "00"
            && serial != "0000"
    })
}

/// Lengths of the groups: sex, year, month, department, commune, order, key.
const NIR_GROUPS: [usize; 7] = [1, 2, 2, 2, 3, 3, 2];

fn has_nir(text: &str) -> bool {
    let words: Vec<&str> = text.split([' ', '-']).filter(|word| !word.is_empty()).collect();
    words.windows(NIR_GROUPS.len()).any(|groups| {
        let fits = groups
            .iter()
            .zip(NIR_GROUPS)
            .all(|(group, length)| group.len() == length);
        fits && is_nir(&groups.concat())
    })
}

/// 97 less the remainder of the number; Corsica counts as 19 and 18.
fn is_nir(compact: &str) -> bool {
    let department = match compact.get(5..7) {
        Some("2A" | "2a") => "19",
        Some("2B" | "2b") => "18",
        Some(department) => department,
        None => return false,
    };
    let digits = format!("{}{department}{}", &compact[..5], &compact[7..]);
    let (Some(number), Some(key)) = (digits.get(..13), digits.get(13..)) else {
        return false;
    };
    let (Ok(number), Ok(key)) = (number.parse::<u64>(), key.parse::<u64>()) else {
        return false;
    };
    matches!(compact.as_bytes().first(), Some(b'1' | b'2')) && 97 - number % 97 == key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_forms_are_found() {
        for text in [
            "078-05-1120",
            "ssn 078-05-1120 on file",
            "2 55 08 14 168 025 38",
            "nir: 1-84-12-76-451-089-46.",
            "1 85 05 2A 006 084 35",
        ] {
            assert!(is_in(text), "{text}");
        }
        for text in [
            "000-12-3456",
            "666-12-3456",
            "912-12-3456",
            "123-00-4567",
            "123-45-0000",
            "123-45-67890",
            "1234-45-6789",
            "2 55 08 14 168 025 39",
            "2024-05-1234",
            "3 55 08 14 168 025 38",
        ] {
            assert!(!is_in(text), "{text}");
        }
    }
}
