//! Names whose value is a secret: `API_KEY`, `dbPassword`, `client-secret`.

/// What a name promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SecretHint {
    /// A password, which people choose.
    Password,
    /// A secret that a machine made.
    Secret,
    /// A key of some kind; only what looks random is taken for a secret.
    Key,
    /// A name and its password.
    Login,
}

/// Longest name that is looked at.
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

/// What a run-together name may end with.
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

/// Words that end as a password does.
const PASS_WORDS: [&str; 7] = [
    "bypass",
    "compass",
    "encompass",
    "surpass",
    "trespass",
    "overpass",
    "underpass",
];

/// What makes a key a secret one.
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

/// Names of cookies that hold a session; only what looks random is one.
const SESSION_COOKIES: [&str; 5] = [
    "phpsessid",
    "jsessionid",
    "aspsessionid",
    "sessionid",
    "cookie",
];

/// What a name is about instead, when it ends so: `TOKEN_TTL`, `password_hash`.
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

/// What a name is about instead, whatever its value: `public_token`, `hashed_password`.
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

/// What a token or a key is of that is no secret: `page_token`, `cache_key`.
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

/// What such a token is of even when it is no identifier: `page token`. `next token: …` is no term.
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

/// Reads a name; `before` is the word before it, of a name in two words such as `API key`.
pub(super) fn hint_from_name(name: &str, before: Option<&str>) -> Option<SecretHint> {
    if name.len() > MAX_NAME_BYTES || !may_hint(name) {
        return None;
    }
    let mut segments = Vec::with_capacity(6);
    if let Some(before) = before.filter(|before| before.len() <= MAX_NAME_BYTES) {
        split_segments(before, &mut segments);
        // Of another sentence's words only the last belongs to the name.
        let last = segments.pop();
        segments.clear();
        segments.extend(last);
    }
    let own = segments.len();
    split_segments(name, &mut segments);
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    // A number at the end counts copies: `PASSWORD_2`.
    let is_number = |s: &&&str| !s.bytes().all(|b| b.is_ascii_digit());
    let last = segments.iter().skip(own).rfind(is_number)?;
    let named = segments.iter().skip(own);
    if HARMLESS_ENDINGS.contains(last) || named.clone().any(|s| HARMLESS_SEGMENTS.contains(s)) {
        return None;
    }
    // Next to its name such a word says what the value is of, elsewhere only that it may be none:
    // `next_token`, but `next_access_token` and `item password: …`.
    let is_of_none = |(place, segment): (usize, &&str)| {
        let before = place.checked_sub(1).and_then(|at| segments.get(at));
        let set = if place > own {
            &HARMLESS_QUALIFIERS[..]
        } else {
            &HARMLESS_TERMS[..]
        };
        place >= own
            && matches!(*segment, "token" | "key")
            && before.is_some_and(|before| set.contains(before))
    };
    if segments.iter().enumerate().any(is_of_none) {
        return None;
    }
    let is_doubtful = segments
        .iter()
        .any(|s| HARMLESS_QUALIFIERS.contains(s) || HARMLESS_SEGMENTS.contains(s));
    let is_variable = !name.bytes().any(|b| b.is_ascii_lowercase());
    let mut best = None;
    for (place, segment) in named.clone().enumerate() {
        let segment = segment.trim_end_matches(|c: char| c.is_ascii_digit());
        let found = if PASSWORD_WORDS.contains(&segment) {
            Some(SecretHint::Password)
        } else if SECRET_WORDS.contains(&segment) {
            Some(SecretHint::Secret)
        } else if matches!(segment, "credentials" | "creds" | "login") {
            Some(SecretHint::Login)
        } else if segment == "key" {
            let of = (own + place).checked_sub(1).and_then(|at| segments.get(at));
            let is_secret = of.is_some_and(|of| SECRET_KEY_QUALIFIERS.contains(of));
            // `OPENAI_KEY` in capitals is a variable; `key` alone is anything.
            if is_secret {
                Some(SecretHint::Secret)
            } else {
                (place > 0 && is_variable).then_some(SecretHint::Key)
            }
        } else if segment == "auth" && place > 0
            || SESSION_COOKIES.contains(&segment)
            || segment == "session" && place > 0 && is_variable
            || segment == "sid" && segments.get(own + place.wrapping_sub(1)) == Some(&"connect")
        {
            Some(SecretHint::Key)
        } else {
            let is_word = PASS_WORDS.contains(&segment);
            let mut endings = SECRET_ENDINGS.iter().filter(|_| !is_word);
            let ending = endings.find(|(ending, _)| segment.ends_with(ending));
            ending.map(|(_, promise)| *promise)
        };
        best = best.or(found);
    }
    // Only what looks random is one then.
    best.map(|best| match best {
        SecretHint::Password | SecretHint::Secret if is_doubtful => SecretHint::Key,
        _ => best,
    })
}

/// A cheap look that spares most words the reading.
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
    let has = |hint: &[u8]| {
        bytes
            .windows(hint.len())
            .any(|window| window.eq_ignore_ascii_case(hint))
    };
    HINTS.into_iter().any(has)
}

/// Splits a name at everything that is no letter or digit and before each hump of its capitals.
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
