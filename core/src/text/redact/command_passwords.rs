//! Shell commands that take a password as an argument.

use std::ops::Range;

use super::placeholders::contains_replacement;
use super::{SecretKind, SecretSpan, classify};

/// Where the password of a flag stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PasswordArgument {
    /// Behind a space, or directly behind the flag.
    Either,
    /// Directly behind the flag; with a space between them the command asks for it.
    Glued,
    /// Behind a space.
    Apart,
}

use PasswordArgument::{Apart, Either, Glued};

/// Commands, the flags with which they take a password, and where it stands.
const PASSWORD_FLAGS: &[(&str, &str, PasswordArgument)] = &[
    ("sshpass", "-p", Either),
    ("mysql", "-p", Glued),
    ("mysqldump", "-p", Glued),
    ("mysqladmin", "-p", Glued),
    ("mariadb", "-p", Glued),
    ("mariadb-dump", "-p", Glued),
    ("redis-cli", "-a", Apart),
    ("mongo", "-p", Apart),
    ("mongosh", "-p", Apart),
    ("mongodump", "-p", Apart),
    ("mongorestore", "-p", Apart),
    ("login", "-p", Apart),
    ("ldapsearch", "-w", Apart),
    ("ldapmodify", "-w", Apart),
    ("ldapadd", "-w", Apart),
    ("ldapwhoami", "-w", Apart),
    ("sqlcmd", "-P", Apart),
    ("bcp", "-P", Apart),
    ("isql", "-P", Apart),
    ("7z", "-p", Glued),
    ("zip", "-P", Apart),
    ("unzip", "-P", Apart),
    ("keytool", "-storepass", Apart),
    ("keytool", "-keypass", Apart),
    ("openssl", "-passin", Apart),
    ("openssl", "-passout", Apart),
    ("openssl", "-pass", Apart),
    ("cqlsh", "-p", Apart),
    ("influx", "-p", Apart),
    ("ipmitool", "-P", Apart),
    ("evil-winrm", "-p", Apart),
    ("clickhouse-client", "--password", Apart),
    ("crackmapexec", "-p", Apart),
    ("smbmap", "-p", Apart),
    ("htpasswd", "-b", Apart),
    ("lftp", "-u", Apart),
    ("smbclient", "-U", Either),
    ("rpcclient", "-U", Either),
    ("smbget", "-U", Either),
];

/// How many bytes of a command line are searched.
const MAX_COMMAND_BYTES: usize = 400;

/// Finds the passwords in a command line if the word is the name of a command. `scanned_to` keeps
/// the line from being searched again for each of its words.
pub(super) fn find_command_passwords(
    text: &str,
    word: Range<usize>,
    scanned_to: &mut usize,
    spans: &mut Vec<SecretSpan>,
) {
    if word.start < *scanned_to {
        return;
    }
    let name = text.get(word.clone()).unwrap_or_default();
    if matches!(name, "echo" | "printf") {
        spans.extend(find_piped_password(text, word.end));
        return;
    }
    if !PASSWORD_FLAGS.iter().any(|(command, ..)| *command == name) {
        return;
    }
    let rest = text.get(word.end..).unwrap_or_default();
    let rest = rest.get(..rest.floor_char_boundary(MAX_COMMAND_BYTES)).unwrap_or_default();
    // A backslash at its end continues the line.
    let is_end = |(at, _): &(usize, &str)| {
        let before = rest.get(..*at).unwrap_or_default();
        !before.trim_end_matches('\r').ends_with('\\')
    };
    let mut ends = rest.match_indices(['\n', '|', ';', '&']);
    let line = ends.find(is_end).and_then(|(end, _)| rest.get(..end)).unwrap_or(rest);
    *scanned_to = word.end + line.len();
    let mut flagged: Option<&str> = None;
    let mut at = word.end;
    for part in line.split([' ', '\t', '\n']) {
        let start = at;
        at += part.len() + 1;
        if matches!(part, "" | "\\" | "\\\r") {
            continue;
        }
        let takes = |flag: &str, how: PasswordArgument| {
            PASSWORD_FLAGS.iter().any(|(command, own, takes)| {
                *command == name && *own == flag && (*takes == how || *takes == Either)
            })
        };
        let value = if flagged.take().is_some_and(|flag| takes(flag, Apart)) {
            Some((start, part))
        } else {
            let flags = PASSWORD_FLAGS.iter().filter(|(command, ..)| *command == name);
            let glued = flags.filter(|(.., takes)| *takes != Apart).find_map(|(_, flag, _)| {
                let value = part.strip_prefix(flag)?;
                (!value.is_empty()).then_some((start + flag.len(), value))
            });
            flagged = Some(part);
            glued
        };
        if let Some((start, value)) = value {
            // `user%password`
            let skipped = if name.starts_with("smb") || name == "rpcclient" {
                value.find('%').map(|at| at + 1)
            } else {
                Some(0)
            };
            let value = skipped.and_then(|skipped| Some((skipped, value.get(skipped..)?)));
            spans.extend(
                value.and_then(|(skipped, value)| password_span(text, start + skipped, value)),
            );
        }
    }
}

/// Finds the password in `echo "user:…" | chpasswd` and `echo '…' | sudo -S …`.
fn find_piped_password(text: &str, end: usize) -> Option<SecretSpan> {
    let rest = text.get(end..)?;
    let rest = rest.get(..rest.floor_char_boundary(MAX_COMMAND_BYTES))?;
    let line = rest.split('\n').next()?;
    let (said, reader) = line.split_once('|')?;
    let (mut is_login, mut is_sudo, mut is_read) = (false, false, false);
    for word in reader.split([' ', '\t']) {
        match word {
            "chpasswd" => is_login = true,
            "sudo" => is_sudo = true,
            "-S" => is_read |= is_sudo,
            "--stdin" | "--password-stdin" | "--passphrase-fd" => is_read = true,
            _ => {}
        }
    }
    if !(is_login || is_read) {
        return None;
    }
    // Skips flags, and the format of `printf`.
    let mut word = said.split_ascii_whitespace().find(|word| {
        let bare = word.trim_matches(['"', '\'']);
        !(bare.starts_with('-') || bare.starts_with('%') && bare.len() <= 4)
    })?;
    if is_login {
        word = word.split_once(':')?.1;
    }
    let start = end + (word.as_ptr() as usize - rest.as_ptr() as usize);
    password_span(text, start, word)
}

fn password_span(text: &str, start: usize, value: &str) -> Option<SecretSpan> {
    // `-passin pass:…` holds the password; other prefixes name a file or a variable.
    let (start, value) = match value.strip_prefix("pass:") {
        Some(value) => (start + 5, value),
        None => (start, value),
    };
    let inner = value.trim_start_matches(['"', '\'', '`']);
    let start = start + value.len() - inner.len();
    let value = inner.trim_end_matches(['"', '\'', '`', ',', '.', ')']);
    let range = start..start + value.len();
    let is_password = classify::is_given_password(value) && !contains_replacement(text, &range);
    is_password.then_some(SecretSpan { range, kind: SecretKind::Password })
}
