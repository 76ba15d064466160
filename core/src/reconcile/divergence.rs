//! The catalogue of what can differ.

use serde::Serialize;

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

/// A code of the contract, section 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Code {
    /// The file names another item than the claim.
    #[serde(rename = "S-01")]
    S01,
    /// The file names another item than the state, and there is no claim.
    #[serde(rename = "S-02")]
    S02,
    /// Phases differ.
    #[serde(rename = "S-03")]
    S03,
    /// Tasks differ.
    #[serde(rename = "S-04")]
    S04,
    /// The branch names another item.
    #[serde(rename = "S-05")]
    S05,
    /// Flags differ.
    #[serde(rename = "S-06")]
    S06,
    /// There is no cache.
    #[serde(rename = "S-07")]
    S07,
    /// The cache cannot be read.
    #[serde(rename = "S-08")]
    S08,
    /// The cache was written for another database, or from a newer state of this one.
    #[serde(rename = "S-09")]
    S09,
    /// A local edit waits to be pushed.
    #[serde(rename = "S-10")]
    S10,
    /// A local edit lost.
    #[serde(rename = "S-11")]
    S11,
    /// The database cannot be asked.
    #[serde(rename = "S-12")]
    S12,
    /// The claim belongs to another session now.
    #[serde(rename = "S-13")]
    S13,
    /// Another live session works here.
    #[serde(rename = "S-14")]
    S14,
    /// Writes wait in the outbox.
    #[serde(rename = "S-15")]
    S15,
    /// A metadata file, or a script that reads or writes it, uses a field the database owns.
    #[serde(rename = "F-01")]
    F01,
    /// A metadata file does not parse, or a field of it breaks a rule (then a warning).
    #[serde(rename = "F-02")]
    F02,
    /// A metadata file lacks its id, or has another than its folder.
    #[serde(rename = "F-03")]
    F03,
    /// The check itself failed.
    #[serde(rename = "C-00")]
    C00,
    /// There are no workplans.
    #[serde(rename = "C-01")]
    C01,
    /// A workplan, or a part of one, does not parse.
    #[serde(rename = "C-02")]
    C02,
    /// A file names something that the database does not know.
    #[serde(rename = "C-03")]
    C03,
    /// Statuses of a workplan differ.
    #[serde(rename = "C-04")]
    C04,
    /// Titles differ.
    #[serde(rename = "C-05")]
    C05,
    /// A workplan is not linked.
    #[serde(rename = "C-06")]
    C06,
    /// An open workplan of the database has no file.
    #[serde(rename = "C-07")]
    C07,
    /// A finished workplan of the database has no file.
    #[serde(rename = "C-08")]
    C08,
    /// The database has a workplan or task under another repository.
    #[serde(rename = "C-09")]
    C09,
    /// The file is ahead of the database.
    #[serde(rename = "C-10")]
    C10,
    /// A task is not linked.
    #[serde(rename = "C-11")]
    C11,
    /// A task of the database has no block in its file.
    #[serde(rename = "C-12")]
    C12,
    /// All tasks are finished, the workplan is not.
    #[serde(rename = "C-13")]
    C13,
    /// A workplan without a file has the title of one that has one.
    #[serde(rename = "C-14")]
    C14,
    /// The database is ahead of the file (the seed's C-13).
    #[serde(rename = "C-15")]
    C15,
    /// The repository is behind its upstream (the seed's C-14).
    #[serde(rename = "C-16")]
    C16,
    /// Commits of an earlier run are not pushed.
    #[serde(rename = "C-17")]
    C17,
    /// What is planned differs.
    #[serde(rename = "C-19")]
    C19,
    /// The database lacks a dependency.
    #[serde(rename = "C-20")]
    C20,
    /// Descriptions differ.
    #[serde(rename = "C-22")]
    C22,
    /// A task is worked on, its workplan is not begun.
    #[serde(rename = "C-23")]
    C23,
}

impl Code {
    /// Returns the code as written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::S01 => "S-01",
            Self::S02 => "S-02",
            Self::S03 => "S-03",
            Self::S04 => "S-04",
            Self::S05 => "S-05",
            Self::S06 => "S-06",
            Self::S07 => "S-07",
            Self::S08 => "S-08",
            Self::S09 => "S-09",
            Self::S10 => "S-10",
            Self::S11 => "S-11",
            Self::S12 => "S-12",
            Self::S13 => "S-13",
            Self::S14 => "S-14",
            Self::S15 => "S-15",
            Self::F01 => "F-01",
            Self::F02 => "F-02",
            Self::F03 => "F-03",
            Self::C00 => "C-00",
            Self::C01 => "C-01",
            Self::C02 => "C-02",
            Self::C03 => "C-03",
            Self::C04 => "C-04",
            Self::C05 => "C-05",
            Self::C06 => "C-06",
            Self::C07 => "C-07",
            Self::C08 => "C-08",
            Self::C09 => "C-09",
            Self::C10 => "C-10",
            Self::C11 => "C-11",
            Self::C12 => "C-12",
            Self::C13 => "C-13",
            Self::C14 => "C-14",
            Self::C15 => "C-15",
            Self::C16 => "C-16",
            Self::C17 => "C-17",
            Self::C19 => "C-19",
            Self::C20 => "C-20",
            Self::C22 => "C-22",
            Self::C23 => "C-23",
        }
    }

    /// Returns how much it matters (contract, section 8.2; for workplans seed 3, where two fail and
    /// the rest warns).
    pub const fn severity(self) -> Severity {
        match self {
            Self::S01
            | Self::S02
            | Self::S03
            | Self::S04
            | Self::S05
            | Self::S06
            | Self::S08
            | Self::S09
            | Self::S11
            | Self::S13
            | Self::F01
            | Self::F02
            | Self::F03
            | Self::C00
            | Self::C02
            | Self::C03 => Severity::Error,
            Self::S12
            | Self::S14
            | Self::S15
            | Self::C01
            | Self::C04
            | Self::C05
            | Self::C06
            | Self::C07
            | Self::C08
            | Self::C09
            | Self::C10
            | Self::C11
            | Self::C12
            | Self::C13
            | Self::C14
            | Self::C15
            | Self::C16
            | Self::C17
            | Self::C19
            | Self::C20
            | Self::C22
            | Self::C23 => Severity::Warning,
            Self::S07 | Self::S10 => Severity::Info,
        }
    }

    /// Tells whether something of the user's own was undone or moved, so that he is told even
    /// by a hook that is silent when all is mended.
    pub const fn touches_the_users_own(self) -> bool {
        matches!(self, Self::S08 | Self::S09 | Self::S11)
    }

    /// Tells whether the local copy alone is wrong, so that the database counts all the same.
    pub const fn is_of_a_copy(self) -> bool {
        matches!(
            self,
            Self::S01 | Self::S02 | Self::S03 | Self::S04 | Self::S06
        )
    }

    /// Tells whether nothing may be handed on while this stands: item, phase, task, flags,
    /// claim or branch disagree.
    pub const fn forbids_handoff(self) -> bool {
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
    /// The one command that ends it.
    pub fix: Option<String>,
}
