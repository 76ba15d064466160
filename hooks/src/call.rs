//! One call of a hook, and what comes of it.

use std::path::PathBuf;

use trueup_core::bounds::{PATH, PATH_PARTS};
use trueup_core::deadline::Deadline;
use trueup_core::hook::{Parsed, Response};
use trueup_core::reconcile::{Code, Divergence, Reading, Severity};
use trueup_core::settings::{Environment, Project, Settings, is_bounded};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{Provenance, StoreError};
use trueup_core::sync::{Site, observe_without_database};
use trueup_core::text::{Fence, visible_line};

/// Longest line of a finding, in characters.
const LONGEST_LINE: usize = 2_000;

/// A call, with its surroundings.
#[derive(Debug)]
pub struct Call {
    /// What the client sent.
    pub payload: Parsed,
    /// The environment.
    pub environment: Environment,
    /// The project and its settings.
    pub site: Site,
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
        }
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
        let observation = observe_without_database(&self.payload.session, "", &self.site);
        matches!(observation.snapshot.cache, Reading::Fresh(cache) if cache.is_stamped())
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
    let line = |problem: &String| format!("trueup: not mended: {problem}");
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
}
