//! Which copy owns which field. Nothing else in the code decides who wins.

use crate::model::Field;

/// Who has the last word on a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authority {
    /// The database, always: a local edit is reported and undone.
    Database,
    /// The database; a local edit is a proposal on the revision it was made from.
    DatabaseByProposal,
    /// git: observed, never written.
    Git,
}

impl Authority {
    /// Returns the word a divergence shows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Database | Self::DatabaseByProposal => "database",
            Self::Git => "git",
        }
    }
}

/// Returns the authority of a field that the cache mirrors.
pub const fn of(field: Field) -> Authority {
    match field {
        // Who holds an item decides who works on what: a text editor must not move it.
        Field::Item => Authority::Database,
        Field::Phase
        | Field::Task
        | Field::IsActive
        | Field::WasInterrupted
        | Field::AutoProceed
        | Field::ChainOrchestrators => Authority::DatabaseByProposal,
    }
}
