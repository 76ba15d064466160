//! A digest that tells *which* fields were edited by something else.
//!
//! One short word per mirrored field, joined by dots, behind the version of the scheme. So an
//! edit of the phase does not make the task look edited, and no base copy has to be kept.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher as _;

use siphasher::sip::SipHasher13;

use crate::hex::hex;
use crate::model::{Field, Value};

const SCHEME: &str = "f1";

/// Bytes of a field's word. An accidental match of 32 bits hides one edit in four thousand
/// million; a deliberate one hides the editor's own edit from himself.
const WORD_BYTES: usize = 4;

fn word(field: Field, value: Option<&Value>) -> String {
    // A cryptographic hash would cost more than the rest of the comparison, and there is
    // nobody to deceive but the editor of the file himself.
    let mut hash = SipHasher13::new();
    hash.write(field.key().as_bytes());
    match value {
        None => hash.write(b"=absent"),
        Some(Value::Flag(flag)) => hash.write(if *flag { b"=flag:t" } else { b"=flag:f" }),
        Some(Value::Text(None)) => hash.write(b"=null"),
        Some(Value::Text(Some(text))) => {
            hash.write(b"=text:");
            hash.write(text.as_bytes());
        }
    }
    hex(&hash.finish().to_be_bytes()[..WORD_BYTES])
}

/// Returns the digest of the fields.
pub(super) fn of(fields: &BTreeMap<Field, Value>) -> String {
    let words: Vec<String> = Field::ALL.iter().map(|f| word(*f, fields.get(f))).collect();
    format!("{SCHEME}:{}", words.join("."))
}

/// Returns the fields that differ from the digest. A digest of an unknown scheme, or none,
/// says nothing: then every field counts as edited, so that nothing is lost silently.
pub(super) fn edited(fields: &BTreeMap<Field, Value>, digest: &str) -> BTreeSet<Field> {
    let words: Option<Vec<&str>> = digest
        .strip_prefix("f1:")
        .map(|rest| rest.split('.').collect());
    match words.filter(|words| words.len() == Field::ALL.len()) {
        None => Field::ALL.into_iter().collect(),
        Some(words) => Field::ALL
            .into_iter()
            .zip(words)
            .filter(|(field, old)| word(*field, fields.get(field)) != *old)
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
            (Field::Phase, Value::Text(Some("LEAD".to_owned()))),
            (Field::IsActive, Value::Flag(true)),
        ]);
        let digest = of(&fields);
        assert!(edited(&fields, &digest).is_empty());
        fields.insert(Field::Phase, Value::Text(Some("PLAN".to_owned())));
        fields.insert(Field::Task, Value::Text(None));
        assert_eq!(
            edited(&fields, &digest),
            BTreeSet::from([Field::Phase, Field::Task])
        );
        assert_eq!(edited(&fields, "f9:x").len(), Field::ALL.len());
        assert_eq!(edited(&fields, "").len(), Field::ALL.len());
    }

    #[test]
    fn a_flag_is_not_its_text() {
        let flag = BTreeMap::from([(Field::IsActive, Value::Flag(true))]);
        let text = BTreeMap::from([(Field::IsActive, Value::Text(Some("true".to_owned())))]);
        assert_ne!(of(&flag), of(&text));
    }
}
