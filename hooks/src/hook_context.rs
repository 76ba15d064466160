//! One call of a hook, and what comes of it.

use std::cell::{Cell, RefCell};
use std::path::PathBuf;

use trueup_core::bounds::{PATH, PATH_PARTS};
use trueup_core::deadline::Deadline;
use trueup_core::hook::{HookPayload, HookResponse};
use trueup_core::model::{Epoch, ItemKey, Lineage, Revision, Session};
use trueup_core::outbox::WriteOrigin;
use trueup_core::reconcile::{CacheReading, Code, Divergence, Reading, Severity};
use trueup_core::settings::{Environment, Project, Settings, is_within_path_bounds};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{Provenance, StoreError};
use trueup_core::sync::{RunContext, observe_without_database};
use trueup_core::text::{DataDelimiter, visible_line};

/// Longest line of a finding, in characters.
const MAX_LINE_CHARS: usize = 2_000;

/// What the database said of the session.
#[derive(Debug, Clone)]
struct SessionBase {
    lineage: Lineage,
    revision: Revision,
    claim: Option<(ItemKey, Epoch)>,
}

/// A call, with its surroundings.
#[derive(Debug)]
pub struct HookContext {
    /// What the client sent.
    pub payload: HookPayload,
    /// The environment.
    pub environment: Environment,
    /// The project and its settings.
    pub run: RunContext,
    /// Names what the event says, whichever way it reaches the database.
    op_id: String,
    /// What the database last said of the session.
    session_base: RefCell<Option<SessionBase>>,
    /// Whether what the event says is in the database.
    event_recorded: Cell<bool>,
}

impl HookContext {
    /// Takes stock for a payload.
    pub fn new(
        payload: HookPayload,
        environment: Environment,
        settings: Settings,
        deadline: Deadline,
    ) -> Self {
        let payload_dir = payload.cwd.as_ref().map(PathBuf::from);
        // JSON cannot name a directory that is no UTF-8; this process stands in it, too.
        let is_text = payload
            .cwd
            .as_ref()
            .is_some_and(|cwd| !cwd.contains('\u{fffd}'));
        let cwd = payload_dir
            .clone()
            .filter(|cwd| is_text && is_within_path_bounds(cwd));
        let dir_ignored = is_text && payload_dir != cwd
            || environment
                .path("CLAUDE_PROJECT_DIR")
                .is_some_and(|dir| !is_within_path_bounds(&dir));
        let fallback = || std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
        let project = Project::find(&environment, &cwd.clone().unwrap_or_else(fallback));
        // A subagent may work in a worktree and on a branch of its own.
        let working_dir = cwd.filter(|_| !payload.is_subagent);
        let mut run = RunContext::new(&environment, settings, project, working_dir, deadline);
        if dir_ignored {
            run.warnings.push(format!(
                "a directory of more than {} parts or {} bytes is ignored",
                PATH_PARTS.most, PATH.most
            ));
        }
        Self {
            payload,
            environment,
            run,
            op_id: Provenance::new("", "").op_id,
            session_base: RefCell::new(None),
            event_recorded: Cell::new(false),
        }
    }

    /// Notes what the database says of the session: what the event says is written on that.
    pub(crate) fn set_session_base(&self, session: &Session) {
        *self.session_base.borrow_mut() = Some(SessionBase {
            lineage: session.lineage.clone(),
            revision: session.revision,
            claim: session.item.clone().zip(session.epoch),
        });
    }

    /// Returns what the event is written on: what the database said, else what is known of the
    /// database that was at its address, and of the session by the cache that it wrote.
    pub(crate) fn resolve_origin(&self) -> WriteOrigin {
        let database = self.run.settings.database_address();
        if let Some(session_base) = self.session_base.borrow().clone() {
            return WriteOrigin {
                database,
                lineage: Some(session_base.lineage),
                base: Some(session_base.revision),
                claim: session_base.claim,
            };
        }
        let lineage = self.run.databases().last_known_at(&database);
        let stamp = self.read_cache().filter(|cache| {
            cache.session.as_ref() == Some(&self.payload.session)
                && lineage.is_some()
                && cache.lineage == lineage
        });
        WriteOrigin {
            database,
            lineage,
            base: stamp.and_then(|cache| cache.revision),
            claim: None,
        }
    }

    /// Notes that what the event says is in the database.
    pub(crate) fn mark_event_recorded(&self) {
        self.event_recorded.set(true);
    }

    /// Tells whether what the event says is in the database.
    pub(crate) fn is_event_recorded(&self) -> bool {
        self.event_recorded.get()
    }

    /// Returns the operation id of what the event says.
    pub(crate) fn op_id(&self) -> &str {
        &self.op_id
    }

    /// Opens the database, creating a missing one.
    ///
    /// # Errors
    ///
    /// When it cannot be opened.
    pub fn open_or_create_store(&self) -> Result<SqliteStore, StoreError> {
        SqliteStore::open_or_create(self.database_path()?, self.run.deadline)
            .map(SqliteStore::until_exit)
    }

    /// Opens the database that is there.
    ///
    /// # Errors
    ///
    /// When it cannot be opened, or is not there.
    pub fn open_store(&self) -> Result<SqliteStore, StoreError> {
        SqliteStore::open(self.database_path()?, self.run.deadline).map(SqliteStore::until_exit)
    }

    /// Tells whether a database was here before: then a missing one is one that cannot be
    /// asked, and only a session's start may make another.
    pub fn was_synced(&self) -> bool {
        self.read_cache().is_some_and(|cache| cache.is_stamped())
    }

    fn read_cache(&self) -> Option<CacheReading> {
        let observation = observe_without_database(&self.payload.session, "", &self.run);
        match observation.snapshot.cache {
            Reading::Fresh(cache) => Some(cache),
            _ => None,
        }
    }

    fn database_path(&self) -> Result<&PathBuf, StoreError> {
        self.run
            .settings
            .sqlite_path()
            .map_err(StoreError::Unavailable)
    }

    /// Makes the provenance of a write by this session.
    pub fn build_provenance(&self, reason: &str) -> Provenance {
        Provenance::new(self.payload.session.as_str(), reason)
    }

    /// Makes a fence with a new nonce.
    pub fn new_delimiter(&self) -> DataDelimiter {
        let nonce = uuid::Uuid::new_v4().simple().to_string();
        let nonce = nonce.get(..12).unwrap_or(&nonce);
        // Twelve hexadecimal digits are a nonce by construction.
        DataDelimiter::new(nonce).unwrap_or_else(|_| unreachable!("a nonce of hexadecimal digits"))
    }
}

/// Joins the lines that a user should see; those for the record alone are left out.
pub(crate) fn render_findings(divergences: &[Divergence]) -> Option<String> {
    // Each stands on its own, so no text inside of one may begin another.
    let lines: Vec<String> = divergences
        .iter()
        .filter(|d| d.severity > Severity::Info)
        .map(|d| visible_line(&d.message, MAX_LINE_CHARS))
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// Keeps of the findings mended on the way what a user is told while all else is silent: his
/// own work that was undone or moved. What was merely stale is not worth a word.
pub(crate) fn retain_user_work(mut fixed: Vec<Divergence>) -> Vec<Divergence> {
    fixed.retain(|d| d.code.touches_user_edits() || matches!(d.code, Code::S01 | Code::S02));
    fixed
}

/// Says what could not be mended, a line each.
pub(crate) fn render_unfixed(problems: &[String]) -> Vec<String> {
    let line = |problem: &String| format!("trueup: not fixed: {problem}");
    problems.iter().map(line).collect()
}

/// What a hook does to the outside.
#[derive(Debug, Default)]
pub struct HookOutcome {
    /// Printed on stdout.
    pub response: HookResponse,
    /// Lines on stderr.
    pub notes: Vec<String>,
    /// Whether to refuse: exit code 2.
    pub is_refusal: bool,
    /// What there is to do once the answer is out.
    pub after_output: Option<fn(&HookContext)>,
}

impl HookOutcome {
    /// Makes an outcome that is one line for the user.
    pub fn from_note(line: impl Into<String>) -> Self {
        Self {
            notes: vec![line.into()],
            ..Self::default()
        }
    }

    /// Tells the user lines before everything else.
    #[must_use]
    pub(crate) fn with_user_lines(mut self, mut lines: Vec<String>) -> Self {
        if !lines.is_empty() {
            lines.extend(self.response.system_message.take());
            self.response.system_message = Some(lines.join("\n"));
        }
        self
    }
}
