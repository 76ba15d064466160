//! The table of codes: what each is called, how much it matters, which fact it is about, and what
//! it says in a line.

use serde::Serialize;

use crate::authority::{Authority, Fact};

/// How much a divergence matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// For the record.
    Info,
    /// Worth a look. Changes the exit code of a check only under `--strict`.
    Warning,
    /// A difference that has to be ended.
    Error,
}

impl Severity {
    /// Returns the word that `--json` shows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Makes [`Code`] from rows of name, printed code, severity, fact and title.
macro_rules! codes {
    ($($name:ident = $text:literal, $severity:ident, $fact:ident, $title:literal;)*) => {
        /// A kind of difference, by the code that is printed.
        ///
        /// The order is the order in which findings are listed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub enum Code {
            $(#[doc = $title] #[serde(rename = $text)] $name,)*
        }

        impl Code {
            /// Every code, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Returns the code as it is printed, such as `S-01`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// Returns how much it usually matters.
            pub const fn severity(self) -> Severity {
                match self {
                    $(Self::$name => Severity::$severity,)*
                }
            }

            /// Returns the fact that the copies disagree on.
            pub const fn fact(self) -> Fact {
                match self {
                    $(Self::$name => Fact::$fact,)*
                }
            }

            /// Describes it in a phrase.
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$name => $title,)*
                }
            }

            /// Returns the name in code, such as `ItemDiffersFromClaim`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }
        }
    };
}

codes! {
    ItemDiffersFromClaim = "S-01", Error, ClaimedItem, "the cache names another item than the claim";
    ItemDiffersFromState = "S-02", Error, ClaimedItem, "the cache names another item than the database, and there is no claim";
    PhaseDiffers = "S-03", Error, WorkState, "phase differs";
    TaskDiffers = "S-04", Error, WorkState, "task differs";
    BranchNamesOtherItem = "S-05", Error, Branch, "the branch names another item than the claim";
    FlagDiffers = "S-06", Error, WorkState, "a flag differs";
    CacheMissing = "S-07", Info, Cache, "there is no cache";
    CacheUnreadable = "S-08", Error, Cache, "the cache cannot be read";
    CacheFromOtherDatabase = "S-09", Error, Cache, "the cache was written for another database, or from a newer state of this one";
    EditNotPushed = "S-10", Info, WorkState, "a local edit waits to be pushed";
    EditRejected = "S-11", Error, WorkState, "a local edit lost to a newer database state";
    DatabaseUnreachable = "S-12", Warning, SessionRecord, "the database cannot be reached";
    ClaimTakenAway = "S-13", Error, ClaimedItem, "the claim belongs to another session now";
    WorktreeShared = "S-14", Warning, SessionRecord, "another live session works in this worktree";
    WritesWaiting = "S-15", Warning, SessionRecord, "writes wait in the outbox";
    MetadataHasDatabaseField = "F-01", Error, PhaseQueue, "a metadata file, or a script that reads or writes it, uses a field the database owns";
    FileInvalid = "F-02", Error, Metadata, "a metadata or plan file does not parse, or a field of it breaks a rule (then a warning)";
    MetadataIdWrong = "F-03", Error, Metadata, "a metadata file lacks its id, or has another than its directory";
    CheckFailed = "C-00", Error, SessionRecord, "the check itself failed";
    NoWorkplans = "C-01", Warning, WorkplanExistence, "no workplans";
    WorkplanInvalid = "C-02", Error, WorkplanExistence, "does not parse";
    UnknownReference = "C-03", Error, WorkplanLink, "unknown to the database";
    WorkplanStatusDiffers = "C-04", Warning, Status, "workplan status differs";
    TitleDiffers = "C-05", Warning, WorkplanText, "title differs";
    WorkplanNotLinked = "C-06", Warning, WorkplanLink, "workplan is not linked";
    OpenWorkplanWithoutFile = "C-07", Warning, WorkplanExistence, "open workplan without a file";
    FinishedWorkplanWithoutFile = "C-08", Warning, WorkplanExistence, "finished workplan without a file";
    WrongRepository = "C-09", Warning, WorkplanLink, "wrong repository in the database";
    FileAhead = "C-10", Warning, Status, "file is ahead of the database";
    TaskNotLinked = "C-11", Warning, WorkplanLink, "task is not linked";
    TaskWithoutBlock = "C-12", Warning, WorkplanExistence, "task without a block";
    WorkplanStillOpen = "C-13", Warning, Status, "all tasks are finished, but the workplan is open";
    UnlinkedDuplicate = "C-14", Warning, WorkplanLink, "unlinked duplicate of a workplan";
    DatabaseAhead = "C-15", Warning, Status, "database is ahead of the file";
    BehindUpstream = "C-16", Warning, Branch, "branch is behind its remote";
    CommitsNotPushed = "C-17", Warning, Branch, "commits are not pushed";
    PlanningDiffers = "C-19", Warning, WorkplanText, "planning differs";
    DependencyMissing = "C-20", Warning, WorkplanText, "dependency is missing in the database";
    DescriptionDiffers = "C-22", Warning, WorkplanText, "description differs";
    WorkplanNotBegun = "C-23", Warning, Status, "task is in progress, but the workplan is not started";
}

impl Code {
    /// Returns the copy that is usually right; a rule that compares ranks says it for itself.
    pub const fn authority(self) -> Authority {
        self.fact().authority()
    }

    /// Returns whether trueup undid or moved something of the user's own. A hook that is silent
    /// once everything is fixed still reports these.
    pub const fn touches_user_edits(self) -> bool {
        matches!(self, Self::CacheUnreadable | Self::CacheFromOtherDatabase | Self::EditRejected)
    }

    /// Returns whether only the local copy is wrong, so that the database can be relied on.
    pub const fn concerns_local_copy(self) -> bool {
        matches!(
            self,
            Self::ItemDiffersFromClaim
                | Self::ItemDiffersFromState
                | Self::PhaseDiffers
                | Self::TaskDiffers
                | Self::FlagDiffers
        )
    }

    /// Returns whether nothing may be handed on until it is fixed: item, phase, task, flags, claim or
    /// branch disagree.
    pub const fn blocks_handoff(self) -> bool {
        self.concerns_local_copy()
            || matches!(self, Self::BranchNamesOtherItem | Self::ClaimTakenAway)
    }
}
