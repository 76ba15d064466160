//! Names that announce a secret: `API_KEY`, `dbPassword`, `client-secret`.

/// What kind of secret a name announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SecretHint {
    /// A password, which people choose.
    Password,
    /// A secret that a machine made.
    Secret,
    /// A key of some kind; only a value that looks random counts.
    Key,
    /// A user name and its password.
    Login,
}

/// The longest name that is read.
const MAX_NAME_BYTES: usize = 80;

const PASSWORD_WORDS: [&str; 11] = [
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "passwort",
    "kennwort",
    "contrasena",
    "pwd",
    "pass",
    "pw",
    "psk",
];

const SECRET_WORDS: [&str; 11] = [
    "secret",
    "secrets",
    "token",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "credential",
    "pat",
    "bearer",
    "apitoken",
];

/// What announces a secret at the end of a name without separators.
const SECRET_ENDINGS: [(&str, SecretHint); 12] = [
    ("password", SecretHint::Password),
    ("passwd", SecretHint::Password),
    ("passphrase", SecretHint::Password),
    ("pass", SecretHint::Password),
    ("pwd", SecretHint::Password),
    ("secret", SecretHint::Secret),
    ("token", SecretHint::Secret),
    ("apikey", SecretHint::Secret),
    ("accesskey", SecretHint::Secret),
    ("secretkey", SecretHint::Secret),
    ("privatekey", SecretHint::Secret),
    ("authkey", SecretHint::Secret),
];

/// Words that end in `pass` and have nothing to do with passwords.
const PASS_WORDS: [&str; 7] =
    ["bypass", "compass", "encompass", "surpass", "trespass", "overpass", "underpass"];

/// Words before `key` that make it a secret.
const SECRET_KEY_QUALIFIERS: [&str; 26] = [
    "api",
    "access",
    "secret",
    "private",
    "encryption",
    "signing",
    "master",
    "auth",
    "account",
    "service",
    "role",
    "admin",
    "storage",
    "webhook",
    "app",
    "license",
    "hmac",
    "jwt",
    "subscription",
    "functions",
    "consumer",
    "deploy",
    "integration",
    "ingestion",
    "sas",
    "session",
];

/// Names of session cookies; only a value that looks random counts.
const SESSION_COOKIES: [&str; 5] =
    ["phpsessid", "jsessionid", "aspsessionid", "sessionid", "cookie"];

/// Last words of names that hold something else: `TOKEN_TTL`, `password_hash`.
const HARMLESS_ENDINGS: [&str; 62] = [
    "name",
    "names",
    "id",
    "ids",
    "file",
    "files",
    "path",
    "paths",
    "url",
    "uri",
    "type",
    "ttl",
    "expiry",
    "expires",
    "expiration",
    "at",
    "length",
    "len",
    "count",
    "policy",
    "field",
    "header",
    "prefix",
    "limit",
    "budget",
    "usage",
    "rotation",
    "status",
    "version",
    "ref",
    "arn",
    "date",
    "age",
    "max",
    "min",
    "regex",
    "pattern",
    "format",
    "store",
    "manager",
    "provider",
    "required",
    "enabled",
    "size",
    "endpoint",
    "location",
    "hash",
    "digest",
    "fingerprint",
    "sha",
    "issuer",
    "audience",
    "scope",
    "scopes",
    "reset",
    "strength",
    "validator",
    "class",
    "env",
    "var",
    "dir",
    "cost",
];

/// Words in names that hold no secret: `public_token`, `hashed_password`.
const HARMLESS_SEGMENTS: [&str; 11] = [
    "public",
    "publishable",
    "max",
    "min",
    "design",
    "tokens",
    "hash",
    "hashed",
    "num",
    "total",
    "avg",
];

/// Words before `token` or `key` in an identifier that make it harmless: `page_token`, `cache_key`.
const HARMLESS_QUALIFIERS: [&str; 15] = [
    "page",
    "next",
    "claim",
    "fence",
    "fencing",
    "cancellation",
    "continuation",
    "idempotency",
    "cache",
    "primary",
    "foreign",
    "sort",
    "partition",
    "item",
    "site",
];

/// Words that make a token harmless also in prose: `page token`. The `next` in `next token: …` does
/// not.
const HARMLESS_TERMS: [&str; 10] = [
    "public",
    "publishable",
    "page",
    "claim",
    "fence",
    "fencing",
    "cancellation",
    "continuation",
    "idempotency",
    "design",
];

/// Returns what a name hints at, if it hints at a secret. `before` is the word before it, for names
/// in two words such as `API key`.
pub(super) fn hint_from_name(name: &str, before: Option<&str>) -> Option<SecretHint> {
    if name.len() > MAX_NAME_BYTES || !may_hint(name) {
        return None;
    }
    let mut segments = Vec::with_capacity(6);
    if let Some(before) = before.filter(|before| before.len() <= MAX_NAME_BYTES) {
        split_segments(before, &mut segments);
        // Only the last word of the text before it belongs to the name.
        let last = segments.pop();
        segments.clear();
        segments.extend(last);
    }
    let own = segments.len();
    split_segments(name, &mut segments);
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let named = segments.get(own..)?;
    // A number at the end counts copies: `PASSWORD_2`.
    let is_word = |segment: &&&str| !segment.bytes().all(|byte| byte.is_ascii_digit());
    let last = named.iter().rfind(is_word)?;
    if HARMLESS_ENDINGS.contains(last)
        || named.iter().any(|segment| HARMLESS_SEGMENTS.contains(segment))
        || has_harmless_qualifier(&segments, own)
    {
        return None;
    }
    let is_variable = !name.bytes().any(|byte| byte.is_ascii_lowercase());
    let places = own..segments.len();
    let hint = places.fold(None, |hint, place| {
        hint.or_else(|| hint_from_segment(&segments, own, place, is_variable))
    })?;
    let is_doubtful =
        segments.iter().any(|s| HARMLESS_QUALIFIERS.contains(s) || HARMLESS_SEGMENTS.contains(s));
    Some(match hint {
        // Only a value that looks random counts for a doubtful name.
        SecretHint::Password | SecretHint::Secret if is_doubtful => SecretHint::Key,
        _ => hint,
    })
}

/// Returns whether a token or key in a name is qualified as harmless. Directly before it the
/// qualifier says what the token is of; elsewhere it only makes the name doubtful: `next_token` is
/// harmless, `next_access_token` and `item password: …` are not.
fn has_harmless_qualifier(segments: &[&str], own: usize) -> bool {
    segments.iter().enumerate().skip(own).any(|(place, segment)| {
        let before = place.checked_sub(1).and_then(|at| segments.get(at));
        let qualifiers = if place > own { &HARMLESS_QUALIFIERS[..] } else { &HARMLESS_TERMS[..] };
        matches!(*segment, "token" | "key")
            && before.is_some_and(|before| qualifiers.contains(before))
    })
}

/// Returns what one segment of a name hints at. The segments from `own` on are the name itself;
/// `is_variable` tells that it has no small letters.
fn hint_from_segment(
    segments: &[&str],
    own: usize,
    place: usize,
    is_variable: bool,
) -> Option<SecretHint> {
    let before = place.checked_sub(1).and_then(|at| segments.get(at));
    let is_first = place == own;
    let segment = segments.get(place)?;
    let segment = segment.trim_end_matches(|c: char| c.is_ascii_digit());
    if PASSWORD_WORDS.contains(&segment) {
        return Some(SecretHint::Password);
    }
    if SECRET_WORDS.contains(&segment) {
        return Some(SecretHint::Secret);
    }
    if matches!(segment, "credentials" | "creds" | "login") {
        return Some(SecretHint::Login);
    }
    if segment == "key" {
        if before.is_some_and(|before| SECRET_KEY_QUALIFIERS.contains(before)) {
            return Some(SecretHint::Secret);
        }
        // `OPENAI_KEY` in capitals is a variable; `key` alone is anything.
        return (!is_first && is_variable).then_some(SecretHint::Key);
    }
    if segment == "auth" && !is_first
        || SESSION_COOKIES.contains(&segment)
        || segment == "session" && !is_first && is_variable
        || segment == "sid" && !is_first && before == Some(&"connect")
    {
        return Some(SecretHint::Key);
    }
    if PASS_WORDS.contains(&segment) {
        return None;
    }
    let mut endings = SECRET_ENDINGS.iter();
    let ending = endings.find(|(ending, _)| segment.ends_with(ending));
    ending.map(|(_, hint)| *hint)
}

/// A cheap check that rules out most words.
fn may_hint(name: &str) -> bool {
    const HINTS: [&[u8]; 16] = [
        b"pass",
        b"secr",
        b"toke",
        b"key",
        b"cred",
        b"pw",
        b"auth",
        b"logi",
        b"psk",
        b"pat",
        b"bearer",
        b"sess",
        b"cook",
        b"kennwort",
        b"contras",
        b".sid",
    ];
    let bytes = name.as_bytes();
    let has =
        |hint: &[u8]| bytes.windows(hint.len()).any(|window| window.eq_ignore_ascii_case(hint));
    HINTS.into_iter().any(has)
}

/// Splits a name at everything but letters and digits, and before each capital behind a small
/// letter.
fn split_segments(name: &str, segments: &mut Vec<String>) {
    let mut current = String::new();
    let mut was_lower = false;
    for c in name.chars() {
        let is_cut = !c.is_ascii_alphanumeric() || was_lower && c.is_ascii_uppercase();
        if is_cut && !current.is_empty() {
            segments.push(std::mem::take(&mut current));
        }
        if c.is_ascii_alphanumeric() {
            current.push(c.to_ascii_lowercase());
        }
        was_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
    }
    if !current.is_empty() {
        segments.push(current);
    }
}
