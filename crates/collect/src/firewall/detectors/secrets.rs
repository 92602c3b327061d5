//! Credentials that announce themselves by a prefix. The forms follow the gitleaks rule set (MIT), re-stated.

use super::{Detector, KeyContext, Shape};
use crate::decode::base64;
use crate::json::{Json, member, parse_text};
use crate::policy::url::entropy_bits;
use aho_corasick::AhoCorasick;
use regex::Regex;

/// What a hit of the prefix is checked with. Patterns are anchored at the prefix, `T3BlbkFJ` apart, which stands inside.
const RULES: &[(Detector, &[&str], &str, f64)] = &[
    (
        Detector::AnthropicKey,
        &["sk-ant-"],
        r"^sk-ant-[a-z0-9]{2,12}-[A-Za-z0-9_-]{20,}",
        3.0,
    ),
    (
        Detector::OpenAiKey,
        &["sk-proj-", "sk-svcacct-", "sk-admin-"],
        r"^sk-[a-z]+-[A-Za-z0-9_-]{20,}",
        3.0,
    ),
    (
        Detector::OpenAiKey,
        &["T3BlbkFJ"],
        r"sk-[A-Za-z0-9_-]{8,}T3BlbkFJ[A-Za-z0-9_-]{8,}",
        3.0,
    ),
    (
        Detector::GithubToken,
        &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
        r"^gh[pousr]_[A-Za-z0-9]{36}",
        3.0,
    ),
    (
        Detector::GithubToken,
        &["github_pat_"],
        r"^github_pat_[A-Za-z0-9_]{36,}",
        3.0,
    ),
    (
        Detector::AwsKey,
        &["AKIA", "ASIA", "ABIA", "ACCA", "A3T"],
        r"^(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}",
        3.0,
    ),
    (
        Detector::StripeKey,
        &["sk_live_", "sk_test_", "sk_prod_", "rk_live_", "rk_test_", "rk_prod_"],
        r"^[sr]k_(?:live|test|prod)_[A-Za-z0-9]{10,}",
        2.0,
    ),
    (
        Detector::SlackToken,
        &["xoxa-", "xoxb-", "xoxe-", "xoxp-", "xoxr-", "xoxs-", "xoxe."],
        r"^xox[abeprs][-.][A-Za-z0-9.-]{10,}",
        2.0,
    ),
    (Detector::SlackToken, &["xapp-"], r"^xapp-[0-9]-[A-Za-z0-9-]{10,}", 2.0),
    (Detector::NpmToken, &["npm_"], r"^npm_[A-Za-z0-9]{36}", 3.0),
    (Detector::PypiToken, &["pypi-AgE"], r"^pypi-AgE[A-Za-z0-9_-]{40,}", 3.0),
    (
        Detector::HuggingFaceToken,
        &["hf_", "api_org_"],
        r"^(?:hf_|api_org_)[A-Za-z0-9]{34}",
        3.0,
    ),
    (
        Detector::SendgridKey,
        &["SG."],
        r"^SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{32,64}",
        3.0,
    ),
    (Detector::GoogleKey, &["AIza"], r"^AIza[A-Za-z0-9_-]{35}", 4.0),
    (Detector::TwilioKey, &["SK"], r"^SK[0-9a-fA-F]{32}", 3.0),
    (
        Detector::FrostpaneToken,
        &["fpw_", "fps_", "fpa_", "fpk_"],
        r"^fp[wsak]_[A-Za-z0-9_-]{16,}",
        2.0,
    ),
    // A JSON object in base64url, in the ways it can begin.
    (
        Detector::Jwt,
        &["eyJ", "eyA", "ewo", "ewk", "ew0", "ewI"],
        r"^e[wy][A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
        0.0,
    ),
    (
        Detector::PrivateKey,
        &["PRIVATE KEY"],
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY",
        0.0,
    ),
];

/// Shortest secret: a Stripe key.
const SHORTEST_BYTES: usize = 18;

/// How far from its prefix a secret is looked at. Text that repeats a prefix would cost quadratic time otherwise.
const WINDOW_BYTES: usize = 2048;
/// The same backwards, for the two forms whose mark stands inside.
const WINDOW_BACK_BYTES: usize = 256;

pub struct Secrets {
    prefixes: AhoCorasick,
    /// For each prefix the index of its rule.
    rules: Vec<usize>,
    forms: Vec<Regex>,
}

impl Secrets {
    pub fn new() -> Secrets {
        let prefixes: Vec<(usize, &str)> = RULES
            .iter()
            .enumerate()
            .flat_map(|(rule, (_, prefixes, _, _))| prefixes.iter().map(move |prefix| (rule, *prefix)))
            .collect();
        Secrets {
            prefixes: AhoCorasick::new(prefixes.iter().map(|(_, prefix)| prefix)).expect("a few short prefixes"),
            rules: prefixes.iter().map(|(rule, _)| *rule).collect(),
            forms: RULES
                .iter()
                .map(|(_, _, form, _)| Regex::new(form).expect("the patterns are tested"))
                .collect(),
        }
    }

    pub fn find(&self, text: &str, shape: &Shape, context: KeyContext) -> Option<Detector> {
        if shape.length < SHORTEST_BYTES {
            return None;
        }
        self.prefixes.find_overlapping_iter(text).find_map(|hit| {
            let rule = self.rules[hit.pattern().as_usize()];
            let (detector, _, _, entropy_min) = RULES[rule];
            let stands_inside = matches!(detector, Detector::PrivateKey) || text[hit.range()].starts_with("T3");
            let from = if stands_inside {
                hit.start().saturating_sub(WINDOW_BACK_BYTES)
            } else {
                hit.start()
            };
            let found = self.forms[rule].find(window(text, from, hit.end() + WINDOW_BYTES))?;
            let confirmed = entropy_bits(found.as_str()) >= entropy_min
                && match detector {
                    Detector::Jwt => is_jwt_header(found.as_str()),
                    // In the middle of capitals and digits it is a ULID or a serial number by chance.
                    Detector::AwsKey => !text[..hit.start()]
                        .ends_with(|before: char| before.is_ascii_uppercase() || before.is_ascii_digit()),
                    Detector::TwilioKey => context.twilio || text.to_lowercase().contains("twilio"),
                    _ => true,
                };
            confirmed.then_some(detector)
        })
    }
}

/// The text between two places, moved inwards to whole characters.
fn window(text: &str, from: usize, to: usize) -> &str {
    let from = (from..=text.len())
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(text.len());
    let to = (from..=to.min(text.len()))
        .rfind(|at| text.is_char_boundary(*at))
        .unwrap_or(from);
    &text[from..to]
}

/// Whether the part before the first dot is a JSON object with an algorithm.
fn is_jwt_header(token: &str) -> bool {
    let header = token.split('.').next().unwrap_or("");
    let text = base64::decode(header.as_bytes()).and_then(|bytes| String::from_utf8(bytes).ok());
    match text.map(|text| parse_text(&text)) {
        Some(Ok(Json::Object(members))) => member(&members, "alg").is_some(),
        _ => false,
    }
}
