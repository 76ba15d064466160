//! The ids of rows that have no key of the domain.

use serde::Serialize;

/// The id of a row: 1 to 200 letters, digits and `.`, `_`, `:`, `#`, `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub(super) struct RowId(String);

impl RowId {
    /// Makes an id of a text that is known to be one.
    pub(super) const fn new(text: String) -> Self {
        Self(text)
    }

    /// The id as text.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod schema {
    use std::borrow::Cow;

    use utoipa::openapi::RefOr;
    use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
    use utoipa::{PartialSchema, ToSchema};

    use super::*;

    /// Longest id, in characters.
    const MAX_CHARS: usize = 200;

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
}
