//! The ids of rows that have no key of the domain.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

/// The id of a row: 1 to 200 letters, digits and `.`, `_`, `:`, `#`, `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub(super) struct RowId(String);

/// Longest id, in characters.
const MAX_CHARS: usize = 200;

impl RowId {
    /// Makes an id of a text that is known to be one.
    pub(super) const fn new(text: String) -> Self {
        Self(text)
    }
}

impl FromStr for RowId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._:#-".contains(&byte);
        let is_id = (1..=MAX_CHARS).contains(&text.len()) && text.bytes().all(is_plain);
        is_id.then(|| Self(text.to_owned())).ok_or(())
    }
}

impl fmt::Display for RowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialSchema for RowId {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new()
            .schema_type(SchemaType::new(Type::String))
            .pattern(Some(format!("^[A-Za-z0-9._:#\\-]{{1,{MAX_CHARS}}}$")));
        RefOr::T(Schema::Object(text.build()))
    }
}

impl ToSchema for RowId {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("RowId")
    }
}
