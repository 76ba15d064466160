//! Something that needs a person.

use serde::Serialize;

use crate::model::{AttentionKind, ItemKey, SessionId, Timestamp};
use crate::views::EventView;

/// Something that needs a person.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Need {
    /// Its id: the kind, a colon, and the id of what it is about.
    pub id: String,
    /// What is the matter.
    pub kind: NeedKind,
    /// Since when.
    pub since: Timestamp,
    /// The session that it is about.
    pub session_id: Option<SessionId>,
    /// The item that it is about.
    pub item: Option<ItemKey>,
    /// The repository.
    pub repo: Option<String>,
    /// The machine.
    pub host: Option<String>,
    /// What is the matter, in a sentence.
    pub line: String,
    /// The command that ends it.
    pub command: Option<String>,
    /// The newest event of what it is about.
    pub why: Option<EventView>,
    /// What a hub can do about it.
    pub actions: Vec<NeedAction>,
}

/// What is the matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum NeedKind {
    /// A hand-off was refused at the gate.
    GateRefusal,
    /// Copies disagree, and hooks could not fix it.
    Divergence,
    /// An edit lost against the database.
    JournalEntry,
    /// A write waits that cannot be delivered.
    DeadLetter,
    /// An agent waits for an answer.
    WaitsForInput,
    /// A repository is behind its remote.
    RepoBehind,
    /// A repository has commits that its remote lacks.
    RepoUnpushed,
    /// A session died with unfinished work.
    LostSession,
    /// Nobody takes a hand-off.
    OpenHandoff,
    /// An item is held by a session that gives no sign of life.
    StaleClaim,
}

impl NeedKind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::GateRefusal,
        Self::Divergence,
        Self::JournalEntry,
        Self::DeadLetter,
        Self::WaitsForInput,
        Self::RepoBehind,
        Self::RepoUnpushed,
        Self::LostSession,
        Self::OpenHandoff,
        Self::StaleClaim,
    ];

    /// Returns what a hub can do about something of this kind that was reported.
    pub(super) fn actions_for_reports(self) -> Vec<NeedAction> {
        match self {
            Self::JournalEntry => vec![NeedAction::RestoreJournal, NeedAction::DropJournal],
            Self::DeadLetter => vec![NeedAction::Resend, NeedAction::DropDeadLetter],
            _ => Vec::new(),
        }
    }

    /// Returns the word that answers show.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GateRefusal => "gate_refusal",
            Self::Divergence => "divergence",
            Self::JournalEntry => "journal_entry",
            Self::DeadLetter => "dead_letter",
            Self::WaitsForInput => "waits_for_input",
            Self::RepoBehind => "repo_behind",
            Self::RepoUnpushed => "repo_unpushed",
            Self::LostSession => "lost_session",
            Self::OpenHandoff => "open_handoff",
            Self::StaleClaim => "stale_claim",
        }
    }
}

impl From<AttentionKind> for NeedKind {
    fn from(kind: AttentionKind) -> Self {
        match kind {
            AttentionKind::GateRefusal => Self::GateRefusal,
            AttentionKind::Divergence => Self::Divergence,
            AttentionKind::JournalEntry => Self::JournalEntry,
            AttentionKind::DeadLetter => Self::DeadLetter,
            AttentionKind::WaitsForInput => Self::WaitsForInput,
            AttentionKind::RepoBehind => Self::RepoBehind,
            AttentionKind::RepoUnpushed => Self::RepoUnpushed,
        }
    }
}

/// What a hub can do about something, for those who may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum NeedAction {
    /// Release the item.
    Release,
    /// Reopen the item.
    Reopen,
    /// Reject the hand-off, so that its sender keeps the item.
    Reject,
    /// Bring back what the edit said.
    RestoreJournal,
    /// Give up what the edit said.
    DropJournal,
    /// Send the write again.
    Resend,
    /// Give the write up.
    DropDeadLetter,
}
