//! What needs a person, as hooks and commands report it to the database.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{AttentionId, ItemKey, SessionId, Timestamp};

/// Why something needs a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttentionKind {
    /// A hand-off was refused while copies differed.
    GateRefusal,
    /// Copies differ, and hooks cannot true them up.
    Divergence,
    /// A local edit was rejected, and is in the journal of its machine.
    JournalEntry,
    /// The database refused a write for good.
    DeadLetter,
    /// An agent waits for an answer or a permission.
    WaitsForInput,
    /// A checkout lacks commits of its remote.
    RepoBehind,
    /// A checkout has commits that its remote lacks.
    RepoUnpushed,
}

impl AttentionKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::GateRefusal,
        Self::Divergence,
        Self::JournalEntry,
        Self::DeadLetter,
        Self::WaitsForInput,
        Self::RepoBehind,
        Self::RepoUnpushed,
    ];

    /// Returns the stored text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GateRefusal => "gate_refusal",
            Self::Divergence => "divergence",
            Self::JournalEntry => "journal_entry",
            Self::DeadLetter => "dead_letter",
            Self::WaitsForInput => "waits_for_input",
            Self::RepoBehind => "repo_behind",
            Self::RepoUnpushed => "repo_unpushed",
        }
    }

    /// Makes the id of what is the only one of its kind for a subject, such as a session: the
    /// report of a later hook is then that of an earlier one.
    ///
    /// A subject with other characters than an id has, or too many, is named by a digest; `digest`
    /// makes it.
    pub fn id_of(self, subject: &str, digest: impl FnOnce(&str) -> String) -> AttentionId {
        let id = format!("{}:{subject}", self.as_str()).parse();
        id.unwrap_or_else(|_| AttentionId::of_digest(self.as_str(), &digest(subject)))
    }
}

/// The error for a word that is no kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no kind of what needs a person")]
pub struct UnknownAttentionKind(String);

impl FromStr for AttentionKind {
    type Err = UnknownAttentionKind;

    fn from_str(text: &str) -> Result<Self, UnknownAttentionKind> {
        let known = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        known.ok_or_else(|| UnknownAttentionKind(text.chars().take(40).collect()))
    }
}

impl fmt::Display for AttentionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Something that needs a person, to be reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewAttention {
    /// The id, the same whenever the same thing is reported.
    pub id: AttentionId,
    /// Why.
    pub kind: AttentionKind,
    /// The session that it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// The item that it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<ItemKey>,
    /// The repository that it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repo: Option<String>,
    /// The machine that it is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// What a person reads.
    pub line: String,
    /// The command that ends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// What is needed to end it from another machine; null where nothing is.
    #[serde(default, skip_serializing_if = "Json::is_null")]
    pub content: Json,
}

impl NewAttention {
    /// Longest line that is stored, in characters.
    pub const MAX_LINE_CHARS: usize = 2_000;
    /// Longest command that is stored, in characters.
    pub const MAX_COMMAND_CHARS: usize = 1_000;
    /// Largest content that is stored, in bytes. A larger one stays on its machine alone.
    pub const MAX_CONTENT_BYTES: usize = 256 * 1024;

    /// Something of a kind, with a line for a person.
    pub const fn new(id: AttentionId, kind: AttentionKind, line: String) -> Self {
        Self {
            id,
            kind,
            session: None,
            item: None,
            repo: None,
            host: None,
            line,
            command: None,
            content: Json::Null,
        }
    }

    /// What an event shows of it: the content may be large, and is in its row.
    pub fn event_facts(&self) -> Json {
        json!({
            "kind": self.kind, "session": self.session, "item": self.item, "repo": self.repo,
            "host": self.host, "line": self.line, "command": self.command,
        })
    }
}

/// Something that needs a person, or did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attention {
    /// The id.
    pub id: AttentionId,
    /// Why.
    pub kind: AttentionKind,
    /// The session that it concerns.
    pub session: Option<SessionId>,
    /// The item that it concerns.
    pub item: Option<ItemKey>,
    /// The repository that it concerns.
    pub repo: Option<String>,
    /// The machine that it is on.
    pub host: Option<String>,
    /// What a person reads.
    pub line: String,
    /// The command that ends it.
    pub command: Option<String>,
    /// What is needed to end it from another machine; null where nothing is.
    pub content: Json,
    /// When it was reported, by the database's clock: the last time that it was not open before.
    pub raised_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Who ended it.
    pub ended_by: Option<String>,
    /// How it ended.
    pub ended_reason: Option<String>,
}

impl Attention {
    /// Returns whether it still needs a person.
    pub const fn is_open(&self) -> bool {
        self.ended_at.is_none()
    }

    /// What an event shows of it: the content may be large, and is in its row.
    pub fn event_facts(&self) -> Json {
        json!({
            "kind": self.kind, "session": self.session, "item": self.item, "repo": self.repo,
            "host": self.host, "line": self.line, "command": self.command,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_as_it_is_written_and_no_other() {
        for kind in AttentionKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert_eq!(json!(kind), kind.as_str());
        }
        assert!("boredom".parse::<AttentionKind>().is_err());
    }

    #[test]
    fn one_subject_has_one_id_whatever_its_name() {
        let id_of = |subject: &str| {
            let id = AttentionKind::RepoBehind.id_of(subject, |whole| whole.len().to_string());
            id.to_string()
        };
        assert_eq!(id_of("host:repo"), "repo_behind:host:repo");
        assert_eq!(id_of("a b"), "repo_behind:d-3");
        assert_eq!(id_of(&"x".repeat(300)), "repo_behind:d-300");
    }

    #[test]
    fn a_report_without_what_it_need_not_have_is_read() {
        let text = r#"{"id":"divergence:s1","kind":"divergence","line":"x"}"#;
        let new: NewAttention = serde_json::from_str(text).unwrap();
        let id: AttentionId = "divergence:s1".parse().unwrap();
        assert_eq!(new, NewAttention::new(id, AttentionKind::Divergence, "x".to_owned()));
        assert_eq!(serde_json::to_string(&new).unwrap(), text);
    }
}
