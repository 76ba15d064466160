//! The table of advice.

use std::path::{Path, PathBuf};

use crate::model::{AdwId, ItemKey, ItemStatus, SessionId};
use crate::reconcile::Code;
use crate::text::CommandLine;

/// A place in a file that a person changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileLine {
    /// The file, as it is shown.
    pub path: String,
    /// From 1; absent where the whole file is meant.
    pub line: Option<u64>,
}

impl FileLine {
    /// Takes a line of a file.
    pub fn new(path: impl Into<String>, line: impl TryInto<u64>) -> Self {
        Self {
            path: path.into(),
            line: line.try_into().ok().filter(|line| *line > 0),
        }
    }

    /// Takes a file as a whole.
    pub fn whole_file(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            line: None,
        }
    }

    fn render(&self, directory: Option<&Path>) -> String {
        let folder = directory.map_or(String::new(), |folder| format!("{}/", folder.display()));
        match self.line {
            Some(line) => format!("{folder}{}:{line}", self.path),
            None => format!("{folder}{}", self.path),
        }
    }
}

/// What `git switch` is told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum BranchTarget {
    /// A branch that there is.
    Existing(String),
    /// One that is made by it.
    New(String),
    /// None at all, which names no item either.
    #[default]
    Detached,
}

/// Makes the rows of the table: what each needs to know, and the codes that it is advised for.
macro_rules! rows {
    ($($(#[$doc:meta])* $name:ident $({ $($field:ident: $type:ty),* })? for $($code:ident)*;)*) => {
        /// A way to end a finding.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Way {
            $($(#[$doc])* $name $({ $(
                #[doc = concat!("The ", stringify!($field), ".")]
                $field: $type
            ),* })?,)*
        }

        /// A row of the table of advice.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Row {
            $($(#[$doc])* $name,)*
        }

        impl Row {
            /// Every row.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Returns the codes that it is advised for.
            pub const fn codes(self) -> &'static [Code] {
                match self {
                    $(Self::$name => &[$(Code::$code),*],)*
                }
            }
        }

        impl Way {
            /// Returns the row that it is of.
            pub const fn row(&self) -> Row {
                match self {
                    $(Self::$name $({ $($field: _),* })? => Row::$name,)*
                }
            }
        }
    };
}

rows! {
    /// The session is trued up: cache, database and journal.
    TrueUpSession for S01 S02 S03 S04 S06 S07 S08 S09 S10;
    /// A lost edit is kept, and made again.
    RestoreEdit { entry: String } for S11;
    /// The branch of the item that is held is checked out.
    SwitchBranch { to: BranchTarget } for S05;
    /// An item that nobody holds is claimed.
    ClaimItem { item: String } for S05 S13;
    /// The loss of a claim is accepted.
    AcceptLoss for S13;
    /// What stands in the place of the cache is moved away.
    MoveAside { from: PathBuf, to: PathBuf } for S08;
    /// The database is made.
    CreateDatabase for S12 C00;
    /// A backup is put in the place of a damaged database.
    RestoreDatabase for S12 C00;
    /// What keeps the database or a checkout from being used is ended.
    EndTrouble for S12 C00;
    /// A session of several in a worktree ends.
    LeaveWorktree { session: SessionId } for S14;
    /// What waits in the outbox is sent.
    SendWaiting for S15;
    /// What waits for another database is sent to that one.
    SendElsewhere for S15;
    /// A metadata file loses what the database owns, and gets its id.
    FixMetadata { id: AdwId } for F01 F03;
    /// A metadata file gets the id of its folder.
    SetMetadataId { id: AdwId } for F03;
    /// A metadata file is edited.
    EditMetadata { id: AdwId, place: FileLine } for F02;
    /// A script is edited.
    EditScript { place: FileLine, root: PathBuf } for F01;
    /// A plan's file gets right numbers or ids.
    FixPlanFile { path: PathBuf } for F02;
    /// A plan's file is edited.
    EditPlanFile { path: PathBuf, place: FileLine } for F02 C10 C15;
    /// A plan's file is edited, and taken over.
    ReimportPlan { path: PathBuf, place: FileLine } for F02;
    /// A plan's file is taken over.
    ImportPlan { path: PathBuf } for F02 C10;
    /// Database and checkout are trued up.
    FixCheckout for C04 C05 C06 C09 C10 C11 C13 C15 C17 C19 C20 C22 C23;
    /// They are, once what kept them from it has ended.
    RetryCheckout for C04 C05 C06 C09 C10 C11 C13 C15 C17 C19 C20 C22 C23;
    /// They are, after what others published was taken over.
    PullCheckout for C16;
    /// They are, after what others published was merged.
    MergeCheckout for C16;
    /// The user's commits and ours are published.
    Publish for C17;
    /// They are, and database and checkout are trued up.
    PublishAndFix for C17;
    /// A folder for workplans is made.
    MakeFolder for C01;
    /// A workplan is edited.
    EditWorkplan { place: FileLine } for C02 C03 C07 C11 C12 C15;
    /// A workplan or task gets an id that no other has.
    GiveOwnId { place: FileLine } for C02 C09;
    /// A workplan or task loses an id that is not its own in the database.
    EmptyId { place: FileLine } for C02 C03;
    /// The front matter says where its workplan stands.
    SetFrontMatter { place: FileLine, to: String } for C04;
    /// The file of a finished workplan, or the block of a finished task, comes back.
    BringBack { item: ItemKey } for C08 C12;
    /// An item ends in the database.
    EndItem { item: ItemKey, to: ItemStatus } for C04 C07 C10 C12 C13 C14;
    /// What ended in the database goes on, as its file says.
    ReopenItem { item: ItemKey } for C04 C15;
}

impl Way {
    /// Returns what ends it that a store cannot be asked, by the code of its error.
    pub fn from_store_error(code: &str) -> Self {
        match code {
            "store_missing" => Self::CreateDatabase,
            "store_corrupt" => Self::RestoreDatabase,
            _ => Self::EndTrouble,
        }
    }

    /// Returns what a person does first, where no command can. The texts end so that " by hand"
    /// may follow.
    pub(super) fn by_hand(&self, directory: Option<&Path>) -> Option<String> {
        let shown = |place: &FileLine| place.render(directory);
        Some(match self {
            Self::RestoreDatabase => "replace BACKUP with the path of a backup".to_owned(),
            Self::EndTrouble => "fix the reported cause".to_owned(),
            Self::LeaveWorktree { session } => {
                format!("end session {session} or move it to its own worktree,")
            }
            Self::SendElsewhere => {
                "replace URL with the database they wait for (see `trueup doctor`)".to_owned()
            }
            Self::EditMetadata { place, .. }
            | Self::EditScript { place, .. }
            | Self::EditPlanFile { place, .. }
            | Self::ReimportPlan { place, .. }
            | Self::EditWorkplan { place } => format!("correct {}", shown(place)),
            Self::RetryCheckout => "remove what kept it from being written".to_owned(),
            Self::GiveOwnId { place } => format!(
                "give {} its own id and clear its database id,",
                shown(place)
            ),
            Self::EmptyId { place } => format!("clear the database id in {}", shown(place)),
            Self::SetFrontMatter { place, to } => {
                format!("set the status in {} to {to}", shown(place))
            }
            Self::BringBack { item } => format!("restore {item} in its file"),
            _ => return None,
        })
    }

    /// Returns the command, for a session where one is named.
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
            Self::EndTrouble => new("trueup db status"),
            Self::LeaveWorktree { .. } => new("trueup sessions sweep"),
            Self::SendWaiting => new("trueup doctor --fix"),
            Self::SendElsewhere => new("TRUEUP_DATABASE_URL=URL trueup doctor --fix"),
            Self::FixMetadata { id } => new("trueup meta fix").with_word(id.as_str()),
            Self::SetMetadataId { id } => {
                let value = format!("adw_id={id}");
                new("trueup meta set")
                    .with_word(id.as_str())
                    .with_word(value)
            }
            Self::EditMetadata { id, .. } => new("trueup meta check").with_word(id.as_str()),
            Self::EditScript { root, .. } => new("trueup check --sources").with_path(root),
            Self::FixPlanFile { path } => new("trueup plan validate")
                .with_path(path)
                .with_words("--fix"),
            Self::EditPlanFile { path, .. } => new("trueup plan validate").with_path(path),
            Self::ReimportPlan { path, .. } | Self::ImportPlan { path } => {
                new("trueup plan import").with_path(path)
            }
            Self::FixCheckout
            | Self::RetryCheckout
            | Self::EditWorkplan { .. }
            | Self::GiveOwnId { .. }
            | Self::EmptyId { .. } => fix_checkout(),
            Self::PullCheckout => new("trueup check --fix --pull"),
            Self::MergeCheckout => new("git pull --no-rebase --no-edit").and_then(&fix_checkout()),
            Self::Publish => new("git push"),
            Self::PublishAndFix => new("git push").and_then(&fix_checkout()),
            Self::MakeFolder => new("mkdir workplans"),
            Self::SetFrontMatter { .. } | Self::BringBack { .. } => new("trueup check"),
            Self::EndItem { item, to } => {
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
