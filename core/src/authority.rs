//! Who has the last word where two copies disagree.
//!
//! [`Fact`] lists everything that more than one copy says, each with the rule that decides it.
//! Every comparison asks this table; none decides by itself. `docs/codes.md` shows it to users.

use crate::model::StateField;

/// The copy that is right where two disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authority {
    /// The database. A local edit is reported and undone.
    Database,
    /// The database, but a local edit is a proposal: it is pushed while the revision that it was
    /// made from is still the current one.
    DatabaseByProposal,
    /// The file that people write. The database takes it over.
    File,
    /// git, which is observed and never written.
    Git,
}

impl Authority {
    /// Returns the name that a divergence shows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Database | Self::DatabaseByProposal => "database",
            Self::File => "file",
            Self::Git => "git",
        }
    }
}

/// How the authority for a fact is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// It is always the same one.
    Fixed(Authority),
    /// The copy with the higher status rank is right, and the database where both are equal: a
    /// status never goes backwards unless somebody reopens the item.
    HigherRank,
}

impl Rule {
    /// Returns the authority where no ranks are at hand: under [`Rule::HigherRank`] the database,
    /// which keeps what it has until a file is ahead.
    pub const fn default_authority(self) -> Authority {
        match self {
            Self::Fixed(authority) => authority,
            Self::HigherRank => Authority::Database,
        }
    }

    /// Describes the rule in a phrase for `docs/codes.md`.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Fixed(Authority::DatabaseByProposal) => {
                "database; a local edit of the current revision is pushed"
            }
            Self::Fixed(authority) => authority.as_str(),
            Self::HigherRank => "the higher status rank, the database if equal",
        }
    }
}

/// Makes [`Fact`] from rows of name, rule and description.
macro_rules! facts {
    ($($name:ident => $rule:expr, $title:literal;)*) => {
        /// Something that more than one copy says.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Fact {
            $(#[doc = $title] $name,)*
        }

        impl Fact {
            /// Every fact, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Returns how the authority for it is found.
            pub const fn rule(self) -> Rule {
                match self {
                    $(Self::$name => $rule,)*
                }
            }

            /// Returns the authority for it, as [`Rule::default_authority`] has it.
            pub const fn authority(self) -> Authority {
                self.rule().default_authority()
            }

            /// Describes it in a phrase.
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$name => $title,)*
                }
            }
        }
    };
}

facts! {
    ClaimedItem => Rule::Fixed(Authority::Database),
        "the item that a session holds";
    WorkState => Rule::Fixed(Authority::DatabaseByProposal),
        "phase, task and flags of a session";
    Cache => Rule::Fixed(Authority::Database),
        "the cache file of a session as a whole";
    SessionRecord => Rule::Fixed(Authority::Database),
        "sessions and their waiting writes";
    Branch => Rule::Fixed(Authority::Git),
        "branch, commits and what of them is published";
    PhaseQueue => Rule::Fixed(Authority::Database),
        "workflow status, phase, assignment, times and errors of a workflow";
    Metadata => Rule::Fixed(Authority::File),
        "everything else in a workflow's metadata file";
    WorkplanText => Rule::Fixed(Authority::File),
        "title, description, place, priority, owner and dependencies in a workplan file";
    WorkplanExistence => Rule::Fixed(Authority::File),
        "which workplans and tasks there are";
    WorkplanLink => Rule::Fixed(Authority::Database),
        "which row of the database a workplan or task belongs to";
    Status => Rule::HigherRank,
        "the status of a workplan, of its tasks and of a plan's tasks";
    PlanText => Rule::Fixed(Authority::File),
        "titles, phases and dependencies in a plan file";
    RepoState => Rule::Fixed(Authority::File),
        "the state file of a repository, which other repositories only hold copies of";
}

/// Returns the authority for a field of the cache.
pub const fn of_state_field(field: StateField) -> Authority {
    let fact = match field {
        // The claim decides the item; a local edit of it cannot be a proposal.
        StateField::Item => Fact::ClaimedItem,
        StateField::Phase
        | StateField::Task
        | StateField::IsActive
        | StateField::WasInterrupted
        | StateField::AutoProceed
        | StateField::ChainOrchestrators => Fact::WorkState,
    };
    fact.authority()
}

/// Returns the authority for a status, from its rank in the file and in the database.
pub const fn of_status(file_rank: u8, database_rank: u8) -> Authority {
    if file_rank > database_rank { Authority::File } else { Fact::Status.authority() }
}
