//! Names whose value is a secret: `API_KEY`, `dbPassword`, `client-secret`.

/// What a name promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Promise {
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
const LONGEST: usize = 80;

const PASSWORDS: [&str; 11] = [
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

const SECRETS: [&str; 11] = [
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
const ENDINGS: [(&str, Promise); 12] = [
    ("password", Promise::Password),
    ("passwd", Promise::Password),
    ("passphrase", Promise::Password),
    ("pass", Promise::Password),
    ("pwd", Promise::Password),
    ("secret", Promise::Secret),
    ("token", Promise::Secret),
    ("apikey", Promise::Secret),
    ("accesskey", Promise::Secret),
    ("secretkey", Promise::Secret),
    ("privatekey", Promise::Secret),
    ("authkey", Promise::Secret),
];

/// Words that end as a password does.
const NO_PASSWORDS: [&str; 7] = [
    "bypass",
    "compass",
    "encompass",
    "surpass",
    "trespass",
    "overpass",
    "underpass",
];

/// What makes a key a secret one.
const KEY_OF: [&str; 26] = [
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
const SESSIONS: [&str; 5] = [
    "phpsessid",
    "jsessionid",
    "aspsessionid",
    "sessionid",
    "cookie",
];

/// What a name is about instead, when it ends so: `TOKEN_TTL`, `password_hash`.
const NOT_ENDING: [&str; 62] = [
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
const NOT_HOLDING: [&str; 11] = [
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
const NO_SECRETS_OF: [&str; 15] = [
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
const TERMS: [&str; 10] = [
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
pub(super) fn promise(name: &str, before: Option<&str>) -> Option<Promise> {
    if name.len() > LONGEST || !may_promise(name) {
        return None;
    }
    let mut segments = Vec::with_capacity(6);
    if let Some(before) = before.filter(|before| before.len() <= LONGEST) {
        split(before, &mut segments);
        // Of another sentence's words only the last belongs to the name.
        let last = segments.pop();
        segments.clear();
        segments.extend(last);
    }
    let own = segments.len();
    split(name, &mut segments);
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    // A number at the end counts copies: `PASSWORD_2`.
    let is_number = |s: &&&str| !s.bytes().all(|b| b.is_ascii_digit());
    let last = segments.iter().skip(own).rfind(is_number)?;
    let named = segments.iter().skip(own);
    if NOT_ENDING.contains(last) || named.clone().any(|s| NOT_HOLDING.contains(s)) {
        return None;
    }
    // Next to its name such a word says what the value is of, elsewhere only that it may be none:
    // `next_token`, but `next_access_token` and `item password: …`.
    let is_of_none = |(place, segment): (usize, &&str)| {
        let before = place.checked_sub(1).and_then(|at| segments.get(at));
        let set = if place > own {
            &NO_SECRETS_OF[..]
        } else {
            &TERMS[..]
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
        .any(|s| NO_SECRETS_OF.contains(s) || NOT_HOLDING.contains(s));
    let is_variable = !name.bytes().any(|b| b.is_ascii_lowercase());
    let mut best = None;
    for (place, segment) in named.clone().enumerate() {
        let segment = segment.trim_end_matches(|c: char| c.is_ascii_digit());
        let found = if PASSWORDS.contains(&segment) {
            Some(Promise::Password)
        } else if SECRETS.contains(&segment) {
            Some(Promise::Secret)
        } else if matches!(segment, "credentials" | "creds" | "login") {
            Some(Promise::Login)
        } else if segment == "key" {
            let of = (own + place).checked_sub(1).and_then(|at| segments.get(at));
            let is_secret = of.is_some_and(|of| KEY_OF.contains(of));
            // `OPENAI_KEY` in capitals is a variable; `key` alone is anything.
            if is_secret {
                Some(Promise::Secret)
            } else {
                (place > 0 && is_variable).then_some(Promise::Key)
            }
        } else if segment == "auth" && place > 0
            || SESSIONS.contains(&segment)
            || segment == "session" && place > 0 && is_variable
            || segment == "sid" && segments.get(own + place.wrapping_sub(1)) == Some(&"connect")
        {
            Some(Promise::Key)
        } else {
            let is_word = NO_PASSWORDS.contains(&segment);
            let mut endings = ENDINGS.iter().filter(|_| !is_word);
            let ending = endings.find(|(ending, _)| segment.ends_with(ending));
            ending.map(|(_, promise)| *promise)
        };
        best = best.or(found);
    }
    // Only what looks random is one then.
    best.map(|best| match best {
        Promise::Password | Promise::Secret if is_doubtful => Promise::Key,
        _ => best,
    })
}

/// A cheap look that spares most words the reading.
fn may_promise(name: &str) -> bool {
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
fn split(name: &str, segments: &mut Vec<String>) {
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
