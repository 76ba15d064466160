//! Tells secrets from placeholders, references, ids and words.

use super::char_stats::{CharStats, bits_per_byte, value_head};
use super::letter_patterns::is_irregular_word;
use super::placeholders::{is_placeholder, is_sample_password};
use super::secret_names::SecretHint;

/// The shortest value that counts as a secret, in bytes.
const MIN_SECRET_BYTES: usize = 6;

/// Where a value stands, from surely a value to possibly prose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ValueContext {
    /// Behind `=`, or in quotes.
    Code,
    /// Behind `:`, alone on its line.
    Line,
    /// Among other words.
    Prose,
    /// Directly behind the name, without a sign: only long and random values count.
    Beside,
}

/// Names of techniques that have digits in them.
const TECHNIQUE_NAMES: [&str; 44] = [
    "argon2",
    "argon2id",
    "argon2i",
    "bcrypt",
    "scrypt",
    "pbkdf2",
    "sha1",
    "sha224",
    "sha256",
    "sha384",
    "sha512",
    "sha3",
    "md5",
    "hs256",
    "hs384",
    "hs512",
    "rs256",
    "rs384",
    "rs512",
    "es256",
    "es384",
    "ps256",
    "eddsa",
    "oauth2",
    "oauth1",
    "auth0",
    "base64",
    "base64url",
    "base32",
    "base58",
    "ed25519",
    "x25519",
    "x509",
    "aes128",
    "aes256",
    "rsa2048",
    "rsa4096",
    "p256",
    "secp256k1",
    "http2",
    "utf8",
    "pkcs8",
    "pkcs12",
    "blake3",
];

/// How references to a secret begin, in lower case.
const REFERENCE_STARTS: [&str; 30] = [
    "process.env",
    "os.environ",
    "os.getenv",
    "env.",
    "env[",
    "env(",
    "getenv",
    concat!("std", "::env"),
    "import.meta",
    "secrets.",
    "secret/",
    "secretsmanager",
    "vault:",
    "vault/",
    "op://",
    "arn:",
    "ssm:",
    "ssm/",
    "keyring",
    "keychain",
    "1password",
    "bitwarden",
    "gcp-",
    "projects/",
    "kv/",
    "config.",
    "settings.",
    "self.",
    "this.",
    "doppler:",
];

/// How digests of content begin.
const DIGEST_STARTS: [&str; 9] =
    ["sha1:", "sha256:", "sha384:", "sha512:", "md5:", "blake3:", "sha256-", "sha384-", "sha512-"];

/// Returns whether a value has many different characters, as random ones have.
pub(super) fn is_varied(value: &str) -> bool {
    bits_per_byte(value_head(value)) >= 2.5
}

/// Returns whether a value is a password, where a command takes nothing else.
pub(super) fn is_given_password(value: &str) -> bool {
    let head = value_head(value);
    let lower = head.to_ascii_lowercase();
    let is_word = head.bytes().all(|byte| byte.is_ascii_alphabetic());
    let is_short = head.len() < if is_word { 8 } else { 4 };
    let names_source = ["file:", "env:", "fd:", "stdin", "prompt", "console"]
        .iter()
        .any(|source| lower.starts_with(source));
    let is_none = is_short
        || names_source
        || head.starts_with('-')
        || is_placeholder(head)
        || is_sample_password(head)
        || is_reference(head, &lower);
    !is_none
}

/// Returns whether a shell variable holds a password: `DB_PASSWORD=…` assigns plain text, no code.
pub(super) fn is_password_of_variable(name: &str, value: &str) -> bool {
    let head = value_head(value);
    let is_variable = !name.bytes().any(|byte| byte.is_ascii_lowercase() || b"-.".contains(&byte));
    let ends = |ending: &&str| {
        name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_').ends_with(ending)
    };
    let is_sure = ["PASSWORD", "PASSWD", "PASSPHRASE", "_PWD"].iter().any(&ends);
    // `SECOND_PASS=optimise`: `PASS` alone has other meanings.
    let is_likely =
        ["PASS", "PWD", "PW"].iter().any(ends) && head.bytes().any(|byte| byte.is_ascii_digit());
    let says_it = head.bytes().any(|byte| byte.is_ascii_alphabetic());
    is_variable
        && says_it
        && (is_sure || is_likely && !is_of_words(head))
        && !is_path(head)
        && !head.starts_with(['/', '~', '.'])
        && is_given_password(head)
        && !TECHNIQUE_NAMES.contains(&head.to_ascii_lowercase().as_str())
}

/// Returns whether a run of letters and digits in the body looks random.
pub(super) fn has_random_run(body: &str) -> bool {
    let runs = value_head(body).split(|c: char| !c.is_ascii_alphanumeric());
    runs.filter(|run| run.len() >= 16).any(is_random_run)
}

/// Returns whether a part of a value has digits in it, or letters as no word has them.
pub(super) fn is_not_a_word(part: &str) -> bool {
    let head = value_head(part);
    let stats = CharStats::from_value(head);
    stats.digits > 0 && !is_of_words(head) || is_irregular_word(head)
}

/// Returns whether a long body has all kinds of characters and repeats hardly any.
pub(super) fn is_dense(body: &str) -> bool {
    let head = value_head(body);
    let stats = CharStats::from_value(head);
    stats.letters() + stats.digits >= 40
        && stats.lower.min(stats.upper).min(stats.digits) > 0
        && bits_per_byte(head) >= 4.8
}

fn is_random_run(run: &str) -> bool {
    let stats = CharStats::from_value(run);
    stats.digits > 0 && stats.digits < run.len() && stats.changes_often()
}

/// Returns whether a value is a secret, given what its name hints at and where it stands.
pub(super) fn is_secret(value: &str, hint: SecretHint, context: ValueContext) -> bool {
    let head = value_head(value);
    // The expensive check is last, for the few values that get there.
    head.len() >= MIN_SECRET_BYTES && looks_secret(head, hint, context) && !is_stand_in(head)
}

/// Returns whether the value is a placeholder, a reference, a digest or the name of a technique.
fn is_stand_in(head: &str) -> bool {
    let lower = head.to_ascii_lowercase();
    is_placeholder(head)
        || is_sample_password(head)
        || is_reference(head, &lower)
        || DIGEST_STARTS.iter().any(|digest| lower.starts_with(digest))
        || TECHNIQUE_NAMES.contains(&lower.as_str())
        || head.starts_with("-----")
}

fn looks_secret(head: &str, hint: SecretHint, context: ValueContext) -> bool {
    let stats = CharStats::from_value(head);
    if head.bytes().any(|byte| byte.is_ascii_whitespace()) {
        return false;
    }
    if stats.letters() == 0 {
        return hint == SecretHint::Password
            && context <= ValueContext::Line
            && is_number_password(head, &stats);
    }
    if is_uuid(head) {
        return hint != SecretHint::Key && context == ValueContext::Code;
    }
    let is_random = is_random(head, &stats);
    if is_random || context == ValueContext::Beside {
        return is_random
            && (context != ValueContext::Beside || head.len() >= 16 && stats.letters() > 2);
    }
    let long = head.len() >= 8;
    match (hint, context) {
        (SecretHint::Password, ValueContext::Code | ValueContext::Line) => is_chosen(head, &stats),
        (SecretHint::Password, _) => {
            let is_made = || {
                let letters: String = head.chars().filter(char::is_ascii_alphabetic).collect();
                head.len() >= 10 && stats.upper > 1 && is_irregular_word(&letters)
            };
            long && stats.digits > 0 && is_chosen(head, &stats) && (stats.symbols > 0 || is_made())
        }
        (SecretHint::Login, _) => long && stats.digits > 0 && is_chosen(head, &stats),
        (SecretHint::Secret, ValueContext::Code) => {
            let is_made =
                is_unpronounceable(head, &stats) || head.len() >= 12 && is_irregular_word(head);
            long && (stats.digits > 0 && !is_of_words(head) || is_made)
        }
        (SecretHint::Secret | SecretHint::Key, _) => false,
    }
}

/// Returns whether digits are a password and no date, time, size or port.
fn is_number_password(value: &str, stats: &CharStats) -> bool {
    let strong = value.bytes().any(|byte| b"!#$^&*?@~".contains(&byte));
    stats.digits >= 6 && (strong || stats.digits == value.len())
}

/// Returns whether the value looks chosen as a password: no word, id, path or version.
fn is_chosen(value: &str, stats: &CharStats) -> bool {
    let strong = value.bytes().any(|byte| b"!#$%^&*?~@+".contains(&byte));
    if strong {
        // `C++`, `100%` and `why?` are words with a sign.
        return stats.digits > 0 && stats.letters() >= 3
            || stats.inner_symbols >= 1 && stats.is_mixed();
    }
    if stats.digits == 0 {
        return is_unpronounceable(value, stats) || is_irregular_word(value);
    }
    let stem = value.trim_end_matches(|c: char| c.is_ascii_digit());
    let counted = [
        "phase", "step", "task", "level", "version", "test", "tier", "stage", "sprint", "week",
        "iter",
    ]
    .iter()
    .any(|word| stem.eq_ignore_ascii_case(word));
    let starts_as_number = value.starts_with(|c: char| c.is_ascii_digit())
        && value.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').len() <= 3;
    !counted && !starts_as_number && !is_of_words(value) && !value.contains(['/', '(', ')'])
}

/// Returns whether every part of the value is a word, a number, or a word with a number. A single
/// part proves nothing.
fn is_of_words(value: &str) -> bool {
    let parts = value.split(|c: char| !c.is_ascii_alphanumeric());
    let mut count = 0;
    for part in parts.filter(|part| !part.is_empty()) {
        count += 1;
        let stem = part.trim_end_matches(|c: char| c.is_ascii_digit());
        let digits = part.len() - stem.len();
        let plain = stem.bytes().all(|byte| byte.is_ascii_alphabetic());
        let is_word = part.len() < 3
            || part.len() == 3 && !has_inner_capital(part)
            || digits == part.len()
            || plain && digits <= 3 && !has_inner_capital(stem);
        // A word has few capitals in its middle.
        if !is_word || CharStats::from_value(stem).humps > 4 {
            return false;
        }
    }
    count > 1
}

/// Returns whether a part of three letters has a capital behind a small one, as no word or acronym
/// has: `qRw`, `bNx`.
fn has_inner_capital(part: &str) -> bool {
    let stats = CharStats::from_value(part);
    part.len() == 3 && stats.humps == 1 && stats.lower == 2 && stats.letters() == 3
}

/// Returns whether letters cannot be pronounced: many consonants in a row, or capitals all over.
fn is_unpronounceable(value: &str, stats: &CharStats) -> bool {
    if value.len() < 12 || stats.letters() < value.len() - stats.symbols {
        return false;
    }
    let mut run = 0;
    let mut longest = 0;
    for byte in value.bytes() {
        let is_consonant = byte.is_ascii_alphabetic() && !b"aeiouyAEIOUY".contains(&byte);
        run = if is_consonant { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let is_all_capitals = stats.lower == 0;
    !is_all_capitals && (longest >= 6 || stats.humps * 5 >= value.len() && value.len() >= 16)
}

/// Returns whether the value looks random, wherever it stands.
fn is_random(value: &str, stats: &CharStats) -> bool {
    let alnum = stats.letters() + stats.digits;
    if alnum < 12 || stats.digits == 0 || is_of_words(value) || is_path(value) {
        return false;
    }
    let kinds = [stats.lower, stats.upper, stats.digits];
    let all_kinds = kinds.into_iter().all(|count| count > 0);
    let restless = stats.changes_often();
    if alnum < 16 {
        return all_kinds && restless && stats.changes >= 4;
    }
    restless && bits_per_byte(value) >= 2.8
}

/// Returns whether the value looks like a path or a file name.
fn is_path(value: &str) -> bool {
    let is_rooted = ["/", "./", "../", "~/"].iter().any(|s| value.starts_with(s));
    let parts = value.split('/');
    let wordy = parts
        .clone()
        .filter(|part| {
            let stats = CharStats::from_value(part);
            part.len() <= 2 || is_of_words(part) || stats.digits == 0 && stats.humps < 3
        })
        .count();
    let count = parts.count();
    count > 1 && wordy == count || is_rooted && count > 2 && wordy * 2 > count
}

/// Returns whether the value says where the secret is kept.
fn is_reference(value: &str, lower: &str) -> bool {
    // A scheme is short; anything longer before `://` is part of the value.
    let is_address = value.split_once("://").is_some_and(|(scheme, _)| {
        let is_part = |b: u8| b.is_ascii_alphanumeric() || b"+-.".contains(&b);
        scheme.len() <= 20 && scheme.bytes().all(is_part)
    });
    if is_address || REFERENCE_STARTS.iter().any(|start| lower.starts_with(start)) {
        return true;
    }
    let is_name = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    // `get_password(…)`, `Secret::new(…)`
    let called = value.find(['(', '[']).is_some_and(|end| {
        let callee = value.get(..end).unwrap_or_default();
        end >= 2 && callee.bytes().all(|b| is_name(b) || b == b'.' || b == b':' || b == b'!')
    });
    // `user.password`, `Self::TOKEN`
    let dotted =
        value.contains(['.', ':']) && value.bytes().all(|b| is_name(b) || b == b'.' || b == b':');
    // `GITHUB_TOKEN`, `DB_PASS_2`
    let shouted = value.contains('_')
        && value.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        && is_of_words(value);
    let file = value.rsplit_once('.').is_some_and(|(stem, ending)| {
        const ENDINGS: [&str; 22] = [
            "md", "txt", "json", "yaml", "yml", "toml", "env", "pem", "key", "crt", "rs", "ts",
            "js", "py", "go", "sh", "sql", "tsx", "html", "enc", "gpg", "asc",
        ];
        ENDINGS.contains(&ending) && !is_random_run(stem)
    });
    called || dotted || shouted || file
}

fn is_uuid(value: &str) -> bool {
    let mut lengths = value.split('-').map(str::len);
    let hex = value.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    hex && [8, 4, 4, 4, 12].into_iter().all(|l| lengths.next() == Some(l))
        && lengths.next().is_none()
}
