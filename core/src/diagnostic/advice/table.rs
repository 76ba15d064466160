//! The table of advice.

use std::path::{Path, PathBuf};

use crate::diagnostic::Code;
use crate::model::{AdwId, ItemKey, ItemStatus, SessionId};
use crate::text::CommandLine;

/// A line of a file that a person has to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileLine {
    /// The path, as it is shown.
    pub path: String,
    /// The line, from 1, or `None` for the whole file.
    pub line: Option<u64>,
}

impl FileLine {
    /// Makes a place from a file and a line; line 0 stands for the whole file.
    pub fn new(path: impl Into<String>, line: impl TryInto<u64>) -> Self {
        Self { path: path.into(), line: line.try_into().ok().filter(|line| *line > 0) }
    }

    /// Makes a place from a whole file.
    pub fn whole_file(path: impl Into<String>) -> Self {
        Self { path: path.into(), line: None }
    }

    fn render(&self, directory: Option<&Path>) -> String {
        let prefix = directory.map_or(String::new(), |dir| format!("{}/", dir.display()));
        match self.line {
            Some(line) => format!("{prefix}{}:{line}", self.path),
            None => format!("{prefix}{}", self.path),
        }
    }
}

/// The target of `git switch`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum BranchTarget {
    /// An existing branch.
    Existing(String),
    /// A new branch.
    New(String),
    /// No branch, which names no item either.
    #[default]
    Detached,
}

/// Makes the table of advice: for each row the values it needs and the codes it is given for.
macro_rules! rows {
    ($($(#[$doc:meta])* $name:ident $({ $($field:ident: $type:ty),* })? for $($code:ident)*;)*) => {
        /// A kind of advice, with its values.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum AdviceKind {
            $($(#[$doc])* $name $({ $(
                #[doc = concat!("The ", stringify!($field), ".")]
                $field: $type
            ),* })?,)*
        }

        /// A row of the table of advice.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum AdviceRow {
            $($(#[$doc])* $name,)*
        }

        impl AdviceRow {
            /// Every row.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Returns the codes that it is given for.
            pub const fn codes(self) -> &'static [Code] {
                match self {
                    $(Self::$name => &[$(Code::$code),*],)*
                }
            }
        }

        impl AdviceKind {
            /// Returns its row.
            pub const fn row(&self) -> AdviceRow {
                match self {
                    $(Self::$name $({ $($field: _),* })? => AdviceRow::$name,)*
                }
            }
        }
    };
}

rows! {
    /// True up the session: cache, database and journal.
    TrueUpSession for ItemDiffersFromClaim ItemDiffersFromState PhaseDiffers TaskDiffers FlagDiffers CacheMissing CacheUnreadable CacheFromOtherDatabase EditNotPushed;
    /// Restore a rejected edit from the journal.
    RestoreEdit { entry: String } for EditRejected;
    /// Switch to a branch of the claimed item.
    SwitchBranch { to: BranchTarget } for BranchNamesOtherItem;
    /// Claim an item that nobody holds.
    ClaimItem { item: String } for BranchNamesOtherItem ClaimTakenAway;
    /// Accept the loss of a claim.
    AcceptLoss for ClaimTakenAway;
    /// Move away what is in the place of the cache.
    MoveAside { from: PathBuf, to: PathBuf } for CacheUnreadable;
    /// Create the database.
    CreateDatabase for DatabaseUnreachable CheckFailed;
    /// Restore a damaged database from a backup.
    RestoreDatabase for DatabaseUnreachable CheckFailed;
    /// Remove what prevents the use of the database or a checkout.
    FixReportedCause for DatabaseUnreachable CheckFailed;
    /// End one of several sessions in a worktree.
    LeaveWorktree { session: SessionId } for WorktreeShared;
    /// Send the writes in the outbox.
    SendWaiting for WritesWaiting;
    /// Send writes to the other database that they are meant for.
    SendToOtherDatabase for WritesWaiting;
    /// Remove fields that the database owns from a metadata file, and set its id.
    FixMetadata { id: AdwId } for MetadataHasDatabaseField MetadataIdWrong;
    /// Set the id of a metadata file to the name of its directory.
    SetMetadataId { id: AdwId } for MetadataIdWrong;
    /// Edit a metadata file.
    EditMetadata { id: AdwId, place: FileLine } for FileInvalid;
    /// Edit a script.
    EditScript { place: FileLine, root: PathBuf } for MetadataHasDatabaseField;
    /// Correct numbers or ids in a plan file.
    FixPlanFile { path: PathBuf } for FileInvalid;
    /// Edit a plan file.
    EditPlanFile { path: PathBuf, place: FileLine } for FileInvalid FileAhead DatabaseAhead;
    /// Edit a plan file and import it again.
    ReimportPlan { path: PathBuf, place: FileLine } for FileInvalid;
    /// Import a plan file.
    ImportPlan { path: PathBuf } for FileInvalid FileAhead;
    /// True up database and checkout.
    FixCheckout for WorkplanStatusDiffers TitleDiffers WorkplanNotLinked WrongRepository FileAhead TaskNotLinked WorkplanStillOpen DatabaseAhead CommitsNotPushed PlanningDiffers DependencyMissing DescriptionDiffers WorkplanNotBegun;
    /// The same, after removing what prevented it.
    RetryCheckout for WorkplanStatusDiffers TitleDiffers WorkplanNotLinked WrongRepository FileAhead TaskNotLinked WorkplanStillOpen DatabaseAhead CommitsNotPushed PlanningDiffers DependencyMissing DescriptionDiffers WorkplanNotBegun;
    /// The same, after pulling.
    PullCheckout for BehindUpstream;
    /// The same, after merging.
    MergeCheckout for BehindUpstream;
    /// Push all commits, the user's included.
    Publish for CommitsNotPushed;
    /// The same, and true up database and checkout.
    PublishAndFix for CommitsNotPushed;
    /// Make a directory for workplans.
    MakeDirectory for NoWorkplans;
    /// Edit a workplan.
    EditWorkplan { place: FileLine } for WorkplanInvalid UnknownReference OpenWorkplanWithoutFile TaskNotLinked TaskWithoutBlock FileAhead DatabaseAhead;
    /// Give a workplan or task an id of its own.
    GiveOwnId { place: FileLine } for WorkplanInvalid WrongRepository;
    /// Remove an id from a workplan or task that the database knows for another one.
    ClearId { place: FileLine } for WorkplanInvalid UnknownReference;
    /// Set the status in the front matter of a workplan.
    SetFrontMatter { place: FileLine, to: String } for WorkplanStatusDiffers;
    /// Restore the file of a finished workplan, or the block of a finished task.
    RestoreInFile { item: ItemKey } for FinishedWorkplanWithoutFile TaskWithoutBlock;
    /// Finish an item in the database.
    FinishItem { item: ItemKey, to: ItemStatus } for OpenWorkplanWithoutFile TaskWithoutBlock WorkplanStillOpen UnlinkedDuplicate;
    /// Reopen an item that its file says is not finished.
    ReopenItem { item: ItemKey } for WorkplanStatusDiffers DatabaseAhead;
}

impl AdviceKind {
    /// Returns the advice for a store that cannot be read, by the code of the error.
    pub fn from_store_error(code: &str) -> Self {
        match code {
            "store_missing" => Self::CreateDatabase,
            "store_corrupt" => Self::RestoreDatabase,
            _ => Self::FixReportedCause,
        }
    }

    /// Returns what a person does first, where no command can. ", then run" follows the text.
    pub(super) fn by_hand(&self, directory: Option<&Path>) -> Option<String> {
        let shown = |place: &FileLine| place.render(directory);
        Some(match self {
            Self::RestoreDatabase => "replace BACKUP with the path of a backup".to_owned(),
            Self::FixReportedCause => "fix the reported cause".to_owned(),
            Self::LeaveWorktree { session } => {
                format!("end session {session} or move it to its own worktree")
            }
            Self::SendToOtherDatabase => {
                "replace URL with the database they wait for (see `trueup doctor`)".to_owned()
            }
            Self::EditMetadata { place, .. }
            | Self::EditScript { place, .. }
            | Self::EditPlanFile { place, .. }
            | Self::ReimportPlan { place, .. }
            | Self::EditWorkplan { place } => format!("correct {}", shown(place)),
            Self::RetryCheckout => "remove what kept it from being written".to_owned(),
            Self::GiveOwnId { place } => {
                format!("give {} its own id and clear its database id", shown(place))
            }
            Self::ClearId { place } => format!("clear the database id in {}", shown(place)),
            Self::SetFrontMatter { place, to } => {
                format!("set the status in {} to {to}", shown(place))
            }
            Self::RestoreInFile { item } => format!("restore {item} in its file"),
            _ => return None,
        })
    }

    /// Returns the command, for a session if one is given.
    pub(super) fn command(&self, session: Option<&SessionId>) -> CommandLine {
        let new = CommandLine::new;
        let of_session = |line: CommandLine| match session {
            Some(session) => line.with_words("--session").with_word(session.as_str()),
            None => line,
        };
        let true_up = || of_session(new("validate-session-state --fix"));
        let fix_checkout = || new("trueup check --fix");
        match self {
            Self::TrueUpSession => true_up(),
            Self::RestoreEdit { entry } => {
                let restore = of_session(new("trueup journal restore").with_word(entry));
                true_up().and_then(&restore)
            }
            Self::SwitchBranch { to } => switch_command(to),
            Self::ClaimItem { item } => of_session(new("trueup claim").with_word(item)),
            Self::AcceptLoss => of_session(new("trueup clear")),
            Self::MoveAside { from, to } => new("mv").with_path(from).with_path(to),
            Self::CreateDatabase => new("trueup db migrate"),
            Self::RestoreDatabase => new("trueup db restore BACKUP"),
            Self::FixReportedCause => new("trueup db status"),
            Self::LeaveWorktree { .. } => new("trueup sessions sweep"),
            Self::SendWaiting => new("trueup doctor --fix"),
            Self::SendToOtherDatabase => new("TRUEUP_DATABASE_URL=URL trueup doctor --fix"),
            Self::FixMetadata { id } => new("trueup meta fix").with_word(id.as_str()),
            Self::SetMetadataId { id } => {
                let value = format!("adw_id={id}");
                new("trueup meta set").with_word(id.as_str()).with_word(value)
            }
            Self::EditMetadata { id, .. } => new("trueup meta check").with_word(id.as_str()),
            Self::EditScript { root, .. } => new("trueup check --sources").with_path(root),
            Self::FixPlanFile { path } => {
                new("trueup plan validate").with_path(path).with_words("--fix")
            }
            Self::EditPlanFile { path, .. } => new("trueup plan validate").with_path(path),
            Self::ReimportPlan { path, .. } | Self::ImportPlan { path } => {
                new("trueup plan import").with_path(path)
            }
            Self::FixCheckout
            | Self::RetryCheckout
            | Self::EditWorkplan { .. }
            | Self::GiveOwnId { .. }
            | Self::ClearId { .. } => fix_checkout(),
            Self::PullCheckout => new("trueup check --fix --pull"),
            Self::MergeCheckout => new("git pull --no-rebase --no-edit").and_then(&fix_checkout()),
            Self::Publish => new("git push"),
            Self::PublishAndFix => new("git push").and_then(&fix_checkout()),
            Self::MakeDirectory => new("mkdir workplans"),
            Self::SetFrontMatter { .. } | Self::RestoreInFile { .. } => new("trueup check"),
            Self::FinishItem { item, to } => {
                let line = new("trueup item transition").with_word(item.as_str());
                line.with_word(to.as_str())
            }
            Self::ReopenItem { item } => {
                let line = new("trueup item reopen").with_word(item.as_str());
                let line = line.with_words("--reason 'work continues'");
                line.and_then(&fix_checkout())
            }
        }
    }
}

fn switch_command(to: &BranchTarget) -> CommandLine {
    let line = CommandLine::new("git switch");
    match to {
        BranchTarget::Existing(name) => line.with_word(name),
        BranchTarget::New(name) => line.with_words("-c").with_word(name),
        BranchTarget::Detached => line.with_words("--detach"),
    }
}
