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
    /// A file is ahead of the database.
    #[serde(rename = "C-10")]
    C10,
    /// The database is ahead of a file; "C-13" in the seed.
    #[serde(rename = "C-15")]
    C15,
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
            Self::C10 => "C-10",
            Self::C15 => "C-15",
        }
    }

    /// Returns how much it matters (contract, section 8.2).
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
            | Self::F03 => Severity::Error,
            Self::S12 | Self::S14 | Self::S15 | Self::C10 | Self::C15 => Severity::Warning,
            Self::S07 | Self::S10 => Severity::Info,
        }
    }

    /// Tells whether something of the user's own was undone or moved, so that he is told even
    /// by a hook that is silent when all is mended.
    pub const fn touches_the_users_own(self) -> bool {
        matches!(self, Self::S08 | Self::S09 | Self::S11)
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
