//! Bytes → strings in them that look like secrets: by the forms that issuers give their keys, by the name something is
//! assigned to, and by how random a string is.

use std::ops::Range;
use std::sync::LazyLock;

use regex::bytes::{Regex, RegexBuilder};

/// A string that looks like a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Secret {
    /// What it looks like: `a GitHub token`.
    pub(crate) kind: &'static str,
    /// Where in the bytes that were searched.
    pub(crate) range: Range<usize>,
    /// Its beginning, never all of it.
    pub(crate) preview: String,
    /// By which an app can say that it is none: the first 8 digits of its BLAKE3.
    pub(crate) fingerprint: String,
}

/// The forms of keys, from their issuers' documentation. The first group is the secret, if there is one.
const FORMS: &[(&str, &str)] = &[
    ("a private key", r"-----BEGIN [A-Z ]{0,24}PRIVATE KEY-----[A-Za-z0-9+/=\\\s]{16,}"),
    ("an AWS access key", r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b"),
    ("a GitHub token", r"\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})\b"),
    ("a GitLab token", r"\bglpat-[A-Za-z0-9_-]{20,}"),
    ("a Google API key", r"\bAIza[A-Za-z0-9_-]{35}\b"),
    ("a Slack token", r"\bxox[abeprs]-[A-Za-z0-9-]{10,}"),
    ("a Stripe key", r"\b[rs]k_live_[A-Za-z0-9]{16,}\b"),
    ("an npm token", r"\bnpm_[A-Za-z0-9]{36}\b"),
    ("a SendGrid key", r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}\b"),
    ("an OpenAI or Anthropic key", r"\bsk-(?:ant-|proj-)?[A-Za-z0-9_-]{32,}\b"),
    ("a JSON Web Token", r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
    (
        "a password in an address",
        r"\b[a-z][a-z0-9+.-]{1,15}://[^\s:/@\x22'`$<>{}]{1,64}:([^\s:/@\x22'`$<>{}]{3,64})@[a-z0-9]",
    ),
    (
        "a value named like a secret",
        r"(?i)(?:api_?key|secret(?:_?key)?|access_?token|auth_?token|passwd|password|private_?key)[\x22']?\s*[:=]\s*[\x22'`]([!-~]{8,128}?)[\x22'`]",
    ),
    ("a random string", r"[A-Za-z0-9+/_-]{32,128}={0,2}"),
];

const BY_NAME: &str = "a value named like a secret";
const RANDOM: &str = "a random string";

/// Bits per character. Random base64 of 32 characters has 4.4 at least in all but one of a hundred cases; identifiers
/// and words joined by capitals have less than 4.2.
const ENTROPY_MIN: f64 = 4.35;

static PATTERNS: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
    let compiled =
        FORMS.iter().filter_map(|(kind, form)| Some((*kind, RegexBuilder::new(form).unicode(false).build().ok()?)));
    compiled.collect()
});

/// Everything in the bytes that looks like a secret, each string once, in the order of its place.
pub(crate) fn find(bytes: &[u8]) -> Vec<Secret> {
    let mut found: Vec<Secret> = Vec::new();
    for (kind, pattern) in PATTERNS.iter() {
        for groups in pattern.captures_iter(bytes) {
            let Some(group) = groups.get(1).or_else(|| groups.get(0)) else { continue };
            let overlaps = |other: &Secret| group.start() < other.range.end && other.range.start < group.end();
            if is_secret(kind, bytes, group.range()) && !found.iter().any(overlaps) {
                found.push(secret(kind, group.as_bytes(), group.range()));
            }
        }
    }
    found.sort_by_key(|secret| secret.range.start);
    let mut seen = std::collections::HashSet::new();
    found.retain(|secret| seen.insert(secret.fingerprint.clone()));
    found
}

fn secret(kind: &'static str, text: &[u8], range: Range<usize>) -> Secret {
    let shown = if kind == BY_NAME || text.len() < 16 { 2 } else { 6 };
    let preview = String::from_utf8_lossy(text.get(..shown).unwrap_or_default()).into_owned();
    let fingerprint = blake3::hash(text).to_hex().as_str().get(..8).unwrap_or_default().to_owned();
    Secret { kind, range, preview: format!("{preview}…"), fingerprint }
}

/// Forms say it by themselves; a name and randomness need a second look.
fn is_secret(kind: &str, bytes: &[u8], range: Range<usize>) -> bool {
    let text = bytes.get(range.clone()).unwrap_or_default();
    match kind {
        BY_NAME => looks_chosen(text),
        RANDOM => is_alone(bytes, range) && is_random(text),
        _ => true,
    }
}

/// A value somebody has set, and not a name, a word, a path or a template.
fn looks_chosen(text: &[u8]) -> bool {
    let kinds = [u8::is_ascii_lowercase, u8::is_ascii_uppercase, u8::is_ascii_digit];
    let mixed = kinds.iter().filter(|is| text.iter().any(is)).count() >= 2;
    mixed && !text.iter().any(|byte| b" ${}()<>[]".contains(byte)) && text.iter().any(u8::is_ascii_digit)
}

/// Whether a string ends where the run of characters does: not a part of a text, of code, or of a longer blob.
fn is_alone(bytes: &[u8], range: Range<usize>) -> bool {
    let ends = |byte: Option<&u8>| byte.is_none_or(|byte| *byte == 0 || b"\"'`\n".contains(byte));
    ends(range.start.checked_sub(1).and_then(|at| bytes.get(at))) && ends(bytes.get(range.end))
}

/// All of lower case, upper case and digits, no alphabet, no digest of an integrity list, and much entropy.
fn is_random(text: &[u8]) -> bool {
    let has = |is: fn(&u8) -> bool| text.iter().any(is);
    let runs = text.windows(4).filter(|four| four.windows(2).all(|two| two[1].wrapping_sub(two[0]) == 1)).count();
    has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
        && text.iter().filter(|byte| byte.is_ascii_digit()).count() >= 3
        && runs < 2
        && !text.starts_with(b"sha")
        && entropy(text) >= ENTROPY_MIN
}

/// Shannon's, in bits per character.
fn entropy(text: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    text.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
    let total = f64::from(u32::try_from(text.len()).unwrap_or(u32::MAX));
    let share = |count: u32| f64::from(count) / total;
    counts.iter().filter(|count| **count > 0).map(|count| -share(*count) * share(*count).log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<&'static str> {
        find(text.as_bytes()).iter().map(|secret| secret.kind).collect()
    }

    #[test]
    fn every_form_compiles() {
        assert_eq!(PATTERNS.len(), FORMS.len());
    }

    #[test]
    fn keys_are_known_by_their_form() {
        // Put together here, so that no scanner takes this file for a leak.
        let key = |head: &str, length: usize| format!("x = '{head}{}'", "Ab3".repeat(length).split_at(length).0);
        assert_eq!(kinds(&key("ghp_", 36)), ["a GitHub token"]);
        assert_eq!(kinds(&key("AIza", 35)), ["a Google API key"]);
        assert_eq!(kinds(&key("npm_", 36)), ["an npm token"]);
        assert_eq!(kinds(&key("sk_live_", 24)), ["a Stripe key"]);
        assert_eq!(kinds("url = 'mqtt://gateway:hunter2@broker.example'"), ["a password in an address"]);
        assert_eq!(kinds("-----BEGIN RSA PRIVATE KEY-----\\nMIIEpAIBAAKCAQEA\\n"), ["a private key"]);
    }

    #[test]
    fn values_are_known_by_their_name() {
        assert_eq!(kinds("{ apiKey: 'k3y-f0r-sensors' }"), [BY_NAME]);
        assert_eq!(kinds("{\"password\":\"correct1horse2\"}"), [BY_NAME]);
        for text in ["{ password: 'password' }", "{ secretKey: `${name}-12345` }", "{ apiKey: 'apiKeyName' }"] {
            assert_eq!(kinds(text), Vec::<&str>::new(), "{text}");
        }
    }

    #[test]
    fn random_strings_are_told_from_code_and_alphabets() {
        assert_eq!(kinds("'q8Zt0vXw3LkPz7RbN5yHc2Jf9DsGm4Ae'"), [RANDOM]);
        for text in [
            "'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'",
            "'getOwnPropertyDescriptorsOfTheObjectPrototype1'",
            "'sha512-q8Zt0vXw3LkPz7RbN5yHc2Jf9DsGm4Aeq8Zt0vXw3LkPz7RbN5yHc2Jf9DsGm4Ae'",
            "f(q8Zt0vXw3LkPz7RbN5yHc2Jf9DsGm4Ae)",
        ] {
            assert_eq!(kinds(text), Vec::<&str>::new(), "{text}");
        }
    }

    #[test]
    fn a_secret_is_shown_by_its_beginning_and_named_by_its_hash() {
        let found = find(b"password = 'correct1horse2'");
        assert_eq!(found[0].preview, "co…");
        assert_eq!(found[0].fingerprint.len(), 8);
        assert_eq!(find(b"password = 'correct1horse2', password: 'correct1horse2'").len(), 1);
    }
}
