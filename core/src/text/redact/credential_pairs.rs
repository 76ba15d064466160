//! A user name and its password in one: `admin / Winter2026!`, `curl -u admin:…`.

use std::ops::Range;

use super::placeholders::contains_replacement;
use super::secret_names::SecretHint;
use super::{SecretKind, SecretSpan, assigned_value, classify};

/// How many bytes of a login are read.
const MAX_LOGIN_BYTES: usize = 120;

/// How many bytes before a flag are searched for the name of the program.
const MAX_COMMAND_BYTES: usize = 400;

/// What makes it likely that a password follows the user name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PasswordEvidence {
    /// The program takes nothing else there.
    Given,
    /// Only the look of the value.
    Judged,
}

/// Finds the login behind `-u` of `curl`, directly behind the flag or in quotes. Behind the same
/// flag of another program the password has to look like one.
pub(super) fn find_flagged_login(text: &str, word: &Range<usize>) -> Option<SecretSpan> {
    let word_text = text.get(word.clone())?;
    let next = text.as_bytes().get(word.end).copied()?;
    let is_flag = matches!(word_text, "-u" | "-U" | "--user" | "--proxy-user");
    if is_flag && matches!(next, b' ' | b'=' | b'\t') {
        let evidence = if is_of_curl(text, word.start) {
            PasswordEvidence::Given
        } else {
            PasswordEvidence::Judged
        };
        return read_login(text, assigned_value::skip_blanks(text, word.end + 1), evidence);
    }
    let is_glued = word_text.starts_with("-u") && (is_flag || next == b':');
    (is_glued && is_of_curl(text, word.start))
        .then(|| read_login(text, word.start + 2, PasswordEvidence::Given))?
}

/// Finds the login that the name of credentials is assigned.
pub(super) fn find_assigned_login(text: &str, start: usize) -> Option<SecretSpan> {
    read_login(text, start, PasswordEvidence::Judged)
}

/// Returns whether the command line before this offset, which may begin some lines above, is one of
/// `curl`.
fn is_of_curl(text: &str, at: usize) -> bool {
    let from = text.floor_char_boundary(at.saturating_sub(MAX_COMMAND_BYTES));
    let before = text.get(from..at).unwrap_or_default();
    let mut lines = before.rsplit('\n');
    let has_curl = |line: &str| {
        let mut words = line.split(|c: char| !c.is_ascii_alphanumeric());
        words.any(|word| word == "curl")
    };
    lines.next().is_some_and(has_curl)
        || lines.take_while(|line| line.trim_end_matches('\r').ends_with('\\')).any(has_curl)
}

fn read_login(text: &str, start: usize, evidence: PasswordEvidence) -> Option<SecretSpan> {
    let rest = text.get(start..)?;
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''));
    let start = start + usize::from(quote.is_some());
    let rest = text.get(start..)?;
    let looked_at = rest.floor_char_boundary(MAX_LOGIN_BYTES);
    let line = rest.get(..looked_at)?;
    let line = match quote {
        Some(quote) => line.split([quote, '\n']).next()?,
        None => line.split(['\n', '`', '"', '\'', ',', '|']).next()?,
    };
    let (user, password) = line.split_once(" / ").or_else(|| line.split_once(':'))?;
    let from = start + (line.len() - password.len());
    let is_whole = quote.is_some() && evidence == PasswordEvidence::Given;
    let word = if is_whole { password } else { password.split_whitespace().next()? };
    let from = from + text.get(from..)?.find(word)?;
    let end = from + word.len();
    let password = if is_whole { word } else { word.trim_end_matches(['.', ',', ')', ';']) };
    // Other characters before the colon may belong to a name with a secret of its own.
    let is_user = |c: char| c.is_alphanumeric() || "._-@+/\\*".contains(c);
    let is_login = user.trim().chars().all(is_user)
        && !contains_replacement(text, &(start..end))
        && match evidence {
            PasswordEvidence::Given => classify::is_given_password(password),
            PasswordEvidence::Judged => {
                classify::is_secret(password, SecretHint::Login, classify::ValueContext::Prose)
            }
        };
    let end = if end == start + looked_at {
        // The value is longer than what is read: the rest of it goes with it.
        assigned_value::unquoted_end(text, end)
    } else {
        from + password.len()
    };
    is_login.then_some(SecretSpan { range: from..end, kind: SecretKind::Password })
}
