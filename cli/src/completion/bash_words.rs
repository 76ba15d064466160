//! The words of bash, which also separates at `:` and `=`, and replaces only what follows the last
//! of these.

use std::ffi::{OsStr, OsString};
use std::path::Path;

/// Answers bash: candidates separated as its script asks, without what bash keeps.
pub(super) fn render_answer(
    command: &mut clap::Command,
    words: Vec<OsString>,
    current_dir: Option<&Path>,
) -> Option<Vec<u8>> {
    let index = std::env::var("_CLAP_COMPLETE_INDEX").ok()?.parse().ok()?;
    let separator = std::env::var("_CLAP_IFS").unwrap_or_else(|_| "\u{b}".to_owned());
    let (words, index, kept) = join_words(words, index);
    let candidates = clap_complete::engine::complete(command, words, index, current_dir).ok()?;
    let values = candidates.iter().filter_map(|candidate| candidate.get_value().to_str());
    let values: Vec<&str> = values.filter_map(|value| value.strip_prefix(&*kept)).collect();
    Some(values.join(&separator).into_bytes())
}

/// Joins the words that bash separated at `:`, and returns the index of the word to complete, and
/// what bash keeps of it.
fn join_words(words: Vec<OsString>, index: usize) -> (Vec<OsString>, usize, String) {
    let mut joined: Vec<OsString> = Vec::new();
    let (mut joined_index, mut kept) = (index, String::new());
    let mut is_after_colon = false;
    for (at, word) in words.into_iter().enumerate() {
        let is_colon = word == OsStr::new(":");
        match joined.last_mut() {
            Some(last) if at > 1 && (is_colon || is_after_colon) => {
                if at == index && !is_colon {
                    kept = last.to_string_lossy().into_owned();
                }
                last.push(word);
                if is_colon && at == index {
                    kept = last.to_string_lossy().into_owned();
                }
            }
            _ => joined.push(word),
        }
        if at == index {
            joined_index = joined.len().saturating_sub(1);
        }
        is_after_colon = is_colon;
    }
    (joined, joined_index, kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join(line: &str, index: usize) -> (String, usize, String) {
        let words = line.split('|').map(OsString::from).collect();
        let (words, index, kept) = join_words(words, index);
        let words: Vec<String> =
            words.into_iter().map(|word| word.into_string().unwrap()).collect();
        (words.join("|"), index, kept)
    }

    #[test]
    fn words_that_bash_separates_at_colons_are_one() {
        for (line, index, joined, joined_index, kept) in [
            ("trueup|queue|start|SD-1", 3, "trueup|queue|start|SD-1", 3, ""),
            ("trueup|queue|start|SD-1|:", 4, "trueup|queue|start|SD-1:", 3, "SD-1:"),
            ("trueup|queue|start|SD-1|:|", 5, "trueup|queue|start|SD-1:", 3, "SD-1:"),
            ("trueup|queue|start|SD-1|:|2", 5, "trueup|queue|start|SD-1:2", 3, "SD-1:"),
            ("trueup|queue|start|a|:|2|--s", 6, "trueup|queue|start|a:2|--s", 4, ""),
        ] {
            let expected = (joined.to_owned(), joined_index, kept.to_owned());
            assert_eq!(join(line, index), expected, "{line}");
        }
    }
}
