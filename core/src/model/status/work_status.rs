//! The statuses of items, phases, and tasks of plans and workplans.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::UnknownStatus;
use super::status_alias::{Meaning, meaning};

/// Defines a closed vocabulary: variants with their stored text, their rank, and the meanings of
/// the alias table that they stand for.
macro_rules! vocabulary {
    (
        $(#[$doc:meta])* $name:ident, $allowed:literal, {
            $($(#[$about:meta])* $variant:ident = $word:literal, $rank:literal, [$($meaning:ident),+];)+
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$about])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Every status, in order.
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$variant),+];

            /// Returns the stored text.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// Returns the rank: 0 not started, 1 active or waiting, 2 finished or abandoned. A
            /// status never changes to a lower rank unless it is reopened.
            pub const fn rank(self) -> u8 {
                match self {
                    $(Self::$variant => $rank,)+
                }
            }

            /// Returns whether nothing more is to be done unless it is reopened.
            pub const fn is_finished(self) -> bool {
                self.rank() == 2
            }
        }

        impl FromStr for $name {
            type Err = UnknownStatus;

            /// Parses any known spelling; case, spaces and dashes do not matter.
            fn from_str(text: &str) -> Result<Self, UnknownStatus> {
                let unknown = || UnknownStatus {
                    found: text.chars().take(40).collect(),
                    allowed: $allowed,
                };
                match meaning(text).ok_or_else(unknown)? {
                    $($(Meaning::$meaning)|+ => Ok(Self::$variant),)+
                    #[allow(unreachable_patterns, reason = "some vocabularies have a word for all")]
                    _ => Err(unknown()),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

vocabulary!(
    /// The status of an item or a phase.
    ItemStatus, "queued, ready, running, blocked, completed, failed, cancelled", {
        /// Known and not started.
        Queued = "queued", 0, [NotStarted];
        /// All its dependencies are completed.
        Ready = "ready", 0, [Ready];
        /// In progress.
        Running = "running", 1, [Active];
        /// Waiting for something named.
        Blocked = "blocked", 1, [Waiting];
        /// Completed.
        Completed = "completed", 2, [Finished];
        /// Ended with an error.
        Failed = "failed", 2, [Failed];
        /// Abandoned.
        Cancelled = "cancelled", 2, [Abandoned];
    }
);

vocabulary!(
    /// The status of a task of a plan.
    PlanTaskStatus, "pending, in_progress, completed, failed, skipped", {
        /// Not started.
        Pending = "pending", 0, [NotStarted, Ready];
        /// In progress.
        InProgress = "in_progress", 1, [Active];
        /// Completed.
        Completed = "completed", 2, [Finished];
        /// Ended with an error.
        Failed = "failed", 2, [Failed];
        /// Left out on purpose.
        Skipped = "skipped", 2, [Abandoned];
    }
);

vocabulary!(
    /// The status of a task of a workplan.
    WorkplanTaskStatus, "todo, in_progress, blocked, done, cancelled", {
        /// Not started.
        Todo = "todo", 0, [NotStarted, Ready];
        /// In progress.
        InProgress = "in_progress", 1, [Active];
        /// Waiting for something named.
        Blocked = "blocked", 1, [Waiting];
        /// Completed.
        Done = "done", 2, [Finished];
        /// Abandoned for good.
        Cancelled = "cancelled", 2, [Abandoned];
    }
);
