//! Statements as PostgreSQL knows them: by the digest of a text, with their values in one argument.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::NOW;
use super::statement::{Kind, Statement};
use crate::text::to_hex;

/// The time of a request, which `trueup.exchange` sets. A function that looks for it would have to be
/// looked up, read and planned in each connection.
const REQUEST_TIME: &str = "current_setting('trueup.clock', true)";

impl Statement {
    /// The text that a PostgreSQL database runs under this statement's digest. `$1` is the list of
    /// values as JSON, from which each parameter takes its own, with its kind.
    pub fn registered_text(&self) -> String {
        let mut registered = String::new();
        let text = self.postgres().replace(NOW, REQUEST_TIME);
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once('?') {
            let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let (number, after) = after.split_at(digits);
            let place = number.parse::<usize>().unwrap_or_default().saturating_sub(1);
            let cast = match self.params().get(place) {
                Some(Kind::Integer) => "::bigint",
                Some(Kind::Json) => "::jsonb",
                Some(Kind::Text) | None => "",
            };
            registered.push_str(before);
            let _ = write!(registered, "($1->>{place}){cast}");
            rest = after;
        }
        registered + rest
    }

    /// What a request names the statement by: the first 32 digits of the SHA-256 of its registered
    /// text, so that a program and a database whose texts differ do not understand each other.
    pub fn digest(&self) -> String {
        let mut digest = to_hex(&Sha256::digest(self.registered_text().as_bytes()));
        digest.truncate(32);
        digest
    }

    /// Whether it changes something.
    pub fn is_write(&self) -> bool {
        let text = self.postgres().trim_start();
        ["INSERT", "UPDATE", "DELETE"].iter().any(|verb| text.starts_with(verb))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sql::statement::joined;
    use crate::store::sql::statements;

    #[test]
    fn each_parameter_takes_its_value_with_its_kind() {
        static MANY: Statement = Statement::new(
            "many",
            "SELECT ?1, ?2, ?3, ?10",
            &[
                Kind::Text,
                Kind::Integer,
                Kind::Json,
                Kind::Text,
                Kind::Text,
                Kind::Text,
                Kind::Text,
                Kind::Text,
                Kind::Text,
                Kind::Integer,
            ],
        );
        let text = "SELECT ($1->>0), ($1->>1)::bigint, ($1->>2)::jsonb, ($1->>9)::bigint";
        assert_eq!(MANY.registered_text(), text);
        assert_eq!(MANY.digest().len(), 32);
        assert!(!MANY.is_write());
    }

    #[test]
    fn the_time_is_that_of_the_request() {
        static TIMED: Statement = Statement::new("timed", joined!("SELECT ", NOW, " AS t"), &[]);
        let text = "SELECT current_setting('trueup.clock', true) AS t";
        assert_eq!(TIMED.registered_text(), text);
    }

    #[test]
    fn every_statement_declares_as_many_parameters_as_its_texts_have() {
        for statement in statements() {
            let highest = |text: &str| {
                let numbers = text.split('?').skip(1).map(|after| {
                    let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
                    after[..end].parse::<usize>().unwrap()
                });
                numbers.max().unwrap_or(0)
            };
            let name = statement.name();
            assert_eq!(highest(statement.sqlite()), statement.params().len(), "{name}");
            assert!(highest(statement.postgres()) <= statement.params().len(), "{name}");
        }
    }

    #[test]
    fn digests_differ_and_verbs_tell_writes() {
        let mut names = std::collections::BTreeMap::new();
        for statement in statements() {
            let same = names.insert(statement.digest(), statement.name());
            assert_eq!(same, None, "{} has the text of another statement", statement.name());
        }
        for statement in statements() {
            let verb = statement.postgres().split_whitespace().next();
            let is_read = matches!(verb, Some("SELECT" | "WITH"));
            assert_ne!(is_read, statement.is_write(), "{}", statement.name());
        }
    }
}
