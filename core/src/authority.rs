//! Which copy owns which field. Nothing else in the code decides who wins.

use crate::model::StateField;

/// Who has the last word on a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authority {
    /// The database, always: a local edit is reported and undone.
    Database,
    /// The database; a local edit is a proposal on the revision it was made from.
    DatabaseByProposal,
    /// The file that people write: the database takes it over.
    File,
    /// git: observed, never written.
    Git,
}

impl Authority {
    /// Returns the word a divergence shows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Database | Self::DatabaseByProposal => "database",
            Self::File => "file",
            Self::Git => "git",
        }
    }
}

/// Returns the authority of a field that the cache mirrors.
pub const fn of_state_field(field: StateField) -> Authority {
    match field {
        // Who holds an item decides who works on what: a text editor must not move it.
        StateField::Item => Authority::Database,
        StateField::Phase
        | StateField::Task
        | StateField::IsActive
        | StateField::WasInterrupted
        | StateField::AutoProceed
        | StateField::ChainOrchestrators => Authority::DatabaseByProposal,
    }
}

/// What a workplan file and the database both say of a workplan or a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkplanField {
    /// That it is there, and under which id.
    Existence,
    /// Title, description, place, priority, owner, dependencies, repository.
    Description,
    /// Which row it is: the id that the file carries.
    Link,
}

/// Returns the authority of what a workplan file says beside statuses.
pub const fn of_workplan(field: WorkplanField) -> Authority {
    match field {
        // A row without a block is reported and never deleted.
        WorkplanField::Existence | WorkplanField::Description => Authority::File,
        WorkplanField::Link => Authority::Database,
    }
}

/// Returns whose status counts, by the ranks of both: a status never goes backwards, and of
/// equal ones the database's stays (seed 3).
pub const fn of_status(file_rank: u8, database_rank: u8) -> Authority {
    if file_rank > database_rank {
        Authority::File
    } else {
        Authority::Database
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_never_goes_backwards() {
        for (file, database, expected) in [
            (0, 0, Authority::Database),
            (1, 0, Authority::File),
            (2, 1, Authority::File),
            (1, 1, Authority::Database),
            (1, 2, Authority::Database),
        ] {
            assert_eq!(of_status(file, database), expected, "{file} {database}");
        }
    }
}
