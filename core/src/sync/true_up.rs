//! Carrying the actions out, and reading back what became of them.

use std::io;
use std::time::Duration;

use super::observe::{Observation, observe_session};
use super::run_context::{RunContext, now};
use crate::cache::{self, CacheError, CacheFile, SyncStamp, WriteOutcome};
use crate::fs::FileLock;
use crate::model::Session;
use crate::reconcile::{
    Action, Advice, Code, Divergence, Policy, Proposal, Reading, Reconciliation, Severity,
    list_other_advice, reconcile,
};
use crate::store::{Provenance, StatePush, Store, StoreError};

/// Rounds of observing and mending before giving up on a database that keeps moving.
const MAX_ROUNDS: usize = 5;

/// Longest wait for another process that writes the same cache.
const CACHE_LOCK_PATIENCE: Duration = Duration::from_millis(200);

/// Why a state could not be trued up.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An edit could not be kept, so the file that holds it was not replaced.
    #[error("the journal cannot be written, so nothing was replaced: {0}")]
    Journal(#[source] io::Error),
}

/// What truing up came to.
#[derive(Debug)]
pub struct TrueUpOutcome {
    /// The session as it is now.
    pub session: Session,
    /// What differed at first.
    pub found: Vec<Divergence>,
    /// What still differs.
    pub remaining: Vec<Divergence>,
    /// The cache, as it is now.
    pub file: CacheFile,
    /// The last reading of everything.
    pub observation: Observation,
    /// Whether the cache was written.
    pub wrote_cache: bool,
    /// Whether a local edit was pushed.
    pub pushed_edit: bool,
    /// Why something could not be mended; one line each.
    pub problems: Vec<String>,
}

impl TrueUpOutcome {
    /// Returns the findings that no longer stand.
    pub fn fixed_findings(&self) -> Vec<Divergence> {
        let stands = |code| self.remaining.iter().any(|d| d.code == code);
        self.found
            .iter()
            .filter(|d| d.severity == Severity::Error && !stands(d.code))
            .cloned()
            .collect()
    }

    /// Returns the codes that were found and no longer stand, each once.
    pub fn fixed_codes(&self) -> Vec<Code> {
        let mut codes: Vec<Code> = self
            .found
            .iter()
            .map(|d| d.code)
            .filter(|code| !self.remaining.iter().any(|d| d.code == *code))
            .collect();
        codes.dedup();
        codes
    }
}

/// Whether work may be handed on, and what ends it where it may not.
#[derive(Debug, Default)]
pub struct HandoffReadiness {
    /// What forbids it.
    pub forbidding: Vec<Divergence>,
    /// What differs in a copy that cannot be written: the database is right all the same, and a
    /// refusal could be ended by nothing.
    pub unwritable: Vec<Divergence>,
    /// What ends it, in this order.
    pub fixes: Vec<Advice>,
    /// What does so in the place of one of them.
    pub alternatives: Vec<Advice>,
}

impl TrueUpOutcome {
    /// Decides whether work may be handed on.
    pub fn handoff_readiness(&self) -> HandoffReadiness {
        let mut forbidding = self.remaining.clone();
        forbidding.retain(|d| d.code.blocks_handoff());
        let is_unwritable =
            |d: &mut Divergence| !self.problems.is_empty() && d.code.concerns_local_copy();
        let unwritable = forbidding.extract_if(.., is_unwritable).collect();
        let mut fixes: Vec<Advice> = forbidding.iter().map(|d| d.fix.clone()).collect();
        fixes.dedup();
        let snapshot = &self.observation.snapshot;
        let alternatives = forbidding
            .iter()
            .flat_map(|d| list_other_advice(d, snapshot));
        HandoffReadiness {
            alternatives: alternatives.collect(),
            forbidding,
            unwritable,
            fixes,
        }
    }
}

/// Decides without acting; returns the session as it was when the decision was made.
///
/// # Errors
///
/// When the database cannot be asked.
pub fn observe_and_decide(
    store: &mut dyn Store,
    mut session: Session,
    peers: &[Session],
    context: &RunContext,
) -> Result<(Session, Observation, Reconciliation), StoreError> {
    let mut observation = observe_session(store, &session, peers, context)?;
    // The cache is read after the database, so it may be of a later moment, written by another
    // process in between. It is ahead only where the database, asked once more after the cache
    // was read, has not moved.
    for _ in 0..MAX_ROUNDS {
        let is_cache_newer = observation.cache_is_newer();
        let Some(fresh) = is_cache_newer
            .then(|| store.load_session(&session.id))
            .transpose()?
            .flatten()
        else {
            break;
        };
        if fresh.revision == session.revision {
            break;
        }
        session = fresh;
        observation = observe_session(store, &session, peers, context)?;
    }
    let exists = !matches!(observation.file.document, Reading::Missing);
    let policy = Policy {
        // A project that is gone, such as a worktree that was removed, is not made again.
        create_cache: !context.project.is_home
            && (exists
                || context.project.dir.is_dir()
                    && (context.project.git.is_some() || session.item.is_some())),
    };
    let mut decision = reconcile(&observation.snapshot, policy);
    if let Reading::Unavailable(_) = observation.snapshot.cache {
        let unreadable = decision
            .divergences
            .iter_mut()
            .filter(|d| d.code == Code::S08);
        unreadable.for_each(|d| d.fix = observation.file.suggest_move_aside().into());
    }
    Ok((session, observation, decision))
}

/// Brings cache and database into line for a session.
///
/// # Errors
///
/// When the database cannot be asked or the journal cannot be written. That the cache cannot
/// be written is a problem reported, not an error: the database is right all the same.
pub fn true_up(
    store: &mut dyn Store,
    mut session: Session,
    peers: &[Session],
    context: &RunContext,
) -> Result<TrueUpOutcome, SyncError> {
    let mut first_findings: Option<Vec<Divergence>> = None;
    let mut progress = TrueUpProgress::default();
    for round in 1.. {
        let (read, observation, decision) = observe_and_decide(store, session, peers, context)?;
        session = read;
        let found = first_findings.get_or_insert_with(|| decision.divergences.clone());
        // What turned up only later belongs to the findings too, such as an edit that lost
        // while it was being pushed.
        if round > 1 {
            let new = decision.divergences.iter().filter(|d| !found.contains(d));
            let new: Vec<Divergence> = new.filter(|d| d.code == Code::S11).cloned().collect();
            found.extend(new);
        }
        let finished = decision.actions.is_empty() || round >= MAX_ROUNDS || progress.is_blocked();
        if finished {
            let file = CacheFile {
                path: observation.file.path.clone(),
                document: observation.file.document.clone(),
            };
            return Ok(TrueUpOutcome {
                session,
                found: first_findings.unwrap_or_default(),
                remaining: decision.divergences,
                file,
                observation,
                wrote_cache: progress.wrote_cache,
                pushed_edit: progress.pushed_edit,
                problems: progress.problems,
            });
        }
        for action in &decision.actions {
            match apply_action(
                store,
                &mut session,
                &observation,
                action,
                context,
                &mut progress,
            )? {
                ActionOutcome::Done => {}
                ActionOutcome::ReadAgain => break,
            }
        }
        if let Some(fresh) = store.load_session(&session.id)? {
            session = fresh;
        }
    }
    unreachable!("the loop above ends by returning")
}

#[derive(Default)]
struct TrueUpProgress {
    wrote_cache: bool,
    pushed_edit: bool,
    problems: Vec<String>,
}

impl TrueUpProgress {
    /// A file that cannot be written now cannot be written in the next round either.
    fn is_blocked(&self) -> bool {
        !self.problems.is_empty()
    }
}

enum ActionOutcome {
    Done,
    ReadAgain,
}

fn apply_action(
    store: &mut dyn Store,
    session: &mut Session,
    observation: &Observation,
    action: &Action,
    context: &RunContext,
    progress: &mut TrueUpProgress,
) -> Result<ActionOutcome, SyncError> {
    match action {
        Action::Journal(lost) => {
            context
                .journal()
                .record(lost, now())
                .map_err(SyncError::Journal)?;
            Ok(ActionOutcome::Done)
        }
        Action::SetAside(why) => {
            if let Err(error) = observation.file.set_aside(*why, now()) {
                progress.problems.push(error.to_string());
                return Ok(ActionOutcome::ReadAgain);
            }
            Ok(ActionOutcome::Done)
        }
        Action::Push(proposal) => match store.push_state(&build_push(session, proposal)) {
            Ok(fresh) => {
                *session = fresh;
                progress.pushed_edit = true;
                Ok(ActionOutcome::Done)
            }
            // Decided on a state that is gone: the next round sees the new one, and the edit
            // goes to the journal then.
            Err(StoreError::Conflict(_)) => Ok(ActionOutcome::ReadAgain),
            Err(error) => Err(error.into()),
        },
        Action::ReplaceCache => {
            match replace_cache(store, session, observation, context) {
                Ok(CacheReplacement::Written) => progress.wrote_cache = true,
                Ok(CacheReplacement::Unchanged | CacheReplacement::ChangedMeanwhile) => {}
                Err(ReplaceCacheError::Store(error)) => return Err(error.into()),
                Err(ReplaceCacheError::Cache(problem)) => progress.problems.push(problem),
            }
            Ok(ActionOutcome::ReadAgain)
        }
    }
}

fn build_push(session: &Session, proposal: &Proposal) -> StatePush {
    StatePush {
        session: session.id.clone(),
        base: proposal.base,
        fencing_token: session.item.clone().zip(session.epoch),
        changes: proposal.changes.clone(),
        branch: None,
        mark: None,
        acknowledge: true,
        provenance: Provenance::new(session.id.as_str(), "local edit"),
    }
}

enum CacheReplacement {
    Written,
    Unchanged,
    ChangedMeanwhile,
}

enum ReplaceCacheError {
    Store(StoreError),
    Cache(String),
}

fn replace_cache(
    store: &mut dyn Store,
    session: &Session,
    observation: &Observation,
    context: &RunContext,
) -> Result<CacheReplacement, ReplaceCacheError> {
    let problem = |error: &dyn std::fmt::Display| ReplaceCacheError::Cache(error.to_string());
    let path = &observation.file.path;
    let lock_path = context.settings.paths.lock_of(path);
    if let Some(folder) = lock_path.parent() {
        crate::fs::create_private_dir(folder).map_err(|error| problem(&error))?;
    }
    let _lock = FileLock::acquire(
        &lock_path,
        CACHE_LOCK_PATIENCE.min(context.deadline.remaining()),
    )
    .map_err(|error| {
        ReplaceCacheError::Cache(format!(
            "{}: another process is writing it: {error}",
            path.display()
        ))
    })?;
    // Under the lock: an edit made since the decision must not be overwritten undecided, and
    // an older reading of the database must not replace a newer cache.
    let current = CacheFile::read(path);
    let was_set_aside = matches!(current.document, Reading::Missing);
    if current.document != observation.file.document && !was_set_aside {
        return Ok(CacheReplacement::ChangedMeanwhile);
    }
    let fresh = match store.load_session(&session.id) {
        Ok(Some(fresh)) => fresh,
        Ok(None) => return Ok(CacheReplacement::ChangedMeanwhile),
        Err(error) => return Err(ReplaceCacheError::Store(error)),
    };
    if fresh.revision != session.revision {
        return Ok(CacheReplacement::ChangedMeanwhile);
    }
    let Reading::Fresh(database) = &observation.snapshot.database else {
        return Ok(CacheReplacement::ChangedMeanwhile);
    };
    let state = fresh.execution_state();
    let mut database = database.clone();
    database.work = state.work;
    let stamp = SyncStamp {
        lineage: database.lineage.clone(),
        revision: fresh.revision,
        synced_at: now(),
    };
    let base = if was_set_aside {
        cache::CacheDocument::default()
    } else {
        observation.document_or_empty()
    };
    let branch = observation
        .snapshot
        .branch
        .as_ref()
        .map(|b| b.name.as_str());
    let document = base.trued_up(
        &session.id,
        &database.expected_work_state(),
        &state.history,
        branch,
        &stamp,
    );
    let written = current
        .write(&document)
        .map_err(|error: CacheError| problem(&error))?;
    if written == WriteOutcome::ChangedMeanwhile {
        return Ok(CacheReplacement::ChangedMeanwhile);
    }
    // A file that was there before trueup stamps it has not been told to git either.
    if !base.to_reading().is_stamped() {
        exclude_cache_from_git(context);
    }
    crate::fs::sweep_temp_files(path);
    Ok(if written == WriteOutcome::Replaced {
        CacheReplacement::Written
    } else {
        CacheReplacement::Unchanged
    })
}

/// A new file is told to git once; that it cannot be told is worth a line in the log alone.
fn exclude_cache_from_git(context: &RunContext) {
    if let Some(git) = &context.project.git
        && let Err(error) = cache::exclude_from_git(&git.common_dir)
    {
        let message = format!("{}: info/exclude: {error}", git.common_dir.display());
        context.log(crate::log::LogLevel::Warn, "cache", &message);
    }
}
