//! A digest that tells *which* fields of a cache were edited by someone other than trueup.
//!
//! One short hash per mirrored field, joined by dots, after the version of the scheme. An edit of
//! the phase does not make the task look edited, and no copy of the last written values is needed.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher as _;

use siphasher::sip::SipHasher13;

use crate::model::{FieldValue, StateField};
use crate::text::to_hex;

const SCHEME: &str = "f1";

/// Bytes per field. A collision of 32 bits hides one edit in four billion; provoking one only hides
/// the editor's own edit.
const WORD_BYTES: usize = 4;

fn digest_field(field: StateField, value: Option<&FieldValue>) -> String {
    // Not a cryptographic hash: it would cost more than the rest of the comparison, and an editor
    // of the file could only deceive themselves.
    let mut hash = SipHasher13::new();
    hash.write(field.key().as_bytes());
    match value {
        None => hash.write(b"=absent"),
        Some(FieldValue::Flag(flag)) => hash.write(if *flag { b"=flag:t" } else { b"=flag:f" }),
        Some(FieldValue::Text(None)) => hash.write(b"=null"),
        Some(FieldValue::Text(Some(text))) => {
            hash.write(b"=text:");
            hash.write(text.as_bytes());
        }
    }
    to_hex(&hash.finish().to_be_bytes()[..WORD_BYTES])
}

/// Returns the digest of all mirrored fields.
pub(super) fn digest_fields(fields: &BTreeMap<StateField, FieldValue>) -> String {
    let words: Vec<String> =
        StateField::ALL.iter().map(|f| digest_field(*f, fields.get(f))).collect();
    format!("{SCHEME}:{}", words.join("."))
}

/// Returns the fields that differ from the digest. With an unknown scheme every field counts as
/// edited, so that no edit is lost.
pub(super) fn find_edited_fields(
    fields: &BTreeMap<StateField, FieldValue>,
    digest: &str,
) -> BTreeSet<StateField> {
    let words: Option<Vec<&str>> = digest.strip_prefix("f1:").map(|rest| rest.split('.').collect());
    match words.filter(|words| words.len() == StateField::ALL.len()) {
        None => StateField::ALL.into_iter().collect(),
        Some(words) => StateField::ALL
            .into_iter()
            .zip(words)
            .filter(|(field, old)| digest_field(*field, fields.get(field)) != *old)
            .map(|(field, _)| field)
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_names_its_field() {
        let mut fields = BTreeMap::from([
            (StateField::Phase, FieldValue::Text(Some("LEAD".to_owned()))),
            (StateField::IsActive, FieldValue::Flag(true)),
        ]);
        let digest = digest_fields(&fields);
        assert!(find_edited_fields(&fields, &digest).is_empty());
        fields.insert(StateField::Phase, FieldValue::Text(Some("PLAN".to_owned())));
        fields.insert(StateField::Task, FieldValue::Text(None));
        assert_eq!(
            find_edited_fields(&fields, &digest),
            BTreeSet::from([StateField::Phase, StateField::Task])
        );
        assert_eq!(find_edited_fields(&fields, "f9:x").len(), StateField::ALL.len());
        assert_eq!(find_edited_fields(&fields, "").len(), StateField::ALL.len());
    }

    #[test]
    fn a_flag_is_not_its_text() {
        let flag = BTreeMap::from([(StateField::IsActive, FieldValue::Flag(true))]);
        let text =
            BTreeMap::from([(StateField::IsActive, FieldValue::Text(Some("true".to_owned())))]);
        assert_ne!(digest_fields(&flag), digest_fields(&text));
    }
}
