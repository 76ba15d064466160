//! What only commands ask of a database.

use std::time::Duration;

use crate::deadline::Deadline;
use crate::model::{ItemKey, SessionId};
use crate::store::{Result, SchemaStatus, SessionFilter, Store, Violation};

/// A state of the database as one connection saw it. Two marks are equal or not; nothing else about
/// them has a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeMark(i64);

impl ChangeMark {
    /// Makes the mark of a state that an engine tells from others by this number.
    pub const fn new(state: i64) -> Self {
        Self(state)
    }
}

/// What a command is going to read.
#[derive(Debug, Clone, Copy)]
pub enum ExpectedRead<'a> {
    /// Whether there are orchestrators that run.
    LiveOrchestrators,
    /// A session.
    Session(&'a SessionId),
    /// An item.
    Item(&'a ItemKey),
    /// The open hand-off of an item.
    OpenHandoff(&'a ItemKey),
    /// The dependencies of an item that are not completed.
    OpenDependencies(&'a ItemKey),
    /// Who held an item last.
    LastHolder(&'a ItemKey),
    /// The events of an operation.
    OperationEvents(&'a str),
    /// Which database it is.
    Lineage,
    /// Which of these texts are keys of items.
    ItemKeys(&'a [&'a str]),
    /// The hand-offs to show to a session.
    HandoffNotices(&'a SessionId),
    /// What the start of a session has to look at.
    PendingMatters,
    /// Other sessions of a worktree than this one.
    Peers {
        /// The worktree.
        worktree: Option<&'a str>,
        /// The session that is not among them.
        session: &'a SessionId,
        /// Most sessions that are listed.
        limit: u32,
    },
    /// Sessions.
    Sessions(&'a SessionFilter),
    /// The name of a repository with this identity.
    RepoName(&'a str),
    /// The identities of the repository with this name.
    RepoIdentities(&'a str),
    /// The registered repositories.
    Repos,
}

/// When a command is going to read something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadTime {
    /// Next.
    BeforeWrite,
    /// Once its next write is made.
    AfterWrite,
}

/// A store for commands, which run longer than hooks: they follow the changes of others, write in
/// many steps, and check all rows.
#[expect(clippy::missing_errors_doc, reason = "said once at `Store`")]
pub trait CommandStore: Store {
    /// Gives further operations another deadline, for work that consists of many.
    fn set_deadline(&mut self, deadline: Deadline);

    /// Says what the command is going to read, which a store behind a network fetches along with
    /// something else. It changes no answer.
    fn expect_reads(&mut self, time: ReadTime, reads: &[ExpectedRead<'_>]);

    /// Returns the state of the database. To follow changes, take it *before* reading, so that no
    /// write in between is missed.
    fn change_mark(&mut self) -> Result<ChangeMark>;

    /// Waits until another connection has written since that state, for at most `patience`;
    /// returns the new state, or nothing when there is none.
    fn wait_for_change(
        &mut self,
        seen: ChangeMark,
        patience: Duration,
    ) -> Result<Option<ChangeMark>>;

    /// Reads which schema the database has.
    fn load_schema_status(&mut self) -> Result<SchemaStatus>;

    /// Reads every row that has rules; returns the violations.
    fn find_violations(&mut self) -> Result<Vec<Violation>>;
}
