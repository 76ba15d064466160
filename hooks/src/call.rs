//! One call of a hook, and what comes of it.

use std::cell::{Cell, RefCell};
use std::path::PathBuf;

use trueup_core::bounds::{PATH, PATH_PARTS};
use trueup_core::deadline::Deadline;
use trueup_core::hook::{Parsed, Response};
use trueup_core::model::{Epoch, ItemKey, Lineage, Revision, Session};
use trueup_core::outbox::Origin;
use trueup_core::reconcile::{CacheReading, Code, Divergence, Reading, Severity};
use trueup_core::settings::{Environment, Project, Settings, is_bounded};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{Provenance, StoreError};
use trueup_core::sync::{Site, observe_without_database};
use trueup_core::text::{Fence, visible_line};

/// Longest line of a finding, in characters.
const LONGEST_LINE: usize = 2_000;

/// What the database said of the session.
#[derive(Debug, Clone)]
struct Seen {
    lineage: Lineage,
    revision: Revision,
    claim: Option<(ItemKey, Epoch)>,
}

/// A call, with its surroundings.
#[derive(Debug)]
pub struct Call {
    /// What the client sent.
    pub payload: Parsed,
    /// The environment.
    pub environment: Environment,
    /// The project and its settings.
    pub site: Site,
    /// Names what the event says, whichever way it reaches the database.
    op_id: String,
    /// What the database last said of the session.
    seen: RefCell<Option<Seen>>,
    /// Whether what the event says is in the database.
    captured: Cell<bool>,
}

impl Call {
    /// Takes stock for a payload.
    pub fn new(
        payload: Parsed,
        environment: Environment,
        settings: Settings,
        deadline: Deadline,
    ) -> Self {
        let named = payload.cwd.as_ref().map(PathBuf::from);
        // JSON cannot name a directory that is no UTF-8; this process stands in it, too.
        let is_text = payload
            .cwd
            .as_ref()
            .is_some_and(|cwd| !cwd.contains('\u{fffd}'));
        let cwd = named.clone().filter(|cwd| is_text && is_bounded(cwd));
        let is_ignored = is_text && named != cwd
            || environment
                .path("CLAUDE_PROJECT_DIR")
                .is_some_and(|dir| !is_bounded(&dir));
        let fallback = || std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
        let project = Project::find(&environment, &cwd.clone().unwrap_or_else(fallback));
        // A subagent may work in a worktree and on a branch of its own.
        let stands_in = cwd.filter(|_| !payload.is_subagent);
        let mut site = Site::new(&environment, settings, project, stands_in, deadline);
        if is_ignored {
            site.warnings.push(format!(
                "a directory of more than {} parts or {} bytes is ignored",
                PATH_PARTS.most, PATH.most
            ));
        }
        Self {
            payload,
            environment,
            site,
            op_id: Provenance::new("", "").op_id,
            seen: RefCell::new(None),
            captured: Cell::new(false),
        }
    }

    /// Notes what the database says of the session: what the event says is written on that.
    pub(crate) fn saw(&self, session: &Session) {
        *self.seen.borrow_mut() = Some(Seen {
            lineage: session.lineage.clone(),
            revision: session.revision,
            claim: session.item.clone().zip(session.epoch),
        });
    }

    /// Returns what the event is written on: what the database said, else what is known of the
    /// database that was at its address, and of the session by the cache that it wrote.
    pub(crate) fn origin(&self) -> Origin {
        let database = self.site.settings.database_address();
        if let Some(seen) = self.seen.borrow().clone() {
            return Origin {
                database,
                lineage: Some(seen.lineage),
                base: Some(seen.revision),
                claim: seen.claim,
            };
        }
        let lineage = self.site.databases().last_at(&database);
        let stamp = self.cache().filter(|cache| {
            cache.session.as_ref() == Some(&self.payload.session)
                && lineage.is_some()
                && cache.lineage == lineage
        });
        Origin {
            database,
            lineage,
            base: stamp.and_then(|cache| cache.revision),
            claim: None,
        }
    }

    /// Notes that what the event says is in the database.
    pub(crate) fn note_captured(&self) {
        self.captured.set(true);
    }

    /// Tells whether what the event says is in the database.
    pub(crate) fn is_captured(&self) -> bool {
        self.captured.get()
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
    pub fn open_or_create(&self) -> Result<SqliteStore, StoreError> {
        SqliteStore::open_or_create(self.path()?, self.site.deadline).map(SqliteStore::until_exit)
    }

    /// Opens the database that is there.
    ///
    /// # Errors
    ///
    /// When it cannot be opened, or is not there.
    pub fn open(&self) -> Result<SqliteStore, StoreError> {
        SqliteStore::open(self.path()?, self.site.deadline).map(SqliteStore::until_exit)
    }

    /// Tells whether a database was here before: then a missing one is one that cannot be
    /// asked, and only a session's start may make another.
    pub fn was_synced(&self) -> bool {
        self.cache().is_some_and(|cache| cache.is_stamped())
    }

    fn cache(&self) -> Option<CacheReading> {
        let observation = observe_without_database(&self.payload.session, "", &self.site);
        match observation.snapshot.cache {
            Reading::Fresh(cache) => Some(cache),
            _ => None,
        }
    }

    fn path(&self) -> Result<&PathBuf, StoreError> {
        self.site
            .settings
            .sqlite_path()
            .map_err(StoreError::Unavailable)
    }

    /// Makes the provenance of a write by this session.
    pub fn provenance(&self, reason: &str) -> Provenance {
        Provenance::new(self.payload.session.as_str(), reason)
    }

    /// Makes a fence with a new nonce.
    pub fn fence(&self) -> Fence {
        let nonce = uuid::Uuid::new_v4().simple().to_string();
        let nonce = nonce.get(..12).unwrap_or(&nonce);
        // Twelve hexadecimal digits are a nonce by construction.
        Fence::new(nonce).unwrap_or_else(|_| unreachable!("a nonce of hexadecimal digits"))
    }
}

/// Joins the lines that a user should see; those for the record alone are left out.
pub(crate) fn lines(found: &[Divergence]) -> Option<String> {
    // Each stands on its own, so no text inside of one may begin another.
    let lines: Vec<String> = found
        .iter()
        .filter(|d| d.severity > Severity::Info)
        .map(|d| visible_line(&d.message, LONGEST_LINE))
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// Keeps of the findings mended on the way what a user is told while all else is silent: his
/// own work that was undone or moved. What was merely stale is not worth a word.
pub(crate) fn users_own(mut mended: Vec<Divergence>) -> Vec<Divergence> {
    mended.retain(|d| d.code.touches_the_users_own() || matches!(d.code, Code::S01 | Code::S02));
    mended
}

/// Says what could not be mended, a line each.
pub(crate) fn not_mended(problems: &[String]) -> Vec<String> {
    let line = |problem: &String| format!("trueup: not fixed: {problem}");
    problems.iter().map(line).collect()
}

/// What a hook does to the outside.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Printed on stdout.
    pub response: Response,
    /// Lines on stderr.
    pub notes: Vec<String>,
    /// Whether to refuse: exit code 2.
    pub refuse: bool,
    /// What there is to do once the answer is out.
    pub afterwards: Option<fn(&Call)>,
}

impl Outcome {
    /// Makes an outcome that is one line for the user.
    pub fn note(line: impl Into<String>) -> Self {
        Self {
            notes: vec![line.into()],
            ..Self::default()
        }
    }

    /// Tells the user lines before everything else.
    #[must_use]
    pub(crate) fn telling(mut self, mut lines: Vec<String>) -> Self {
        if !lines.is_empty() {
            lines.extend(self.response.system_message.take());
            self.response.system_message = Some(lines.join("\n"));
        }
        self
    }
}
