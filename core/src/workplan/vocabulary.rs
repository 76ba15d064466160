//! The words that files use for statuses. Newer files use shorter ones; an edit keeps to the words
//! of its file.

use super::{FrontMatter, Key, TaskBlock};
use crate::model::WorkplanTaskStatus;

/// A set of words for statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusVocabulary {
    /// `todo`, `in_progress`, `blocked`, `done`, `cancelled`.
    Classic,
    /// `wait`, `todo`, `progress`, `done`, `cancel`.
    Short,
}

impl StatusVocabulary {
    /// Returns the vocabulary of a word that only one of them has.
    fn from_distinctive_word(word: &str) -> Option<Self> {
        match word {
            "in_progress" | "blocked" | "cancelled" | "canceled" => Some(Self::Classic),
            "wait" | "progress" | "cancel" => Some(Self::Short),
            _ => None,
        }
    }

    /// Returns the word for a status.
    pub const fn status_word(self, status: WorkplanTaskStatus) -> &'static str {
        match (self, status) {
            (Self::Classic, status) => status.as_str(),
            (Self::Short, WorkplanTaskStatus::Todo) => "todo",
            (Self::Short, WorkplanTaskStatus::InProgress) => "progress",
            (Self::Short, WorkplanTaskStatus::Blocked) => "wait",
            (Self::Short, WorkplanTaskStatus::Done) => "done",
            (Self::Short, WorkplanTaskStatus::Cancelled) => "cancel",
        }
    }

    /// Detects the vocabulary that most blocks use; in a tie, the status of the workplan decides.
    pub(super) fn detect(front_matter: &FrontMatter, tasks: &[TaskBlock]) -> Self {
        let words = tasks.iter().filter_map(|task| task.get(Key::Status));
        let votes = words.filter_map(|word| Self::from_distinctive_word(&word.text));
        let (classic, short): (Vec<_>, Vec<_>) = votes.partition(|v| *v == Self::Classic);
        match classic.len().cmp(&short.len()) {
            std::cmp::Ordering::Greater => Self::Classic,
            std::cmp::Ordering::Less => Self::Short,
            std::cmp::Ordering::Equal => match front_matter.get(Key::Status).map(|s| &*s.text) {
                Some("proposed" | "ready" | "backlog" | "finished") => Self::Short,
                _ => Self::Classic,
            },
        }
    }
}
