//! Errors of commands: the message, and the exit code, code and hint of its case.

mod cases;
mod hint;
#[cfg(test)]
mod reference;
mod table;

use serde_json::Value;
use trueup_core::consistency::CheckError;
use trueup_core::diagnostic::Divergence;
use trueup_core::fs::ChangeError;
use trueup_core::metadata::MetadataError;
use trueup_core::model::{ItemKey, Session};
use trueup_core::retention::PruneError;
use trueup_core::settings::ConfigError;
use trueup_core::store::sql::transfer::TransferError;
use trueup_core::store::{EngineError, StoreError};
use trueup_core::sync::SyncError;
use trueup_core::text::CommandLine;
use trueup_hooks::PullError;
use trueup_remote::{FailureKind, TransportError};

use crate::output::Output;

pub use cases::error_rows;
pub(crate) use cases::{
    CallerCase, DatabaseCase, FileCase, HandoffCase, ImportCase, InstallationCase, ItemCase,
    LogCase, MetadataCase, OrchestratorCase, PhaseCase, PlanCase, PortCase, RepoCase, TransferCase,
    UsageCase,
};
pub use hint::HintPromise;
pub(crate) use hint::HintText;
pub use table::ErrorRow;
pub(crate) use table::{ErrorCase, REFUSED, UNABLE, USAGE};

/// The result of a command, or of a step of one.
pub(crate) type CommandResult<T = Output> = Result<T, CommandError>;

/// An error that a command reports to its user.
#[derive(Debug)]
pub(crate) struct CommandError {
    pub(crate) case: Box<dyn ErrorCase>,
    pub(crate) message: String,
    /// Further lines of the message.
    pub(crate) details: Box<[String]>,
    pub(crate) data: Box<Value>,
    pub(crate) divergences: Vec<Divergence>,
}

impl CommandError {
    pub(crate) fn new(case: impl ErrorCase + 'static, message: impl Into<String>) -> Self {
        Self {
            case: Box::new(case),
            message: message.into(),
            details: Box::default(),
            data: Box::default(),
            divergences: Vec::new(),
        }
    }

    /// The command line cannot be understood; `help` is the command that explains it.
    pub(crate) fn usage(help: &'static str, message: impl Into<String>) -> Self {
        let help = CommandLine::new(help);
        Self::new(UsageCase::Usage { help }, message)
    }

    /// A variable of the environment has an invalid value.
    pub(crate) fn invalid_variable(name: &str, error: &dyn std::fmt::Display) -> Self {
        let case = UsageCase::Variable { name: name.into() };
        Self::new(case, format!("{name}: {error}"))
    }

    /// No session was named, and none can be determined.
    pub(crate) fn no_session() -> Self {
        let message = "no session could be determined: no live session in this worktree";
        Self::new(CallerCase::NoSession, message)
    }

    /// The id is a prefix of several ids.
    pub(crate) fn ambiguous_id(prefix: &str, candidates: &[&str], list: CommandLine) -> Self {
        let message = format!("{prefix} matches several: {}", candidates.join(", "));
        Self::new(CallerCase::AmbiguousId { list }, message)
    }

    /// The session has ended; commands do not revive it.
    pub(crate) fn session_ended(session: &Session) -> Self {
        let id = &session.id;
        let reason = session.ended_reason.as_deref();
        let reason = reason.map_or(String::new(), |reason| format!(" ({reason})"));
        let case = CallerCase::SessionEnded { session: id.into() };
        Self::new(case, format!("session {id} has ended{reason}"))
    }

    /// The session is dead; commands do not revive it.
    pub(crate) fn session_died(session: &Session, evidence: &str) -> Self {
        let id = &session.id;
        let case = CallerCase::SessionDied { session: id.into() };
        Self::new(case, format!("session {id} is dead ({evidence})"))
    }

    /// The session is not registered.
    pub(crate) fn session_not_registered(session: &str) -> Self {
        let message = format!("session {session} is not registered");
        Self::new(CallerCase::PhantomSession, message)
    }

    /// The item does not exist.
    pub(crate) fn item_not_found(key: &ItemKey) -> Self {
        Self::new(ItemCase::ItemNotFound, format!("item {key} does not exist"))
    }

    /// The operation id was used for another change.
    pub(crate) fn operation_id_used(message: impl Into<String>) -> Self {
        Self::new(UsageCase::OperationIdUsed, message)
    }

    /// Returns the exit code.
    pub(crate) fn exit_code(&self) -> u8 {
        self.case.row().exit
    }

    /// Returns the stable code for scripts.
    pub(crate) fn code(&self) -> &'static str {
        self.case.row().code
    }

    /// Tells whether the error is of this case.
    pub(crate) fn is(&self, case: &impl ErrorCase) -> bool {
        self.case.row().name == case.row().name
    }

    /// Renders the hint. Its commands get `caller_flags`, so that they act for the same session and
    /// project as the failed command.
    pub(crate) fn render_hint(&self, caller_flags: &str) -> String {
        hint::render_hint(&self.case.hint_parts(), caller_flags)
    }

    /// Adds lines to the message.
    pub(crate) fn with_details(mut self, lines: Vec<String>) -> Self {
        self.details = lines.into();
        self
    }

    /// Returns the message with all its lines.
    pub(crate) fn full_message(&self) -> String {
        let mut message = self.message.clone();
        for line in &self.details {
            message.push('\n');
            message.push_str(line);
        }
        message
    }

    pub(crate) fn with_data(mut self, data: Value) -> Self {
        *self.data = data;
        self
    }
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        let case = match error {
            StoreError::Missing(_) => DatabaseCase::DatabaseMissing,
            StoreError::NotCreated(_) => DatabaseCase::RemoteDatabaseMissing,
            StoreError::SchemaTooOld { .. } => DatabaseCase::SchemaTooOld,
            StoreError::Unavailable { source: Some(ref source), .. }
                if let Some(advice) = find_advice(source) =>
            {
                if is_about_rights(source) {
                    DatabaseCase::NotPermitted { advice }
                } else {
                    DatabaseCase::RemoteDatabase { advice }
                }
            }
            StoreError::Contended { source: Some(ref source), .. }
                if let Some(advice) = find_advice(source) =>
            {
                DatabaseCase::RemoteDatabaseBusy { advice }
            }
            StoreError::Unavailable { .. } => DatabaseCase::DatabaseUnavailable,
            StoreError::Contended { .. } => DatabaseCase::DatabaseContended,
            StoreError::SchemaTooNew { .. } => DatabaseCase::SchemaTooNew,
            StoreError::CopyUnwritable(_) => DatabaseCase::CopyUnwritable,
            StoreError::Corrupt { .. } | StoreError::Unreadable { .. } => {
                DatabaseCase::DatabaseCorrupt
            }
            StoreError::CopyUnusable(_) => DatabaseCase::CopyUnusable,
            StoreError::InUse(_) => DatabaseCase::DatabaseInUse,
            StoreError::Conflict(_) => DatabaseCase::Conflict,
            StoreError::Denied { .. } => DatabaseCase::Denied,
            StoreError::Invalid { .. } => DatabaseCase::Invalid,
        };
        Self::new(case, error.to_string())
    }
}

/// Returns what a person can do about the failure of a remote database.
fn find_advice(source: &EngineError) -> Option<HintText> {
    let advice = source.downcast_ref::<TransportError>()?.hint();
    Some(HintText::from(&advice))
}

/// Returns whether a server answers, and lets its user do less than was asked for.
fn is_about_rights(source: &EngineError) -> bool {
    source.downcast_ref::<TransportError>().is_some_and(|error| error.kind.is_about_rights())
}

/// Returns whether the user of the URL lacks a right.
pub(crate) fn is_permission_denied(error: &StoreError) -> bool {
    match error {
        StoreError::Unavailable { source: Some(source), .. } => source
            .downcast_ref::<TransportError>()
            .is_some_and(|error| error.kind == FailureKind::PermissionDenied),
        _ => false,
    }
}

impl From<TransferError> for CommandError {
    fn from(error: TransferError) -> Self {
        let message = error.to_string();
        match error {
            TransferError::Store(error) => error.into(),
            TransferError::Unreadable(_) => Self::new(FileCase::File, message),
            TransferError::Unwritable(_) => Self::new(DatabaseCase::CopyUnwritable, message),
            TransferError::Damaged { .. } => Self::new(TransferCase::ExportUnusable, message),
            TransferError::OtherSchema { .. } => {
                Self::new(TransferCase::ExportOfOtherSchema, message)
            }
            TransferError::Occupied(_) => Self::new(TransferCase::DatabaseOccupied, message),
            TransferError::Changed => Self::new(TransferCase::ExportOutrun, message),
            TransferError::NotAsExported(_) => Self::new(TransferCase::ImportNotVerified, message),
        }
    }
}

impl From<SyncError> for CommandError {
    fn from(error: SyncError) -> Self {
        match error {
            SyncError::Store(error) => error.into(),
            SyncError::Journal(_) => Self::new(FileCase::JournalUnwritable, error.to_string()),
        }
    }
}

impl From<PullError> for CommandError {
    fn from(error: PullError) -> Self {
        match error {
            PullError::Sync(error) => error.into(),
            PullError::Replica(_) => Self::new(FileCase::File, error.to_string()),
        }
    }
}

impl From<PruneError> for CommandError {
    fn from(error: PruneError) -> Self {
        match error {
            PruneError::Store(error) => error.into(),
            PruneError::Local(_) => Self::new(FileCase::DataDirectory, error.to_string()),
        }
    }
}

impl From<CheckError> for CommandError {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::Store(error) => error.into(),
            CheckError::Io(_) => Self::new(FileCase::File, error.to_string()),
        }
    }
}

impl From<ConfigError> for CommandError {
    fn from(error: ConfigError) -> Self {
        let case = match error {
            ConfigError::Io { .. } => DatabaseCase::ConfigurationUnreadable,
            ConfigError::Syntax { .. } | ConfigError::Value(_) => DatabaseCase::Configuration,
        };
        Self::new(case, error.to_string())
    }
}

impl From<&MetadataError> for CommandError {
    fn from(error: &MetadataError) -> Self {
        let case = match error {
            MetadataError::Unparsable { .. } => MetadataCase::MetadataCorrupt,
            MetadataError::Symlink { .. } => MetadataCase::MetadataSymlink,
            MetadataError::Busy { .. } | MetadataError::Restless { .. } => {
                MetadataCase::MetadataBusy
            }
            MetadataError::Io { .. } => return Self::new(FileCase::File, error.to_string()),
        };
        Self::new(case, error.to_string())
    }
}

impl From<ChangeError> for CommandError {
    fn from(error: ChangeError) -> Self {
        let case = match error {
            ChangeError::Busy { .. } | ChangeError::KeepsChanging { .. } => FileCase::FileBusy,
            ChangeError::Io { .. } => FileCase::File,
        };
        Self::new(case, error.to_string())
    }
}

impl From<std::io::Error> for CommandError {
    fn from(error: std::io::Error) -> Self {
        Self::new(FileCase::File, error.to_string())
    }
}
