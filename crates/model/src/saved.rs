//! What people keep around reports: saved reports, boards of them, annotations. Only what is stored, and its rules.
//!
//! All three are documents of the catalog: a name, a number that is never given twice, a version, and one of the types
//! here as JSON. Numbers of reports, cards and annotations are stable, so that links, digests and alerts can go by them.
//! Their text is typed by people and shown to people: it has limits, and it is never HTML.

mod annotation;
mod board;
mod report;

pub use annotation::*;
pub use board::*;
pub use report::*;

pub const NAME_CHARS_MAX: usize = 120;
pub const DESCRIPTION_CHARS_MAX: usize = 1_000;

/// Why something is not saved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {message}")]
pub struct InvalidSaved {
    /// JSON pointer into the body.
    pub at: String,
    pub message: String,
}

fn refuse<T>(at: impl Into<String>, message: impl Into<String>) -> Result<T, InvalidSaved> {
    Err(InvalidSaved {
        at: at.into(),
        message: message.into(),
    })
}

/// A name without the spaces around it: one line of 1 to [`NAME_CHARS_MAX`] characters.
pub fn checked_name(name: &str) -> Result<String, InvalidSaved> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX || name.contains(char::is_control) {
        return refuse(
            "/name",
            format!("give a name of 1 to {NAME_CHARS_MAX} characters on one line"),
        );
    }
    Ok(name.to_owned())
}

/// Running text: of limited length, without control characters but line ends and tabs.
fn check_text(at: &str, text: &str, chars_max: usize) -> Result<(), InvalidSaved> {
    if text.chars().count() > chars_max {
        return refuse(at, format!("give at most {chars_max} characters"));
    }
    if text.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return refuse(at, "the text has control characters");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_line() {
        assert_eq!(checked_name("  Weekly sign-ups "), Ok("Weekly sign-ups".to_owned()));
        for bad in ["", "  ", "two\nlines", "\u{0}", &"x".repeat(NAME_CHARS_MAX + 1)] {
            assert_eq!(checked_name(bad).unwrap_err().at, "/name", "{bad:?}");
        }
    }
}
