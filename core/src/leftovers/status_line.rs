//! The status line in a settings file of the client.

use std::ops::Range;
use std::path::Path;

use serde_json::Value;

use super::Removal;
use crate::fs::{ChangeError, WriteOutcome, read_bytes, replace_if_unchanged};
use crate::json_spans::{byte_offset, list_members};

/// Largest settings file read, in bytes.
const MAX_SETTINGS_BYTES: u64 = 4 * 1024 * 1024;

/// The key of the status line.
const KEY: &str = "statusLine";

pub(super) fn is_left(path: &Path) -> bool {
    read_settings(path).is_ok_and(|text| find_status_line(&text).is_some())
}

/// Removes it. A settings file that is kept elsewhere, behind a link, is changed there.
pub(super) fn remove_status_line(path: &Path) -> Result<Option<Removal>, ChangeError> {
    let failed = |source| ChangeError::Io { path: path.to_owned(), source };
    let target = path.canonicalize().map_err(failed)?;
    let old = read_settings(path).map_err(failed)?;
    let Some(span) = find_status_line(&old) else {
        return Ok(Some(Removal::Kept("it was changed meanwhile".to_owned())));
    };
    let mut new = old.clone();
    new.replace_range(span, "");
    let written =
        replace_if_unchanged(&target, new.as_bytes(), Some(old.as_bytes()), MAX_SETTINGS_BYTES)?;
    Ok((written != WriteOutcome::ChangedMeanwhile).then_some(Removal::Removed))
}

fn read_settings(path: &Path) -> std::io::Result<String> {
    let bytes = read_bytes(path, MAX_SETTINGS_BYTES, true)?;
    String::from_utf8(bytes).map_err(std::io::Error::other)
}

/// Finds the member to cut out of an object, with one comma, where it runs `trueup statusline` and
/// nothing else.
fn find_status_line(text: &str) -> Option<Range<usize>> {
    let object = text.strip_prefix('\u{feff}').unwrap_or(text);
    let members = list_members(object).ok()?;
    let (_, value) = members.iter().find(|(key, _)| key == KEY)?;
    let parsed: Value = serde_json::from_str(value.get()).ok()?;
    runs_trueup(parsed.get("command")?.as_str()?).then_some(())?;
    let start = byte_offset(text, value.get());
    find_member_span(text, start..start + value.get().len())
}

/// Tells whether a command is `trueup statusline`, wherever the program is.
fn runs_trueup(command: &str) -> bool {
    let mut words = command.split_whitespace().map(|word| word.trim_matches(['"', '\'']));
    let is_program = |word: &str| Path::new(word).file_name().is_some_and(|name| name == "trueup");
    words.next().is_some_and(is_program)
        && words.next() == Some("statusline")
        && words.all(|word| !word.contains(['|', '&', ';', '>', '<', '$', '`']))
}

/// Returns the bytes of a member: with the comma and the space up to the next one, or with the comma
/// before it where it is the last.
fn find_member_span(text: &str, value: Range<usize>) -> Option<Range<usize>> {
    let before = text.get(..value.start)?.trim_end().strip_suffix(':')?.trim_end();
    let key = before.strip_suffix('"')?;
    let key_start = key.rfind('"')?;
    let rest = text.get(value.end..)?;
    if let Some(next) = rest.trim_start().strip_prefix(',') {
        let end = text.len() - next.trim_start().len();
        return Some(key_start..end);
    }
    let previous = text.get(..key_start)?.trim_end();
    Some(previous.strip_suffix(',').unwrap_or(previous).len()..value.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Option<String> {
        let mut cut = text.to_owned();
        cut.replace_range(find_status_line(text)?, "");
        Some(cut)
    }

    const LINE: &str = r#""statusLine": {"type": "command", "command": "trueup statusline"}"#;

    #[test]
    fn every_other_byte_stays() {
        for (before, after) in [
            ("{\n  LINE\n}\n", "{\n}\n"),
            ("{\n  LINE,\n  \"a\": 1\n}\n", "{\n  \"a\": 1\n}\n"),
            ("{\n  \"a\": 1,\n  LINE\n}\n", "{\n  \"a\": 1\n}\n"),
            ("{\"a\":1 , LINE , \"b\":2}", "{\"a\":1 , \"b\":2}"),
            ("\u{feff}{LINE}", "\u{feff}{}"),
            ("{\r\n\t\"a\": {LINE},\r\n\tLINE\r\n}", "{\r\n\t\"a\": {LINE}\r\n}"),
        ] {
            let fill = |text: &str| text.replace("LINE", LINE);
            assert_eq!(cut(&fill(before)), Some(fill(after)), "{before}");
        }
    }

    #[test]
    fn a_status_line_of_another_program_is_no_leftover() {
        for text in [
            "{}",
            "[]",
            "{\"statusLine\": null}",
            r#"{"statusLine": {"type": "command", "command": "ccstatus"}}"#,
            r#"{"statusLine": {"type": "command", "command": "my.sh; trueup statusline"}}"#,
            r#"{"statusLine": {"type": "command", "command": "trueup statusline | lolcat"}}"#,
            r#"{"statusLine": {"type": "command", "command": "trueup status"}}"#,
            r#"{"nested": {"statusLine": {"command": "trueup statusline"}}}"#,
        ] {
            assert_eq!(cut(text), None, "{text}");
        }
        for command in ["/home/u/.local/bin/trueup statusline", "'/a b/trueup' statusline"] {
            // A quoted path with a space is not understood, so it is left alone.
            assert_eq!(runs_trueup(command), !command.contains("a b"), "{command}");
        }
    }
}
