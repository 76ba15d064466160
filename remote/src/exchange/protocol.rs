//! Requests to the function `trueup.exchange` and its answers, as JSON.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use serde_json::value::RawValue;
use trueup_core::store::{Result, StoreError};

use super::rows::Fetched;

/// The version of the protocol.
const PROTOCOL: u32 = 1;

/// What the database does with the steps of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Mode {
    /// Runs reads, which all see one moment.
    Read,
    /// Runs everything, answers, and undoes it.
    Try,
    /// Takes its turn among all writers, and commits everything or nothing.
    Commit,
}

/// A statement by its digest, with the values of its parameters.
#[derive(Debug, Serialize)]
pub(super) struct RequestStep<'a> {
    #[serde(rename = "s")]
    pub(super) digest: &'a str,
    #[serde(rename = "a")]
    pub(super) args: &'a [Json],
    /// The digest of the rows that a read must return.
    #[serde(rename = "d", skip_serializing_if = "Option::is_none")]
    pub(super) seen: Option<&'a str>,
    /// How many rows a write must change.
    #[serde(rename = "n", skip_serializing_if = "Option::is_none")]
    pub(super) expected: Option<u64>,
}

/// One request.
#[derive(Debug, Serialize)]
pub(super) struct Request<'a> {
    protocol: u32,
    mode: Mode,
    schema: i64,
    steps: &'a [RequestStep<'a>],
}

impl<'a> Request<'a> {
    pub(super) const fn new(mode: Mode, schema: i64, steps: &'a [RequestStep<'a>]) -> Self {
        Self { protocol: PROTOCOL, mode, schema, steps }
    }
}

/// What a step came to.
#[derive(Debug)]
pub(super) enum StepResult {
    /// What a read returned.
    Rows(Fetched),
    /// A read returned what the request expected of it.
    Same,
    /// How many rows a write changed.
    Changed(u64),
}

impl StepResult {
    /// Reads a result: a list of rows, the word "same", or a number.
    pub(super) fn parse(text: &str) -> serde_json::Result<Self> {
        match text.as_bytes().first() {
            Some(b'[') => Fetched::parse(text).map(Self::Rows),
            Some(b'"') => serde_json::from_str::<SameWord>(text).map(|SameWord::Same| Self::Same),
            _ => serde_json::from_str(text).map(Self::Changed),
        }
    }

    /// Takes the rows of a read.
    pub(super) fn into_fetched(self) -> Result<Fetched> {
        match self {
            Self::Rows(fetched) => Ok(fetched),
            Self::Same | Self::Changed(_) => Err(incomplete_answer("rows")),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum SameWord {
    Same,
}

/// Why a rule of the schema refused a step.
#[derive(Debug, Deserialize)]
pub(super) struct Denial {
    /// The rule's own words.
    pub(super) message: String,
}

/// The answer to one request.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Answer<'a> {
    #[serde(default)]
    pub(super) ok: bool,
    /// For [`StepResult::parse`].
    #[serde(default, borrow)]
    pub(super) results: Vec<&'a RawValue>,
    /// The step that found something else than the request expected.
    pub(super) conflict: Option<usize>,
    pub(super) denied: Option<Denial>,
    /// Why the database did not look at the steps.
    pub(super) refused: Option<String>,
    /// The schema of the database, where the request was refused for another.
    pub(super) schema: Option<i64>,
}

/// The error of an answer without something that it must have.
pub(super) fn incomplete_answer(what: &str) -> StoreError {
    StoreError::unavailable(format!("the answer of the database lacks {what}"))
}
