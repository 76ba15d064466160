//! Ids of checkboxes: recognizing them, and generating them for lines that have none.

use sha2::{Digest as _, Sha256};

use super::{ParsedPlan, TextEdit};
use crate::model::PlanTaskId;
use crate::text::to_hex;

/// Technical terms that look like an id of capitals and a number.
const TERMS_LIKE_IDS: [&str; 20] = [
    "UTF", "SHA", "ISO", "RFC", "CVE", "AES", "RSA", "MD", "IEEE", "HTTP", "TLS", "SSL", "PEP",
    "WCAG", "GPT", "CRC", "ECMA", "ANSI", "DIN", "ES",
];

/// How many digits of the digest are in a generated id.
const GENERATED_DIGITS: usize = 8;

/// Returns whether the first word of a line is the id of a task: numbers with dots, which may end in
/// a word (`1.2`, `3.2.A`), a word of capitals with a number (`VERIFY-1`), or `T001`.
pub(super) fn is_id_word(word: &str) -> bool {
    is_numbered(word) || is_labelled(word) || is_t_number(word)
}

fn is_numbered(word: &str) -> bool {
    let parts: Vec<&str> = word.split('.').collect();
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let is_word = |part: &str| {
        part.len() <= 8 && !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    match parts.split_last() {
        Some((last, first)) => {
            let ends_well = is_number(last) || is_word(last);
            !first.is_empty() && first.iter().all(is_number) && ends_well
        }
        None => false,
    }
}

fn is_labelled(word: &str) -> bool {
    let Some((label, number)) = word.rsplit_once('-') else {
        return false;
    };
    let capitals = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_uppercase())
            && part.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
    };
    let digits = number.trim_end_matches(|c: char| c.is_ascii_uppercase());
    let is_number = !digits.is_empty()
        && number.len() - digits.len() <= 1
        && digits.bytes().all(|b| b.is_ascii_digit());
    let first = label.split('-').next().unwrap_or(label);
    is_number
        && label.split('-').all(capitals_or_digits(&capitals))
        && !TERMS_LIKE_IDS.contains(&first)
}

/// The parts of a label behind the first may be numbers, as in `SD-2026-1`.
fn capitals_or_digits(capitals: &impl Fn(&str) -> bool) -> impl Fn(&str) -> bool {
    move |part| capitals(part) || !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit())
}

fn is_t_number(word: &str) -> bool {
    let digits = word.strip_prefix('T').unwrap_or_default();
    digits.len() >= 2 && digits.bytes().all(|b| b.is_ascii_digit())
}

/// Generates the id of a checkbox from its heading, parent and title, so that lines above and below
/// do not change it. `number` tells equal titles apart.
pub(super) fn generate_id(
    heading: &str,
    parent: Option<&PlanTaskId>,
    title: &str,
    number: usize,
) -> PlanTaskId {
    let mut digest = Sha256::new();
    let parent = parent.map_or("", PlanTaskId::as_str);
    for part in [heading, parent, title, &number.to_string()] {
        digest.update(part.as_bytes());
        digest.update([0]);
    }
    let digits: String = to_hex(&digest.finalize()).chars().take(GENERATED_DIGITS).collect();
    PlanTaskId::from_text(&format!("t-{digits}"))
}

/// Splits the comment with an id off the end of a line: `title <!-- id: t-0a1b2c3d -->`.
pub(super) fn split_id_comment(line: &str) -> (&str, Option<PlanTaskId>) {
    let found = line.trim_end().strip_suffix("-->").and_then(|rest| {
        let (before, comment) = rest.rsplit_once("<!--")?;
        let id = comment.trim().strip_prefix("id:")?.trim().parse().ok()?;
        Some((before.trim_end(), Some(id)))
    });
    found.unwrap_or((line, None))
}

/// Returns the ids that the file does not have yet, with their lines.
pub fn missing_ids(file: &ParsedPlan) -> impl Iterator<Item = (&PlanTaskId, usize)> {
    let lacking = file.tasks.iter().filter(|task| task.id_insert_at.is_some());
    lacking.map(|task| (&task.task.id, task.line))
}

/// Returns the edits that insert the missing ids.
pub fn id_edits(file: &ParsedPlan) -> Vec<TextEdit> {
    let tasks = file.tasks.iter();
    let edit = |at: usize, id: &PlanTaskId| TextEdit {
        range: at..at,
        replacement: format!(" <!-- id: {id} -->"),
    };
    tasks.filter_map(|task| Some(edit(task.id_insert_at?, &task.task.id))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_distinguished_from_names() {
        for id in [
            "1.2",
            "1.2.3",
            "1.2.3.4",
            "3.2.A",
            "0.1",
            "1.202611290015",
            "VERIFY-1",
            "SD-002B",
            "SD-LEO-12",
            "T001",
        ] {
            assert!(is_id_word(id), "{id}");
        }
        for name in [
            "1",
            "word",
            "Setup",
            "UTF-8",
            "SHA-256",
            "CVE-2026-1234",
            "e.g",
            "1..2",
            "v1.2",
            "S3",
            "T1",
            "ABC",
            "-1",
            "",
            "1.",
            "well-known",
        ] {
            assert!(!is_id_word(name), "{name}");
        }
    }

    #[test]
    fn what_is_made_hangs_on_what_it_is_about() {
        let id = generate_id("Phase 1", None, "do it", 0);
        assert_eq!(id, generate_id("Phase 1", None, "do it", 0));
        for other in [
            generate_id("Phase 2", None, "do it", 0),
            generate_id("Phase 1", Some(&id), "do it", 0),
            generate_id("Phase 1", None, "do that", 0),
            generate_id("Phase 1", None, "do it", 1),
        ] {
            assert_ne!(id, other);
        }
    }

    #[test]
    fn an_id_that_was_written_in_is_read() {
        let (line, id) = split_id_comment("- [ ] do it <!-- id: t-0a1b -->  ");
        assert_eq!((line, id.unwrap().as_str()), ("- [ ] do it", "t-0a1b"));
        for other in ["- [ ] a <!-- note -->", "- [ ] a", "- [ ] a <!-- id: -->"] {
            assert_eq!(split_id_comment(other), (other, None));
        }
    }
}
