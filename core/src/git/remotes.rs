//! Reads the address of a repository's remote from its configuration, without starting git.

use super::Worktree;

/// Largest configuration that is read, in bytes. Each branch adds some lines.
const MAX_CONFIG_BYTES: u64 = 1024 * 1024;

/// The name of the remote that a repository was cloned from.
const ORIGIN: &str = "origin";

impl Worktree {
    /// Returns the address of `origin`, or else of the first remote.
    pub fn remote_address(&self) -> Option<String> {
        let path = self.common_dir.join("config");
        let text = crate::fs::read_text(&path, MAX_CONFIG_BYTES, true).ok()?;
        let remotes = parse_remote_addresses(&text);
        let origin = remotes.iter().find(|(name, _)| name == ORIGIN);
        let (_, address) = origin.or_else(|| remotes.first())?;
        Some(address.clone())
    }
}

impl Worktree {
    /// Returns whether the repository's own configuration sets the ssh command. Checks that only
    /// read must not run it.
    pub fn sets_ssh_command(&self) -> bool {
        let path = self.common_dir.join("config");
        let text = crate::fs::read_text(&path, MAX_CONFIG_BYTES, true).unwrap_or_default();
        config_sets_ssh_command(&text)
    }
}

fn config_sets_ssh_command(text: &str) -> bool {
    let keys = text.lines().filter_map(|line| line.split_once('='));
    let mut keys = keys.map(|(key, _)| key.rsplit(']').next().unwrap_or(key).trim());
    keys.any(|key| key.eq_ignore_ascii_case("sshCommand"))
}

/// Parses the remotes with the first address of each.
fn parse_remote_addresses(text: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut remote = None;
    for line in text.lines() {
        let line = line.trim();
        if let Some(head) = line.strip_prefix('[') {
            remote = parse_remote_name(head);
            continue;
        }
        let Some(name) = &remote else {
            continue;
        };
        let Some((key, value)) = line.split_once('=') else {
            continue;
        };
        if key.trim().eq_ignore_ascii_case("url") && found.iter().all(|(known, _)| known != name) {
            found.push((name.clone(), parse_config_value(value)));
        }
    }
    found
}

/// Parses `remote "NAME"]`.
fn parse_remote_name(head: &str) -> Option<String> {
    let section = head.get(..6)?;
    let rest = head.get(6..)?.trim_start();
    let name = rest.strip_prefix('"')?;
    if !section.eq_ignore_ascii_case("remote") {
        return None;
    }
    let mut text = String::new();
    let mut rest = name.chars();
    loop {
        match rest.next()? {
            '"' => return Some(text),
            '\\' => text.push(rest.next()?),
            other => text.push(other),
        }
    }
}

/// Parses a value: quotes, escapes, and a comment at the end.
fn parse_config_value(value: &str) -> String {
    let mut text = String::new();
    let mut is_quoted = false;
    let mut rest = value.trim().chars();
    while let Some(next) = rest.next() {
        match next {
            '"' => is_quoted = !is_quoted,
            '\\' => text.extend(rest.next()),
            '#' | ';' if !is_quoted => break,
            other => text.push(other),
        }
    }
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ssh_command_of_the_repository_is_seen() {
        for (text, expected) in [
            ("[core]\n\tsshCommand = ssh -i key\n", true),
            ("[core] SSHCOMMAND=x\n", true),
            ("[core]\n\tbare = false\n[remote \"sshCommand\"]\n\turl = x\n", false),
            ("# sshCommand\n", false),
            ("", false),
        ] {
            assert_eq!(config_sets_ssh_command(text), expected, "{text:?}");
        }
    }

    #[test]
    fn remotes_are_read_as_git_reads_them() {
        let text = "[core]\n\turl = no\n[remote \"fork\"] ; theirs\n\turl = \"a b\" # c\n\
                    \tURL = second\n[Remote  \"or\\\"igin\"]\nurl=x\n[remote \"origin\"]\r\n\
                    \tfetch = +refs/heads/*:x\r\n\turl = git@host:a/b.git\r\n\
                    [branch \"main\"]\n\tremote = origin\n[remote \"broken\nurl = z\n";
        let expected = [("fork", "a b"), ("or\"igin", "x"), ("origin", "git@host:a/b.git")];
        let expected = expected.map(|(name, url)| (name.to_owned(), url.to_owned()));
        assert_eq!(parse_remote_addresses(text), expected);
        assert_eq!(parse_remote_addresses(""), []);
    }
}
