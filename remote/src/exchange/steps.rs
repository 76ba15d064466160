//! What an operation has read and wants to write, in its order.

use std::collections::VecDeque;

use serde_json::Value as Json;
use trueup_core::store::sql::{Arg, Kind, Statement};
use trueup_core::store::{Result, StoreError};

use super::protocol::{RequestStep, StepResult};
use super::rows::Rows;

/// A step of an operation.
#[derive(Debug)]
pub(super) struct Step {
    digest: String,
    args: Vec<Json>,
    pub(super) kind: StepKind,
}

/// What a step does.
#[derive(Debug)]
pub(super) enum StepKind {
    /// A read before the first write: a commit demands that its rows are still the same.
    Read {
        /// The digest of the rows.
        digest: String,
        /// Whether the rows were not fetched, but are those of the usual case.
        is_assumed: bool,
    },
    /// A read behind a write. The commit reads it again, since the times of the rows are those of
    /// the commit.
    LaterRead {
        /// The digest of the rows.
        digest: String,
        /// The call that it answered.
        call: usize,
    },
    /// A write.
    Write {
        /// How many rows it must change; any number where that does not matter.
        expected: Option<u64>,
        /// Whether that number was not asked for, but is that of the usual case.
        is_assumed: bool,
    },
}

impl Step {
    pub(super) fn new(statement: &Statement, args: Vec<Json>, kind: StepKind) -> Self {
        Self { digest: statement.digest(), args, kind }
    }

    pub(super) const fn is_write(&self) -> bool {
        matches!(self.kind, StepKind::Write { .. })
    }

    pub(super) const fn is_first_read(&self) -> bool {
        matches!(self.kind, StepKind::Read { .. })
    }

    pub(super) const fn is_assumed(&self) -> bool {
        match self.kind {
            StepKind::Read { is_assumed, .. } | StepKind::Write { is_assumed, .. } => is_assumed,
            StepKind::LaterRead { .. } => false,
        }
    }

    /// How many rows a write must change.
    pub(super) const fn expected(&self) -> Option<u64> {
        match self.kind {
            StepKind::Write { expected, .. } => expected,
            StepKind::Read { .. } | StepKind::LaterRead { .. } => None,
        }
    }

    /// Returns the step as a part of a request.
    pub(super) fn to_request(&self) -> RequestStep<'_> {
        let seen = match &self.kind {
            StepKind::Read { digest, .. } => Some(digest.as_str()),
            StepKind::LaterRead { .. } | StepKind::Write { .. } => None,
        };
        RequestStep { digest: &self.digest, args: &self.args, seen, expected: self.expected() }
    }
}

/// What a call of an operation was answered with.
#[derive(Debug, Clone)]
pub(super) enum Call {
    /// The rows of a read.
    Rows(Rows),
    /// How many rows a write changes.
    Count(u64),
    /// A step that is not answered.
    Write,
}

impl Call {
    pub(super) fn into_rows(self) -> Rows {
        match self {
            Self::Rows(rows) => rows,
            Self::Count(_) | Self::Write => Vec::new(),
        }
    }

    pub(super) fn into_count(self) -> u64 {
        match self {
            Self::Count(count) => count,
            Self::Rows(_) | Self::Write => 0,
        }
    }
}

/// The calls of an operation with their answers, so that it can run once more without the database.
#[derive(Debug, Default)]
pub(super) struct Recording {
    calls: VecDeque<(&'static Statement, Vec<Json>, Call)>,
    is_replay: bool,
    has_diverged: bool,
    is_forbidden: bool,
}

impl Recording {
    /// The index of the next call.
    pub(super) fn next_index(&self) -> usize {
        self.calls.len()
    }

    pub(super) fn add(&mut self, statement: &'static Statement, args: Vec<Json>, call: Call) {
        self.calls.push_back((statement, args, call));
    }

    /// Says that the operation went another way than its calls tell.
    pub(super) const fn forbid_replay(&mut self) {
        self.is_forbidden = true;
    }

    /// Takes over the rows of later reads as they were committed; returns whether they differ from
    /// those that the operation saw, so that it has to be replayed.
    pub(super) fn refresh(&mut self, steps: &[Step], results: Vec<StepResult>) -> bool {
        let mut differs = false;
        for (step, result) in steps.iter().zip(results) {
            let StepKind::LaterRead { digest, call } = &step.kind else {
                continue;
            };
            let StepResult::Rows(committed) = result else {
                continue;
            };
            differs |= committed.digest != *digest;
            if let Some((_, _, answer)) = self.calls.get_mut(*call) {
                *answer = Call::Rows(committed.rows);
            }
        }
        differs && !self.is_forbidden
    }

    pub(super) fn into_replay(self) -> Self {
        Self { is_replay: true, ..self }
    }

    pub(super) const fn has_diverged(&self) -> bool {
        self.has_diverged
    }

    /// Answers a call from the recording; `None` while nothing is replayed.
    pub(super) fn replay(
        &mut self,
        statement: &'static Statement,
        args: &[Json],
    ) -> Option<Result<Call>> {
        if !self.is_replay {
            return None;
        }
        match self.calls.pop_front() {
            // A write is committed already; some name their operation anew in each run.
            Some((recorded, with, call))
                if std::ptr::eq(recorded, statement)
                    && (with == args || !matches!(call, Call::Rows(_))) =>
            {
                Some(Ok(call))
            }
            _ => {
                self.has_diverged = true;
                Some(Err(StoreError::invalid("the replay of an operation took another way")))
            }
        }
    }
}

/// Returns the values of a statement's parameters. Statements that answer one question in several
/// ways are given the same values, of which some use only the first.
///
/// # Errors
///
/// When a text has a character that PostgreSQL cannot store; its own error would not name it.
pub(super) fn to_json_args(statement: &Statement, args: &[Arg<'_>]) -> Result<Vec<Json>> {
    statement.params().iter().zip(args).map(|(kind, arg)| to_json(*kind, arg)).collect()
}

fn to_json(kind: Kind, arg: &Arg<'_>) -> Result<Json> {
    match arg {
        Arg::Text(Some(text)) if has_nul(kind, text) => {
            Err(StoreError::invalid("the database cannot store a text with a NUL character"))
        }
        Arg::Text(Some(text)) => Ok(Json::from(*text)),
        Arg::Integer(Some(integer)) => Ok(Json::from(*integer)),
        Arg::Text(None) | Arg::Integer(None) => Ok(Json::Null),
    }
}

/// Returns whether a text has a NUL, which JSON writes as an escape behind no other backslash.
fn has_nul(kind: Kind, text: &str) -> bool {
    if kind != Kind::Json {
        return text.contains('\0');
    }
    text.match_indices("\\u0000").any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default();
        let backslashes = before.len() - before.trim_end_matches('\\').len();
        backslashes % 2 == 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::rows::Fetched;
    use serde_json::json;

    static READ: Statement = Statement::new("read", "SELECT ?1", &[Kind::Text]);
    static WRITE: Statement = Statement::new("write", "DELETE FROM t WHERE k = ?1", &[Kind::Text]);

    #[test]
    fn a_nul_is_found_in_texts_and_in_json_but_not_behind_a_backslash() {
        for (kind, text, expected) in [
            (Kind::Text, "a\0b", true),
            (Kind::Text, r"a\u0000b", false),
            (Kind::Json, r#"{"a":"\u0000"}"#, true),
            (Kind::Json, r#"{"a":"\\u0000"}"#, false),
            (Kind::Json, r#"{"a":"\\\u0000"}"#, true),
        ] {
            assert_eq!(has_nul(kind, text), expected, "{kind:?} {text}");
        }
    }

    /// Without them a commit would not notice that others changed what the operation had read.
    #[test]
    fn a_commit_demands_the_rows_that_were_read_and_the_rows_that_change() {
        let read = StepKind::Read { digest: "seen".to_owned(), is_assumed: false };
        let write = StepKind::Write { expected: Some(1), is_assumed: true };
        let request = |step: &Step| serde_json::to_value(step.to_request()).unwrap();
        let sent = request(&Step::new(&READ, vec![json!("k")], read));
        assert_eq!(sent, json!({"s": READ.digest(), "a": ["k"], "d": "seen"}));
        let sent = request(&Step::new(&WRITE, vec![json!("k")], write));
        assert_eq!(sent, json!({"s": WRITE.digest(), "a": ["k"], "n": 1}));
    }

    #[test]
    fn a_replay_answers_reads_with_the_rows_of_the_commit() {
        let mut recording = Recording::default();
        recording.add(&WRITE, vec![json!("first id")], Call::Write);
        recording.add(&READ, vec![json!("k")], Call::Rows(vec![vec![json!("tried")]]));
        let kind = StepKind::LaterRead { digest: "tried".to_owned(), call: 1 };
        let steps = [Step::new(&READ, vec![json!("k")], kind)];
        let rows = vec![vec![json!("committed")]];
        let committed = Fetched { rows, digest: "committed".to_owned() };
        assert!(recording.refresh(&steps, vec![StepResult::Rows(committed)]));
        let mut replay = recording.into_replay();
        // A write may name its operation anew in each run; a read must be the same.
        replay.replay(&WRITE, &[json!("second id")]).unwrap().unwrap();
        let rows = replay.replay(&READ, &[json!("k")]).unwrap().unwrap().into_rows();
        assert_eq!(rows, [[json!("committed")]]);
        assert!(replay.replay(&READ, &[json!("k")]).unwrap().is_err());
        assert!(replay.has_diverged());
    }
}
