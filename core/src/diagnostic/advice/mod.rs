//! What ends a finding. Every finding carries an [`Advice`], every advice is a row of one table,
//! and nothing else says what to run. A test runs the advice of each row.

mod table;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

pub use table::{AdviceKind, AdviceRow, BranchTarget, FileLine};

use crate::model::SessionId;
use crate::text::CommandLine;

/// A row of the table, and the directory and session for which its commands are to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    kind: AdviceKind,
    directory: Option<PathBuf>,
    session: Option<SessionId>,
}

impl From<AdviceKind> for Advice {
    fn from(kind: AdviceKind) -> Self {
        Self { kind, directory: None, session: None }
    }
}

impl Advice {
    /// Returns the advice itself, without directory and session.
    pub const fn kind(&self) -> &AdviceKind {
        &self.kind
    }

    /// Sets the directory to run the command in, when the reader is elsewhere.
    pub fn set_directory(&mut self, directory: &Path) {
        self.directory = Some(directory.to_owned());
    }

    /// Sets a session other than the one that a command without `--session` acts for.
    pub fn set_session(&mut self, session: &SessionId) {
        self.session = Some(session.clone());
    }

    /// Returns what a person has to do first, where no command can do it.
    pub fn by_hand(&self) -> Option<String> {
        self.kind.by_hand(self.directory.as_deref())
    }

    /// Returns the command to run, after the step by hand if there is one.
    pub fn command(&self) -> CommandLine {
        let command = self.kind.command(self.session.as_ref());
        match &self.directory {
            Some(directory) => command.in_directory(directory),
            None => command,
        }
    }
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.by_hand() {
            Some(step) => write!(f, "{step}, then run `{}`", self.command()),
            None => write!(f, "{}", self.command()),
        }
    }
}

impl Serialize for Advice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
