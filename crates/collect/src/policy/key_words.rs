//! What a key's own words say about its value (secrecy contract FW-3, ID-22).
//!
//! A key is normalised (NFKC, invisible characters out), split into words at case and separators, and judged by its last
//! one or two words: `userPasswordConfirm` holds a password, `password_strength` and `cardType` do not.

use crate::firewall::layers::fold;
use regex::Regex;

/// What a key that the policy table does not know says about its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyWords {
    /// A secret or free text: never stored, whatever it looks like.
    NeverStored,
    /// A name, an address, a way to reach somebody.
    Identifying,
    /// An organisation or person by identifier: kept as a group number.
    Reference,
    Ordinary,
}

/// Words that say nothing about what the words before them mean.
const IGNORED_SUFFIXES: [&str; 7] = ["hash", "confirm", "value", "text", "again", "new", "old"];

/// The list of FW-3. `content`, `body`, `message`, `session`, `token` and `pin` may later be allowed where a reviewed
/// dictionary shows that they only ever hold a few short words; without one they are refused like the others.
const NEVER_STORED: &str = "pass(word|wd|phrase|code)?|pwd|secret|token|otp|pin|api ?key|private ?key|secret ?key|\
    access ?(key|token)|authorization|auth ?header|cookies?|session( ?(id|key))?|csrf|cvv|cvc|card(number| ?number)?|pan|\
    iban|bic|ssn|nir|insee|aadhaar|passport|tax ?id|prompt|messages?|completion|input ?text|content|body|\
    transcript|stack ?trace";

const IDENTIFYING: &str = "e?mails?|e mail|(e ?)?mail ?address(es)?|phones?|telephones?|tel|mobiles?|\
    (phone|mobile|telephone) ?numbers?|msisdn|\
    (first|last|full|user|sur|middle|family|given|maiden|display|nick|legal|real|contact|customer|person|owner|preferred) \
    ?names?|surnames?|streets?|address(es)?|birth|dob|birth ?dates?|birthdays?|avatars?|photos?";

/// Keys of these names on profiles are a person's; on events they are too general (the name of a plan, a button).
const IDENTIFYING_ON_PROFILES: &str = "name";

/// Matched on the whole key, not on its last words.
const REFERENCE: &str = "company( id| name)?|org(anization)?( ?id)?|account( ?id)?|workspace( ?id)?|tenant( ?id)?|team id|\
    user ?id|uid|customer ?id|member ?id";

/// The patterns, compiled once.
pub struct KeyRules {
    never_stored: Regex,
    identifying: Regex,
    reference: Regex,
}

impl KeyRules {
    pub fn new() -> KeyRules {
        let whole = |pattern: &str| Regex::new(&format!("^(?:{pattern})$")).expect("the patterns are tested");
        KeyRules {
            never_stored: whole(NEVER_STORED),
            identifying: whole(IDENTIFYING),
            reference: whole(REFERENCE),
        }
    }

    /// Judges a key. Each dotted segment is a path of its own: `form.password` is a password.
    pub fn judge(&self, key: &str, on_profile: bool) -> KeyWords {
        let words = words(&fold(key));
        let whole = words.join(" ");
        if self.reference.is_match(&whole) {
            return KeyWords::Reference;
        }
        // With and without the words that mean nothing: `password_text` is a password, `input_text` is what it says.
        let endings = [ending(&words), ending(significant(&words))];
        let matches = |pattern: &Regex| {
            endings
                .iter()
                .any(|(last, last_two)| pattern.is_match(last) || pattern.is_match(last_two))
        };
        if matches(&self.never_stored) {
            KeyWords::NeverStored
        } else if matches(&self.identifying) || (on_profile && whole == IDENTIFYING_ON_PROFILES) {
            KeyWords::Identifying
        } else {
            KeyWords::Ordinary
        }
    }
}

/// The last word, and the last two.
fn ending(words: &[String]) -> (String, String) {
    let last = words.last().cloned().unwrap_or_default();
    (last, words[words.len().saturating_sub(2)..].join(" "))
}

/// The words without trailing numbers and words that mean nothing by themselves.
fn significant(words: &[String]) -> &[String] {
    let ignored =
        |word: &String| IGNORED_SUFFIXES.contains(&word.as_str()) || word.bytes().all(|byte| byte.is_ascii_digit());
    let mut end = words.len();
    while end > 1 && ignored(&words[end - 1]) {
        end -= 1;
    }
    &words[..end]
}

/// Lower-case words, split at separators, at `aB` and at `ABc` (`APIKey` is `api key`), digits cut from their ends.
pub fn words(key: &str) -> Vec<String> {
    let characters: Vec<char> = key.chars().collect();
    let mut words = vec![String::new()];
    for (at, &character) in characters.iter().enumerate() {
        if !character.is_alphanumeric() {
            words.push(String::new());
            continue;
        }
        let previous_lower = at > 0 && (characters[at - 1].is_lowercase() || characters[at - 1].is_numeric());
        let next_lower = characters.get(at + 1).is_some_and(|next| next.is_lowercase());
        let previous_upper = at > 0 && characters[at - 1].is_uppercase();
        if character.is_uppercase() && (previous_lower || (previous_upper && next_lower)) {
            words.push(String::new());
        }
        let word = words.last_mut().expect("starts with one word");
        word.extend(character.to_lowercase());
    }
    words
        .into_iter()
        .map(|word| match word.trim_end_matches(|last: char| last.is_ascii_digit()) {
            "" => word,
            trimmed => trimmed.to_owned(),
        })
        .filter(|word| !word.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expected: KeyWords, on_profile: bool, keys: &str) {
        let rules = KeyRules::new();
        for key in keys.split(' ') {
            assert_eq!(rules.judge(key, on_profile), expected, "{key}");
        }
    }

    #[test]
    fn last_words_decide() {
        let never = "password user_password userPasswordConfirm user.password PASSWORD2 apiKey APIKey api-key api_key_old apikey \
                     session session_id sessionId authHeader x-csrf cvv card_number cardNumber form$card tax_id stackTrace \
                     prompt messages message inputText private_key db.secret passwd pin_1 ｐａｓｓｗｏｒｄ pass\u{200b}word";
        check(KeyWords::NeverStored, false, never);
        let identifying = "email user_email contactEmail e-mail first_name lastName username user_name phone billing.street address \
                           date_of_birth birthday shipping_address mobile ip_address phone_numbers emailAddresses";
        check(KeyWords::Identifying, false, identifying);
        let ordinary = "password_strength cardType email_verified plan amount tokens content_type item_count pinned birthplace_known \
                        mobile_app name company_size feature bodyweight messages_sent plan_name";
        check(KeyWords::Ordinary, false, ordinary);
        check(
            KeyWords::Reference,
            false,
            "company company_id companyName org org_id organizationId account account_id uid userId team_id",
        );
        check(KeyWords::Identifying, true, "name Name full_name displayName avatar");
        check(KeyWords::Ordinary, true, "plan_name company_size");
    }
}
