//! The context of one hook call, and its outcome.

use std::cell::{Cell, RefCell};
use std::path::PathBuf;

use trueup_core::bounds::{PATH, PATH_PARTS};
use trueup_core::deadline::Deadline;
use trueup_core::diagnostic::{Advice, AdviceKind, Code, Divergence, Severity};
use trueup_core::hook::{HookPayload, HookResponse};
use trueup_core::model::{Epoch, ItemKey, Lineage, Revision, Session};
use trueup_core::outbox::WriteOrigin;
use trueup_core::reconcile::{CacheReading, Reading};
use trueup_core::settings::{Environment, Project, Settings, is_within_path_bounds};
use trueup_core::store::{Provenance, StoreError};
use trueup_core::sync::{RunContext, SyncError, observe_without_database};
use trueup_core::text::{DataDelimiter, visible_line};

/// Longest line shown for a divergence, in characters.
const MAX_LINE_CHARS: usize = 2_000;

/// The session as the database last had it: an event is recorded on top of this.
#[derive(Debug, Clone)]
struct SessionBase {
    lineage: Lineage,
    revision: Revision,
    claim: Option<(ItemKey, Epoch)>,
}

/// One hook call: the payload, and the project, settings and database it concerns.
#[derive(Debug)]
pub struct HookContext {
    /// The payload that the client sent.
    pub payload: HookPayload,
    /// The environment variables of this process.
    pub environment: Environment,
    /// The project and its settings.
    pub run: RunContext,
    /// Operation id of the event: the same whether it is written at once or waits in the outbox.
    op_id: String,
    /// The session as last read from the database.
    session_base: RefCell<Option<SessionBase>>,
    /// Whether the event is recorded in the database.
    event_recorded: Cell<bool>,
}

impl HookContext {
    /// Builds the context of a payload. The deadline bounds everything that the hook does.
    pub(crate) fn new(
        payload: HookPayload,
        mut environment: Environment,
        settings: Settings,
        deadline: Deadline,
    ) -> Self {
        environment.hide(payload.client.foreign_variables());
        let payload_dir = payload.cwd.as_ref().map(PathBuf::from);
        // JSON cannot name a directory that is not UTF-8. The working directory of this process is
        // the same one, so it is used instead.
        let is_text = payload.cwd.as_ref().is_some_and(|cwd| !cwd.contains('\u{fffd}'));
        let cwd = payload_dir.clone().filter(|cwd| is_text && is_within_path_bounds(cwd));
        let dir_ignored = is_text && payload_dir != cwd
            || environment
                .path("CLAUDE_PROJECT_DIR")
                .is_some_and(|dir| !is_within_path_bounds(&dir));
        let fallback = || std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
        let project = Project::find(&environment, &cwd.clone().unwrap_or_else(fallback));
        // A subagent may work in its own worktree and on its own branch.
        let working_dir = cwd.filter(|_| !payload.is_subagent);
        let mut run = RunContext::new(&environment, settings, project, working_dir, deadline);
        run.agent = payload.client.label();
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

    /// Remembers the session as the database has it, which [`resolve_origin`](Self::resolve_origin)
    /// then returns.
    pub(crate) fn set_session_base(&self, session: &Session) {
        *self.session_base.borrow_mut() = Some(SessionBase {
            lineage: session.lineage.clone(),
            revision: session.revision,
            claim: session.item.clone().zip(session.epoch),
        });
    }

    /// Returns the state that the event's write is based on: the session as the database has it, or
    /// else the last database known at this address with the revision in the local cache. Where none
    /// was ever found at this address, the first contact decides which one it is.
    pub(crate) fn resolve_origin(&self) -> WriteOrigin {
        let database = self.run.settings.database_address();
        let address = Some(self.run.settings.database.to_string());
        if let Some(session_base) = self.session_base.borrow().clone() {
            // A command of the agent may have written the cache since the replica was read.
            let cache = self.read_cache().filter(|cache| {
                cache.session.as_ref() == Some(&self.payload.session)
                    && cache.lineage.as_ref() == Some(&session_base.lineage)
            });
            let of_cache = cache.and_then(|cache| cache.revision);
            return WriteOrigin {
                database,
                address,
                lineage: Some(session_base.lineage),
                base: Some(session_base.revision).max(of_cache),
                base_lineage: None,
                claim: session_base.claim,
            };
        }
        let lineage = self.run.databases().last_known_at(&database);
        let cache =
            self.read_cache().filter(|cache| cache.session.as_ref() == Some(&self.payload.session));
        let stamp = cache.filter(|cache| lineage.is_none() || cache.lineage == lineage);
        let base = stamp.as_ref().and_then(|cache| cache.revision);
        let base_lineage = stamp.filter(|_| lineage.is_none()).and_then(|cache| cache.lineage);
        WriteOrigin { database, address, lineage, base, base_lineage, claim: None }
    }

    /// Notes that the event is recorded in the database.
    pub(crate) fn mark_event_recorded(&self) {
        self.event_recorded.set(true);
    }

    /// Returns whether the event is recorded in the database.
    pub(crate) fn is_event_recorded(&self) -> bool {
        self.event_recorded.get()
    }

    /// Returns the event's operation id.
    pub(crate) fn op_id(&self) -> &str {
        &self.op_id
    }

    /// Returns whether the database is on a server.
    pub(crate) const fn is_remote(&self) -> bool {
        self.run.settings.is_remote()
    }

    /// Returns whether this project was synced before. If so, a missing database counts as
    /// unreachable, and only a session start may create another.
    pub fn was_synced(&self) -> bool {
        self.read_cache().is_some_and(|cache| cache.is_stamped())
    }

    /// Returns whether the server has no database of trueup, and this machine never found one there.
    /// No session is registered then, so there is nothing to save for later.
    pub(crate) fn is_never_created(&self, error: &SyncError) -> bool {
        let address = || self.run.settings.database_address();
        matches!(error, SyncError::Store(StoreError::NotCreated(_)))
            && self.run.databases().last_known_at(&address()).is_none()
    }

    fn read_cache(&self) -> Option<CacheReading> {
        let observation = observe_without_database(&self.payload.session, "", &self.run);
        match observation.snapshot.cache {
            Reading::Fresh(cache) => Some(cache),
            _ => None,
        }
    }

    /// Returns the file of an embedded database.
    pub(crate) fn database_path(&self) -> Result<&PathBuf, StoreError> {
        self.run.settings.sqlite_path().map_err(StoreError::unavailable)
    }

    /// Returns the provenance of a write by this session.
    pub fn build_provenance(&self, reason: &str) -> Provenance {
        Provenance::new(self.payload.session.as_str(), reason)
    }

    /// Returns a data delimiter with a new nonce.
    pub fn new_delimiter(&self) -> DataDelimiter {
        let nonce = uuid::Uuid::new_v4().simple().to_string();
        let nonce = nonce.get(..12).unwrap_or(&nonce);
        // Twelve hexadecimal digits are always a valid nonce.
        DataDelimiter::new(nonce).unwrap_or_else(|_| unreachable!("a nonce of hexadecimal digits"))
    }
}

/// Renders why the database could not be used, in one line. What its owner has to do first on a
/// server is named, since no hook does it.
pub(crate) fn render_failure(error: &SyncError) -> String {
    match error {
        SyncError::Store(StoreError::NotCreated(_) | StoreError::SchemaTooOld { .. }) => {
            format!("trueup: {error}; run: {}", Advice::from(AdviceKind::CreateDatabase))
        }
        _ => format!("trueup: {error}"),
    }
}

/// Renders the divergences that a user should see, one a line. Those of severity `info` are only
/// logged.
pub(crate) fn render_findings(divergences: &[Divergence]) -> Option<String> {
    // A line break inside a message would let quoted text pass for a message of its own.
    let lines: Vec<String> = divergences
        .iter()
        .filter(|d| d.severity > Severity::Info)
        .map(|d| visible_line(&d.message, MAX_LINE_CHARS))
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// Keeps the fixed divergences that changed the user's own work: edits that were undone, an item
/// that moved. A hook that otherwise prints nothing still reports these; a copy that was merely
/// stale is not reported.
pub(crate) fn keep_changes_to_user_work(mut fixed: Vec<Divergence>) -> Vec<Divergence> {
    fixed.retain(|d| {
        d.code.touches_user_edits()
            || matches!(d.code, Code::ItemDiffersFromClaim | Code::ItemDiffersFromState)
    });
    fixed
}

/// Renders what could not be fixed, one line each.
pub(crate) fn render_unfixed(problems: &[String]) -> Vec<String> {
    let line = |problem: &String| format!("trueup: not fixed: {problem}");
    problems.iter().map(line).collect()
}

/// What a hook prints and how it exits.
#[derive(Debug, Default)]
pub struct HookOutcome {
    /// Printed on stdout.
    pub response: HookResponse,
    /// Lines on stderr.
    pub notes: Vec<String>,
    /// Whether the hook refuses, with exit code 2.
    pub is_refusal: bool,
    /// Work to do after the answer was printed.
    pub after_output: Option<fn(&HookContext)>,
}

impl HookOutcome {
    /// Builds an outcome of one line on stderr.
    pub fn from_note(line: impl Into<String>) -> Self {
        Self { notes: vec![line.into()], ..Self::default() }
    }

    /// Builds an outcome of one line on stderr, which the user sees as well.
    pub(crate) fn for_user(line: String) -> Self {
        let response =
            HookResponse { system_message: Some(line.clone()), ..HookResponse::default() };
        Self { response, ..Self::from_note(line) }
    }

    /// Puts lines for the user before all others.
    #[must_use]
    pub(crate) fn with_user_lines(mut self, mut lines: Vec<String>) -> Self {
        if !lines.is_empty() {
            lines.extend(self.response.system_message.take());
            self.response.system_message = Some(lines.join("\n"));
        }
        self
    }
}
