//! URLs that give access to anyone who knows them: `scheme://user:PASSWORD@host`, and webhooks.

use std::ops::Range;

use super::secret_names::SecretHint;
use super::{SecretKind, SecretSpan, classify, placeholders};

/// How many bytes behind `://` are searched for the end of a password.
const MAX_USERINFO_BYTES: usize = 512;

/// The shortest password: documentation writes `u:p@h`.
const MIN_PASSWORD_BYTES: usize = 3;

/// The shortest token in the place of a user name.
const MIN_TOKEN_BYTES: usize = 16;

/// Hosts and paths of webhooks, and the least number of secret characters behind them.
const WEBHOOK_PATHS: [(&str, usize); 11] = [
    ("hooks.slack.com/services/", 20),
    ("hooks.slack.com/workflows/", 20),
    ("discord.com/api/webhooks/", 50),
    ("discordapp.com/api/webhooks/", 50),
    ("discord.com/api/v9/webhooks/", 50),
    ("discord.com/api/v10/webhooks/", 50),
    ("hooks.slack.com/triggers/", 20),
    ("webhook.office.com/webhookb2/", 60),
    ("outlook.office.com/webhook/", 60),
    ("hooks.zapier.com/hooks/catch/", 12),
    ("hook.eu1.make.com/", 24),
];

/// Hosts with an API key as the last part of the path, and the least length of the key.
const KEYED_HOSTS: [(&str, usize); 4] = [
    ("infura.io/v3/", 32),
    ("infura.io/ws/v3/", 32),
    ("alchemy.com/v2/", 21),
    ("alchemyapi.io/v2/", 21),
];

/// Finds webhooks, keys in paths, and passwords in URLs.
pub(super) fn find_url_secrets(text: &str, spans: &mut Vec<SecretSpan>) {
    let hooks = if text.contains("hook") { &WEBHOOK_PATHS[..] } else { &[] };
    let keyed = if text.contains("/v") { &KEYED_HOSTS[..] } else { &[] };
    let hooks = hooks.iter().map(|hook| (hook, SecretKind::Webhook));
    let keyed = keyed.iter().map(|host| (host, SecretKind::Service));
    for ((hook, fewest), kind) in hooks.chain(keyed) {
        for (at, _) in text.match_indices(*hook) {
            let start = at + hook.len();
            let rest = text.get(start..).unwrap_or_default();
            let is_path = |byte: &u8| byte.is_ascii_alphanumeric() || b"/_-@".contains(byte);
            let length = rest.bytes().take_while(is_path).count();
            let path = rest.get(..length).unwrap_or_default();
            if length >= *fewest && !placeholders::is_elided(path) {
                spans.push(SecretSpan { range: start..start + length, kind });
            }
        }
    }
    for (colon, mark) in text.match_indices("://") {
        if let Some(range) = find_url_password(text, colon, colon + mark.len()) {
            spans.push(SecretSpan { range, kind: SecretKind::Password });
        }
    }
}

/// Returns the password in the URL whose scheme ends at `colon`.
fn find_url_password(text: &str, colon: usize, start: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let is_scheme = colon
        .checked_sub(1)
        .and_then(|last| bytes.get(last))
        .is_some_and(u8::is_ascii_alphanumeric);
    let rest = bytes.get(start..)?;
    let ends = |byte: &u8| byte.is_ascii_whitespace() || b"\"'`<>|".contains(byte);
    let length = rest.iter().take(MAX_USERINFO_BYTES).take_while(|b| !ends(b)).count();
    let token = rest.get(..length)?;
    let user = token.iter().position(|byte| b":@/?#[".contains(byte))?;
    if is_scheme && token.get(user) == Some(&b'@') {
        // `https://TOKEN@host`: a token in the place of a user name.
        let range = start..start + user;
        let value = text.get(range.clone())?;
        let is_token = value.len() >= MIN_TOKEN_BYTES
            && classify::is_secret(value, SecretHint::Key, classify::ValueContext::Code);
        return is_token.then_some(range);
    }
    if !is_scheme || token.get(user) != Some(&b':') {
        return None;
    }
    let behind = token.get(user + 1..)?;
    let first = behind.iter().position(|byte| *byte == b'@')?;
    // `host:8080/@scope` has a port and a path, no password.
    let digits = behind.iter().take_while(|b| b.is_ascii_digit()).count();
    let is_port = behind.get(digits).is_some_and(|byte| b"/?#".contains(byte));
    let host = behind.get(first + 1..)?;
    let authority = host.iter().position(|byte| b"/?#".contains(byte));
    let authority = host.get(..authority.unwrap_or(host.len()))?;
    let more = authority.iter().rposition(|byte| *byte == b'@');
    let length = more.map_or(first, |more| first + 1 + more);
    let from = start + user + 1;
    let value = text.get(from..from + length)?;
    let is_web = text.get(..colon)?.ends_with("http") || text.get(..colon)?.ends_with("https");
    let is_path = is_web && value.contains('/');
    // `user:password@host` is documentation.
    let is_word =
        ["password", "passwd", "pass"].iter().any(|word| value.eq_ignore_ascii_case(word));
    let is_none = value.len() < MIN_PASSWORD_BYTES
        || is_port
        || is_path
        || placeholders::is_elided(value)
        || is_word;
    (!is_none).then_some(from..from + length)
}
