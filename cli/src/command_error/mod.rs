//! The one place where an error becomes an exit code, a line and a hint.

mod hint;
mod table;

use serde_json::Value;
use trueup_core::consistency::CheckError;
use trueup_core::fs::ChangeError;
use trueup_core::metadata::MetadataError;
use trueup_core::model::{ItemKey, Session};
use trueup_core::reconcile::Divergence;
use trueup_core::retention::PruneError;
use trueup_core::settings::ConfigError;
use trueup_core::store::StoreError;
use trueup_core::sync::SyncError;
use trueup_core::text::CommandLine;

pub use hint::Promise;
pub(crate) use hint::Said;
pub use table::{ERRORS, ErrorRow};
pub(crate) use table::{ErrorCase, REFUSED, UNABLE, USAGE};

/// An error for the user.
#[derive(Debug)]
pub(crate) struct CommandError {
    pub(crate) case: Box<ErrorCase>,
    pub(crate) message: String,
    /// Further lines of the message.
    pub(crate) details: Box<[String]>,
    pub(crate) data: Box<Value>,
    pub(crate) divergences: Vec<Divergence>,
}

impl CommandError {
    pub(crate) fn new(case: ErrorCase, message: impl Into<String>) -> Self {
        Self {
            case: Box::new(case),
            message: message.into(),
            details: Box::default(),
            data: Box::default(),
            divergences: Vec::new(),
        }
    }

    /// The command line makes no sense; `help` shows how it does.
    pub(crate) fn usage(help: &'static str, message: impl Into<String>) -> Self {
        let help = CommandLine::new(help);
        Self::new(ErrorCase::Usage { help }, message)
    }

    /// A variable of the environment makes no sense.
    pub(crate) fn invalid_variable(name: &str, error: &dyn std::fmt::Display) -> Self {
        let case = ErrorCase::Variable { name: name.into() };
        Self::new(case, format!("{name}: {error}"))
    }

    /// No session was named, and none can be told.
    pub(crate) fn no_session() -> Self {
        let message = "no session could be determined: no live session in this worktree";
        Self::new(ErrorCase::NoSession, message)
    }

    /// The id is the beginning of several.
    pub(crate) fn ambiguous_id(prefix: &str, candidates: &[&str]) -> Self {
        let message = format!("{prefix} matches several: {}", candidates.join(", "));
        Self::new(ErrorCase::AmbiguousId, message)
    }

    /// The session has ended, and a command does not bring it back.
    pub(crate) fn session_ended(session: &Session) -> Self {
        let id = &session.id;
        let why = session.ended_reason.as_deref();
        let why = why.map_or(String::new(), |why| format!(" ({why})"));
        let case = ErrorCase::SessionEnded { session: id.into() };
        Self::new(case, format!("session {id} has ended{why}"))
    }

    /// The session is not registered.
    pub(crate) fn session_not_registered(session: &str) -> Self {
        let message = format!("session {session} is not registered");
        Self::new(ErrorCase::PhantomSession, message)
    }

    /// There is no such item.
    pub(crate) fn item_not_found(key: &ItemKey) -> Self {
        Self::new(
            ErrorCase::ItemNotFound,
            format!("item {key} does not exist"),
        )
    }

    /// An operation id was used for something else.
    pub(crate) fn operation_id_used(message: impl Into<String>) -> Self {
        Self::new(ErrorCase::OperationIdUsed, message)
    }

    /// Returns the exit code.
    pub(crate) const fn exit_code(&self) -> u8 {
        self.case.row().exit
    }

    /// Returns the stable word for scripts.
    pub(crate) const fn code(&self) -> &'static str {
        self.case.row().code
    }

    /// Prints the hint. `speaks` holds the flags that its commands need to speak for whom the
    /// command spoke that failed.
    pub(crate) fn render_hint(&self, caller_flags: &str) -> String {
        hint::print(&self.case.advice(), caller_flags)
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
            StoreError::Missing(_) => ErrorCase::DatabaseMissing,
            StoreError::Unavailable(_) => ErrorCase::DatabaseUnavailable,
            StoreError::Contended(_) => ErrorCase::DatabaseContended,
            StoreError::SchemaTooNew { .. } => ErrorCase::SchemaTooNew,
            StoreError::CopyUnwritable(_) => ErrorCase::CopyUnwritable,
            StoreError::Corrupt(_) => ErrorCase::DatabaseCorrupt,
            StoreError::CopyUnusable(_) => ErrorCase::CopyUnusable,
            StoreError::InUse(_) => ErrorCase::DatabaseInUse,
            StoreError::Conflict(_) => ErrorCase::Conflict,
            StoreError::Denied(_) => ErrorCase::Denied,
            StoreError::Invalid(_) => ErrorCase::Invalid,
        };
        Self::new(case, error.to_string())
    }
}

impl From<SyncError> for CommandError {
    fn from(error: SyncError) -> Self {
        match error {
            SyncError::Store(error) => error.into(),
            SyncError::Journal(_) => Self::new(ErrorCase::JournalUnwritable, error.to_string()),
        }
    }
}

impl From<PruneError> for CommandError {
    fn from(error: PruneError) -> Self {
        match error {
            PruneError::Store(error) => error.into(),
            PruneError::Local(_) => Self::new(ErrorCase::DataDirectory, error.to_string()),
        }
    }
}

impl From<CheckError> for CommandError {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::Store(error) => error.into(),
            CheckError::Io(_) => Self::new(ErrorCase::File, error.to_string()),
        }
    }
}

impl From<ConfigError> for CommandError {
    fn from(error: ConfigError) -> Self {
        Self::new(ErrorCase::Configuration, error.to_string())
    }
}

impl From<&MetadataError> for CommandError {
    fn from(error: &MetadataError) -> Self {
        let case = match error {
            MetadataError::Unparsable { .. } => ErrorCase::MetadataCorrupt,
            MetadataError::Symlink { .. } => ErrorCase::MetadataSymlink,
            MetadataError::Busy { .. } | MetadataError::Restless { .. } => ErrorCase::MetadataBusy,
            MetadataError::Io { .. } => ErrorCase::File,
        };
        Self::new(case, error.to_string())
    }
}

impl From<ChangeError> for CommandError {
    fn from(error: ChangeError) -> Self {
        let case = match error {
            ChangeError::Busy { .. } | ChangeError::KeepsChanging { .. } => ErrorCase::FileBusy,
            ChangeError::Io { .. } => ErrorCase::File,
        };
        Self::new(case, error.to_string())
    }
}

impl From<std::io::Error> for CommandError {
    fn from(error: std::io::Error) -> Self {
        Self::new(ErrorCase::File, error.to_string())
    }
}
