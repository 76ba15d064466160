//! The document of a replica.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::model::{
    Event, FieldValue, Handoff, HandoffId, HandoffNoticeReason, Item, ItemKey, Revision, Session,
    SessionId, SessionStatus, StateField, Timestamp,
};
use crate::store::SessionTask;

/// The version of the format. A replica of another version is read anew from the server.
pub const REPLICA_VERSION: u32 = 2;

/// Most values that a field had before.
const MAX_FORMER_VALUES: usize = 32;

/// What is known of a session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Replica {
    /// The version of the format.
    pub version: u32,
    /// When it was read, by the clock of this machine. The server's is in the session.
    pub pulled_at: Timestamp,
    /// The session with what waits in the outbox.
    pub session: Session,
    /// The session that the shared cache of the worktree names, where that is another one; `None` if
    /// the server does not know it.
    pub cache_owner: Option<(SessionId, Option<Session>)>,
    /// The item that it holds, the one that its state names, and the one that the branch names.
    pub items: Vec<Item>,
    /// The texts of which it is known whether they are keys of items.
    pub looked_up: Vec<String>,
    /// The last events of the item that its state names and that it does not hold.
    pub events: Vec<Event>,
    /// The tasks of its list.
    pub tasks: Vec<SessionTask>,
    /// The hand-offs to show to its agent.
    pub handoffs: Vec<(HandoffNoticeReason, Handoff)>,
    /// Values that fields of its state had, the latest last.
    pub former_values: Vec<(StateField, FieldValue)>,
    /// Lines for the user, which the next prompt shows.
    pub news: Vec<String>,
    /// What the start of the session brought and its agent was not told yet.
    pub briefing: Option<RenderedBriefing>,
    /// Since when the server cannot be reached, by the clock of this machine.
    pub outage_since: Option<Timestamp>,
    /// Whether the user was told so.
    pub is_outage_told: bool,
    /// That the server answers and takes nothing of what waits.
    #[serde(default)]
    pub stalled: Option<StalledOutbox>,
    /// What hooks did that the server does not know of yet.
    pub marks: LocalMarks,
}

/// What the agent of a session reads at its start, or at the next prompt if the server answered too
/// late for that.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RenderedBriefing {
    /// The text.
    pub text: String,
    /// The metadata of the session that it was made from: what the session does until its agent
    /// reads it is not in it.
    pub metadata: Map<String, Json>,
    /// Files for the client to watch, which it accepts at the start alone.
    pub watch_paths: Vec<String>,
}

/// What waits cannot be sent, although the server answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StalledOutbox {
    /// Since when, by the clock of this machine.
    pub since: Timestamp,
    /// Why, in a line.
    pub problem: String,
    /// Whether the user was told so.
    pub is_told: bool,
}

/// What hooks noted since the replica was read. It is told to the server by the next pull; to do so
/// twice changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalMarks {
    /// The newest revision that the agent was told of.
    pub acknowledged: Option<Revision>,
    /// The status that the last event gave the session. In a replica that was just read: the
    /// server's, where an earlier one does not count.
    pub status: Option<SessionStatus>,
    /// Until when silence is announced, by the clock of this machine.
    pub silent_until: Option<Timestamp>,
    /// The hand-offs that were shown, in the status they had.
    pub shown_handoffs: Vec<HandoffId>,
}

impl LocalMarks {
    /// Returns whether the server knows everything.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Replica {
    /// Makes the replica of a session that was just read, without anything else.
    pub fn of_session(session: Session, pulled_at: Timestamp) -> Self {
        Self {
            version: REPLICA_VERSION,
            pulled_at,
            session,
            cache_owner: None,
            items: Vec::new(),
            looked_up: Vec::new(),
            events: Vec::new(),
            tasks: Vec::new(),
            handoffs: Vec::new(),
            former_values: Vec::new(),
            news: Vec::new(),
            briefing: None,
            outage_since: None,
            is_outage_told: false,
            stalled: None,
            marks: LocalMarks::default(),
        }
    }

    /// Returns for how many seconds nothing was read from the server, or `None` where the clock
    /// says that it was read in the future.
    pub fn age_seconds(&self, now: Timestamp) -> Option<u64> {
        (now >= self.pulled_at).then(|| now.seconds_since(self.pulled_at))
    }

    /// Takes the lines that wait for the user. An outage, or a server that takes nothing, is told
    /// once, and not after its end.
    pub fn take_news(&mut self) -> Vec<String> {
        let mut lines = std::mem::take(&mut self.news);
        if let Some(since) = self.outage_since.filter(|_| !self.is_outage_told) {
            self.is_outage_told = true;
            lines.push(format!(
                "⚠️ database unreachable since {since}; this session goes on from what was read at \
                 {}, and what it does is sent later",
                self.session.read_at
            ));
        }
        if let Some(stalled) = self.stalled.as_mut().filter(|stalled| !stalled.is_told) {
            stalled.is_told = true;
            let StalledOutbox { since, problem, .. } = stalled;
            lines.push(format!(
                "⚠️ what waits for the database is not sent since {since}: {problem}"
            ));
        }
        lines
    }

    /// Returns whether a hand-off is to be shown that no hook has shown yet.
    pub fn has_unread_handoffs(&self) -> bool {
        let is_shown = |id| self.marks.shown_handoffs.contains(id);
        self.handoffs.iter().any(|(_, handoff)| handoff.is_unread() && !is_shown(&handoff.id))
    }

    /// Returns an item.
    pub fn find_item(&self, key: &ItemKey) -> Option<&Item> {
        self.items.iter().find(|item| item.key == *key)
    }

    /// Returns whether it is known if a text is the key of an item.
    pub fn was_looked_up(&self, text: &str) -> bool {
        self.looked_up.iter().any(|known| known.eq_ignore_ascii_case(text))
            || self.items.iter().any(|item| item.key.as_str().eq_ignore_ascii_case(text))
    }

    /// Returns a task.
    pub fn find_task(&self, task: &str) -> Option<&SessionTask> {
        self.tasks.iter().find(|known| known.task == task)
    }

    /// Sets the subject of a task.
    pub fn put_task(&mut self, task: SessionTask) {
        match self.tasks.iter_mut().find(|known| known.task == task.task) {
            Some(known) => *known = task,
            None => self.tasks.push(task),
        }
    }

    /// Remembers the values that fields have now.
    pub fn remember_values(&mut self) {
        let work = self.session.execution_state().work;
        for field in [StateField::Phase, StateField::Task] {
            let value = (field, work.get(field));
            self.former_values.retain(|known| *known != value);
            self.former_values.push(value);
        }
        let excess = self.former_values.len().saturating_sub(MAX_FORMER_VALUES);
        self.former_values.drain(..excess);
    }
}
