//! The parameters that lists have in common.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

/// How many rows a page has at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit(u32);

impl Limit {
    /// Most rows of a page.
    const MAX: u32 = 1_000;

    /// The number of rows.
    pub(crate) const fn rows(self) -> usize {
        self.0 as usize
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(100)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let rows = u32::deserialize(deserializer)?;
        if !(1..=Self::MAX).contains(&rows) {
            let problem = Unexpected::Unsigned(rows.into());
            return Err(D::Error::invalid_value(problem, &"a number from 1 to 1000"));
        }
        Ok(Self(rows))
    }
}

#[cfg(test)]
mod schema {
    use std::borrow::Cow;

    use utoipa::openapi::RefOr;
    use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
    use utoipa::{PartialSchema, ToSchema};

    use super::*;

    impl PartialSchema for Limit {
        fn schema() -> RefOr<Schema> {
            let number = ObjectBuilder::new()
                .schema_type(SchemaType::new(Type::Integer))
                .minimum(Some(1))
                .maximum(Some(Self::MAX))
                .default(Some(Self::default().0.into()));
            RefOr::T(Schema::Object(number.build()))
        }
    }

    impl ToSchema for Limit {
        fn name() -> Cow<'static, str> {
            Cow::Borrowed("Limit")
        }
    }
}

/// Parses words that are separated by commas.
pub(super) fn parse_words<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    struct Words<T>(PhantomData<T>);

    impl<T: DeserializeOwned> Visitor<'_> for Words<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("words that are separated by commas")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Vec<T>, E> {
            text.split(',').map(|word| T::deserialize(StrDeserializer::new(word))).collect()
        }
    }

    deserializer.deserialize_str(Words(PhantomData))
}

#[cfg(test)]
mod tests {
    use axum::extract::Query;
    use axum::http::Uri;
    use trueup_core::model::ItemStatus;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[serde(default)]
        limit: Limit,
        #[serde(default, deserialize_with = "parse_words")]
        status: Vec<ItemStatus>,
    }

    fn parse(query: &str) -> Option<Sample> {
        let uri: Uri = format!("/x?{query}").parse().unwrap();
        Query::try_from_uri(&uri).ok().map(|Query(sample)| sample)
    }

    #[test]
    fn a_limit_is_a_number_within_its_bounds() {
        for (query, rows) in [
            ("", Some(100)),
            ("limit=1", Some(1)),
            ("limit=1000", Some(1_000)),
            ("limit=0", None),
            ("limit=1001", None),
            ("limit=-1", None),
            ("limit=ten", None),
            ("limit=", None),
            ("limit=1&limit=2", None),
        ] {
            assert_eq!(parse(query).map(|sample| sample.limit.rows()), rows, "{query}");
        }
    }

    #[test]
    fn statuses_are_words_between_commas() {
        use ItemStatus::{Queued, Ready};
        for (query, statuses) in [
            ("", Some(vec![])),
            ("status=ready", Some(vec![Ready])),
            ("status=ready,queued", Some(vec![Ready, Queued])),
            ("status=ready%2Cqueued", Some(vec![Ready, Queued])),
            ("status=", None),
            ("status=ready,", None),
            ("status=almost", None),
            ("state=ready", None),
        ] {
            assert_eq!(parse(query).map(|sample| sample.status), statuses, "{query}");
        }
    }
}
