//! The one place where an error becomes an exit code, a line and a hint.

use serde_json::Value;
use trueup_core::consistency::CheckError;
use trueup_core::files::ChangeError;
use trueup_core::metadata::MetadataError;
use trueup_core::model::{ItemKey, Session};
use trueup_core::reconcile::Divergence;
use trueup_core::retention::PruneError;
use trueup_core::settings::ConfigError;
use trueup_core::store::StoreError;
use trueup_core::sync::SyncError;

/// Findings, or an operation that was refused.
pub(crate) const REFUSED: u8 = 1;
/// A command line that makes no sense, or no session.
pub(crate) const USAGE: u8 = 2;
/// The work could not be done.
pub(crate) const UNABLE: u8 = 3;

/// An error for the user.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: u8,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// Further lines of the message.
    pub(crate) details: Box<[String]>,
    pub(crate) hint: Option<String>,
    pub(crate) data: Box<Value>,
    pub(crate) divergences: Vec<Divergence>,
}

impl Failure {
    fn new(exit: u8, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            exit,
            code,
            message: message.into(),
            details: Box::default(),
            hint: None,
            data: Box::default(),
            divergences: Vec::new(),
        }
    }

    /// The operation was refused.
    pub(crate) fn refused(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(REFUSED, code, message)
    }

    /// The command line makes no sense.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(USAGE, "usage", message)
    }

    /// The work could not be done.
    pub(crate) fn unable(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(UNABLE, code, message)
    }

    /// No session was named, and none can be told.
    pub(crate) fn no_session() -> Self {
        Self::new(USAGE, "no_session", "no session could be determined: none lives in this worktree")
            .hint("name one with --session ID (`trueup sessions list` shows them), or run this inside Claude Code")
    }

    /// The id is the beginning of several.
    pub(crate) fn ambiguous(prefix: &str, candidates: &[&str]) -> Self {
        let message = format!(
            "{prefix} is the beginning of several: {}",
            candidates.join(", ")
        );
        Self::new(USAGE, "ambiguous_id", message).hint("write more of it")
    }

    /// The session has ended, and a command does not bring it back.
    pub(crate) fn session_ended(session: &Session) -> Self {
        let id = &session.id;
        let why = session.ended_reason.as_deref();
        let why = why.map_or(String::new(), |why| format!(" ({why})"));
        Self::refused("session_ended", format!("session {id} has ended{why}")).hint(format!(
            "`claude --resume {id}` takes it up again; `trueup sessions show {id}` reads it"
        ))
    }

    /// The session is not registered.
    pub(crate) fn phantom(session: &str) -> Self {
        Self::refused("phantom_session", format!("session {session} is not registered"))
            .hint("a session registers itself when Claude Code starts with the plugin; `trueup sessions list` shows those that did")
    }

    /// There is no such item.
    pub(crate) fn no_item(key: &ItemKey) -> Self {
        Self::refused("item_not_found", format!("there is no item {key}"))
            .hint("`trueup item list` shows the items")
    }

    /// Adds lines to the message.
    pub(crate) fn details(mut self, lines: Vec<String>) -> Self {
        self.details = lines.into();
        self
    }

    /// Returns the message with all its lines.
    pub(crate) fn whole_message(&self) -> String {
        let mut message = self.message.clone();
        for line in &self.details {
            message.push('\n');
            message.push_str(line);
        }
        message
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn data(mut self, data: Value) -> Self {
        *self.data = data;
        self
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let (code, message) = (error.code(), error.to_string());
        match error {
            StoreError::Missing(_) => Self::unable(code, message)
                .hint("`trueup db migrate` creates it; so does the first session of Claude Code"),
            StoreError::Unavailable(_) => Self::unable(code, message)
                .hint("check that the path exists, is yours and has space: `trueup doctor`"),
            StoreError::Contended(_) => Self::unable(code, message)
                .hint("try again; TRUEUP_DEADLINE_MS raises the limit"),
            StoreError::SchemaTooNew { .. } => Self::unable(code, message)
                .hint("a newer trueup wrote it: upgrade this one (install/install.sh)"),
            StoreError::CopyUnwritable(_) => Self::unable(code, message)
                .hint("name a file in a folder that exists, is yours and has space"),
            StoreError::Corrupt(_) => Self::unable(code, message).hint(
                "nothing was changed; put a backup in its place: trueup db restore FILE",
            ),
            StoreError::CopyUnusable(_) => Self::unable(code, message)
                .hint("nothing was changed; name a file that trueup db backup made"),
            StoreError::InUse(_) => Self::refused(code, message)
                .hint("nothing was changed; end what uses it, such as trueup-hub, `trueup log --follow` or sqlite3, and try again"),
            StoreError::Conflict(_) => {
                Self::refused(code, message).hint("look again with `trueup status` and repeat")
            }
            StoreError::Denied(_) | StoreError::Invalid(_) => Self::refused(code, message),
        }
    }
}

impl From<SyncError> for Failure {
    fn from(error: SyncError) -> Self {
        match error {
            SyncError::Store(error) => error.into(),
            SyncError::Journal(_) => Self::unable("journal_unwritable", error.to_string())
                .hint("check space and permissions of trueup's data directory: `trueup doctor`"),
        }
    }
}

impl From<PruneError> for Failure {
    fn from(error: PruneError) -> Self {
        match error {
            PruneError::Store(error) => error.into(),
            PruneError::Local(_) => Self::unable("io", error.to_string())
                .hint("check trueup's data directory: `trueup doctor`"),
        }
    }
}

impl From<CheckError> for Failure {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::Store(error) => error.into(),
            CheckError::Io(_) => Self::unable("io", error.to_string()).hint(
                "check that the repository and trueup's own directory can be read and written",
            ),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::unable("config", error.to_string())
            .hint("mend that line, or remove it for the default")
    }
}

impl From<&MetadataError> for Failure {
    fn from(error: &MetadataError) -> Self {
        let message = error.to_string();
        match error {
            MetadataError::Unparsable { .. } => Self::unable("metadata_corrupt", message)
                .hint("the file was left as it is; mend that line"),
            MetadataError::Symlink { .. } => {
                Self::unable("metadata_symlink", message).hint("put the file itself in its place")
            }
            MetadataError::Busy { .. } | MetadataError::Restless { .. } => {
                Self::unable("metadata_busy", message)
                    .hint("try again; TRUEUP_DEADLINE_MS raises the limit")
            }
            MetadataError::Io { .. } => Self::unable("io", message)
                .hint("check that the file is yours, and that there is space"),
        }
    }
}

impl From<ChangeError> for Failure {
    fn from(error: ChangeError) -> Self {
        let message = error.to_string();
        match error {
            ChangeError::Busy { .. } | ChangeError::Restless { .. } => {
                Self::unable("file_busy", message)
                    .hint("try again; TRUEUP_DEADLINE_MS raises the limit")
            }
            ChangeError::Io { .. } => Self::unable("io", message)
                .hint("check that file and folder are yours, and that there is space"),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::unable("io", error.to_string())
    }
}
