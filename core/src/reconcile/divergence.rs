//! The catalogue of what can differ.

use serde::Serialize;

use super::advice::Advice;

/// How much a divergence matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// For the record.
    Info,
    /// Worth a look; changes an exit code under `--strict` alone.
    Warning,
    /// A finding.
    Error,
}

/// Makes the codes of a table: how each is written, and how much it matters.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $severity:ident;)*) => {
        /// A kind of difference, by the code that is printed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub enum Code {
            $($(#[$doc])* #[serde(rename = $text)] $name,)*
        }

        impl Code {
            /// Every code, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Returns the code as written.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// Returns how much it matters.
            pub const fn severity(self) -> Severity {
                match self {
                    $(Self::$name => Severity::$severity,)*
                }
            }
        }
    };
}

codes! {
    /// The file names another item than the claim.
    S01 = "S-01", Error;
    /// The file names another item than the state, and there is no claim.
    S02 = "S-02", Error;
    /// Phases differ.
    S03 = "S-03", Error;
    /// Tasks differ.
    S04 = "S-04", Error;
    /// The branch names another item.
    S05 = "S-05", Error;
    /// Flags differ.
    S06 = "S-06", Error;
    /// There is no cache.
    S07 = "S-07", Info;
    /// The cache cannot be read.
    S08 = "S-08", Error;
    /// The cache was written for another database, or from a newer state of this one.
    S09 = "S-09", Error;
    /// A local edit waits to be pushed.
    S10 = "S-10", Info;
    /// A local edit lost.
    S11 = "S-11", Error;
    /// The database cannot be asked.
    S12 = "S-12", Warning;
    /// The claim belongs to another session now.
    S13 = "S-13", Error;
    /// Another live session works here.
    S14 = "S-14", Warning;
    /// Writes wait in the outbox.
    S15 = "S-15", Warning;
    /// A metadata file, or a script that reads or writes it, uses a field the database owns.
    F01 = "F-01", Error;
    /// A metadata file does not parse, or a field of it breaks a rule (then a warning).
    F02 = "F-02", Error;
    /// A metadata file lacks its id, or has another than its folder.
    F03 = "F-03", Error;
    /// The check itself failed.
    C00 = "C-00", Error;
    /// There are no workplans.
    C01 = "C-01", Warning;
    /// A workplan, or a part of one, does not parse.
    C02 = "C-02", Error;
    /// A file names something that the database does not know.
    C03 = "C-03", Error;
    /// Statuses of a workplan differ.
    C04 = "C-04", Warning;
    /// Titles differ.
    C05 = "C-05", Warning;
    /// A workplan is not linked.
    C06 = "C-06", Warning;
    /// An open workplan of the database has no file.
    C07 = "C-07", Warning;
    /// A finished workplan of the database has no file.
    C08 = "C-08", Warning;
    /// The database has a workplan or task under another repository.
    C09 = "C-09", Warning;
    /// The file is ahead of the database.
    C10 = "C-10", Warning;
    /// A task is not linked.
    C11 = "C-11", Warning;
    /// A task of the database has no block in its file.
    C12 = "C-12", Warning;
    /// All tasks are finished, the workplan is not.
    C13 = "C-13", Warning;
    /// A workplan without a file has the title of one that has one.
    C14 = "C-14", Warning;
    /// The database is ahead of the file (the seed's C-13).
    C15 = "C-15", Warning;
    /// The repository is behind its upstream (the seed's C-14).
    C16 = "C-16", Warning;
    /// Commits of an earlier run are not pushed.
    C17 = "C-17", Warning;
    /// What is planned differs.
    C19 = "C-19", Warning;
    /// The database lacks a dependency.
    C20 = "C-20", Warning;
    /// Descriptions differ.
    C22 = "C-22", Warning;
    /// A task is worked on, its workplan is not begun.
    C23 = "C-23", Warning;
}

impl Code {
    /// Tells whether something of the user's own was undone or moved, so that he is told even
    /// by a hook that is silent when all is mended.
    pub const fn touches_user_edits(self) -> bool {
        matches!(self, Self::S08 | Self::S09 | Self::S11)
    }

    /// Tells whether the local copy alone is wrong, so that the database counts all the same.
    pub const fn concerns_local_copy(self) -> bool {
        matches!(
            self,
            Self::S01 | Self::S02 | Self::S03 | Self::S04 | Self::S06
        )
    }

    /// Tells whether nothing may be handed on while this stands: item, phase, task, flags,
    /// claim or branch disagree.
    pub const fn blocks_handoff(self) -> bool {
        matches!(
            self,
            Self::S01 | Self::S02 | Self::S03 | Self::S04 | Self::S05 | Self::S06 | Self::S13
        )
    }
}

/// One difference between two copies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Divergence {
    /// Which kind.
    pub code: Code,
    /// How much it matters.
    pub severity: Severity,
    /// The session or workflow it is about.
    pub subject: String,
    /// Whose word counts.
    pub authority: &'static str,
    /// What that one says.
    pub expected: Option<String>,
    /// What the other one says.
    pub found: Option<String>,
    /// The line for a person, complete in itself.
    pub message: String,
    /// What ends it.
    pub fix: Advice,
}
