//! Applies the actions of a decision and reads back their effect.

use std::io;

use serde_json::Map;

use super::cache_replacement::{CacheReplacement, ReplaceCacheError, replace_cache};
use super::observe::{Observation, observe_session};
use super::run_context::{RunContext, now};
use super::session_reports::report_journal_entry;
use crate::cache::CacheFile;
use crate::diagnostic::{Advice, Code, Divergence, Severity};
use crate::model::Session;
use crate::reconcile::{
    Action, Policy, Proposal, Reading, Reconciliation, list_other_advice, reconcile,
};
use crate::store::{HookStore, Provenance, StatePush, StoreError};

/// Rounds of observing and acting before giving up on a database that keeps changing.
const MAX_ROUNDS: usize = 5;

/// Why a session could not be trued up.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The database refused or could not be reached.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A rejected edit could not be written to the journal, so the file that holds it was left
    /// alone.
    #[error("the journal cannot be written, so nothing was replaced: {0}")]
    Journal(#[source] io::Error),
}

/// The result of truing up a session.
#[derive(Debug)]
pub struct TrueUpOutcome {
    /// The session as it is now.
    pub session: Session,
    /// The divergences of the first reading, and edits that were rejected later.
    pub found: Vec<Divergence>,
    /// The divergences that are still there.
    pub remaining: Vec<Divergence>,
    /// The cache file as it is now.
    pub file: CacheFile,
    /// The last reading of all sources.
    pub observation: Observation,
    /// Whether the cache was written.
    pub wrote_cache: bool,
    /// Whether a local edit was pushed to the database.
    pub pushed_edit: bool,
    /// Why something could not be fixed; one line each.
    pub problems: Vec<String>,
}

impl TrueUpOutcome {
    /// Returns the error-level findings that are gone now.
    pub fn fixed_findings(&self) -> Vec<Divergence> {
        let stands = |code| self.remaining.iter().any(|d| d.code == code);
        self.found
            .iter()
            .filter(|d| d.severity == Severity::Error && !stands(d.code))
            .cloned()
            .collect()
    }

    /// Returns the codes that were found and are gone now, each once.
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

/// Whether work may be handed off, and the commands that unblock it.
#[derive(Debug, Default)]
pub struct HandoffReadiness {
    /// Divergences that block the hand-off.
    pub forbidding: Vec<Divergence>,
    /// Blocking divergences of a copy that cannot be written. The database is still authoritative,
    /// so refusing because of them would leave the user no way out.
    pub unwritable: Vec<Divergence>,
    /// The commands that fix them, in the order to run them.
    pub fixes: Vec<Advice>,
    /// Commands that do the same as one of `fixes` in another way.
    pub alternatives: Vec<Advice>,
}

impl TrueUpOutcome {
    /// Decides whether work may be handed off.
    pub fn handoff_readiness(&self) -> HandoffReadiness {
        let mut forbidding = self.remaining.clone();
        forbidding.retain(|d| d.code.blocks_handoff());
        let is_unwritable =
            |d: &mut Divergence| !self.problems.is_empty() && d.code.concerns_local_copy();
        let unwritable = forbidding.extract_if(.., is_unwritable).collect();
        let mut fixes: Vec<Advice> = forbidding.iter().map(|d| d.advice.clone()).collect();
        fixes.dedup();
        let snapshot = &self.observation.snapshot;
        let alternatives = forbidding.iter().flat_map(|d| list_other_advice(d, snapshot));
        HandoffReadiness { alternatives: alternatives.collect(), forbidding, unwritable, fixes }
    }
}

/// Observes and decides without acting. Returns the session as the decision saw it.
///
/// # Errors
///
/// When the database cannot be read.
pub fn observe_and_decide(
    store: &mut dyn HookStore,
    mut session: Session,
    peers: &[Session],
    context: &RunContext,
) -> Result<(Session, Observation, Reconciliation), StoreError> {
    let mut observation = observe_session(store, &session, peers, context)?;
    // The cache is read after the database and may be newer because another process wrote both in
    // between. It counts as ahead only if the database is read again and has not changed.
    for _ in 0..MAX_ROUNDS {
        let is_cache_newer = observation.cache_is_newer();
        let Some(fresh) =
            is_cache_newer.then(|| store.reload_session(&session.id)).transpose()?.flatten()
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
        // Do not recreate the directory of a project that was removed, such as a deleted worktree.
        create_cache: !context.project.is_home
            && (exists
                || context.project.dir.is_dir()
                    && (context.project.git.is_some() || session.item.is_some())),
    };
    let mut decision = reconcile(&observation.snapshot, policy);
    if let Reading::Unavailable(_) = observation.snapshot.cache {
        let unreadable =
            decision.divergences.iter_mut().filter(|d| d.code == Code::CacheUnreadable);
        unreadable.for_each(|d| d.advice = observation.file.suggest_move_aside().into());
    }
    Ok((session, observation, decision))
}

/// Trues up the cache of a session with the database, and pushes local edits.
///
/// # Errors
///
/// When the database cannot be read or the journal cannot be written. A cache that cannot be
/// written is reported in `problems` and is not an error: the database is still authoritative.
pub fn true_up(
    store: &mut dyn HookStore,
    mut session: Session,
    peers: &[Session],
    context: &RunContext,
) -> Result<TrueUpOutcome, SyncError> {
    let mut first_findings: Option<Vec<Divergence>> = None;
    let mut progress = TrueUpProgress::default();
    // What the round before has mended, once that cannot be met again.
    let mut mended: Option<FinishedRound> = None;
    for round in 1.. {
        let (fresh_session, observation, mut decision) =
            match observe_and_decide(store, session, peers, context) {
                Ok(observed) => observed,
                // Nobody else would tell of the edits that this took out of the cache.
                Err(error) => {
                    let mended = mended.ok_or(error)?;
                    return Ok(progress.build_outcome(first_findings, mended));
                }
            };
        session = fresh_session;
        progress.report_kept_edits(&mut decision.divergences);
        let found = first_findings.get_or_insert_with(|| decision.divergences.clone());
        // Findings that appear in a later round, such as an edit rejected while it was being
        // pushed, are reported too.
        if round > 1 {
            let new = decision.divergences.iter().filter(|d| !found.contains(d));
            let new: Vec<Divergence> =
                new.filter(|d| d.code == Code::EditRejected).cloned().collect();
            found.extend(new);
        }
        let finished = decision.actions.is_empty() || round >= MAX_ROUNDS || progress.is_blocked();
        if finished {
            let remaining = decision.divergences;
            let last = FinishedRound { session, observation, remaining };
            return Ok(progress.build_outcome(first_findings, last));
        }
        for action in &decision.actions {
            match apply_action(store, &mut session, &observation, action, context, &mut progress)? {
                ActionOutcome::Done => {}
                ActionOutcome::ReadAgain => break,
            }
        }
        progress.report_kept_edits(found);
        progress.report_set_aside(found);
        let has_taken_edits = progress.wrote_cache && !progress.kept_edits.is_empty();
        match store.load_session(&session.id) {
            Ok(fresh) => session = fresh.unwrap_or(session),
            // The next reading fails as well, or finds what there is.
            Err(_) if has_taken_edits => {}
            Err(error) => return Err(error.into()),
        }
        mended = has_taken_edits.then(|| FinishedRound {
            session: session.clone(),
            observation,
            remaining: Vec::new(),
        });
    }
    unreachable!("the loop above ends by returning")
}

/// A round behind which nothing is left to do.
struct FinishedRound {
    session: Session,
    observation: Observation,
    remaining: Vec<Divergence>,
}

#[derive(Default)]
struct TrueUpProgress {
    wrote_cache: bool,
    pushed_edit: bool,
    problems: Vec<String>,
    /// Edits that are in the journal by now: the line before that, and the line since.
    kept_edits: Vec<(String, String)>,
    /// The name that the cache file was announced to be kept under, and the one that it got.
    set_aside: Option<(String, String)>,
}

impl TrueUpProgress {
    /// Builds the outcome from what the first round found and the last one left.
    fn build_outcome(self, found: Option<Vec<Divergence>>, last: FinishedRound) -> TrueUpOutcome {
        let FinishedRound { session, observation, remaining } = last;
        let file = CacheFile {
            path: observation.file.path.clone(),
            document: observation.file.document.clone(),
        };
        TrueUpOutcome {
            session,
            found: found.unwrap_or_default(),
            remaining,
            file,
            observation,
            wrote_cache: self.wrote_cache,
            pushed_edit: self.pushed_edit,
            problems: self.problems,
        }
    }

    /// Makes findings say of rejected edits that they are in the journal.
    fn report_kept_edits(&self, found: &mut [Divergence]) {
        for (planned, kept) in &self.kept_edits {
            replace_text(found, planned, kept);
        }
    }

    /// Makes findings say under which name the cache file is kept.
    fn report_set_aside(&mut self, found: &mut [Divergence]) {
        if let Some((planned, kept)) = self.set_aside.take() {
            replace_text(found, &planned, &kept);
        }
    }

    /// A file that could not be written in this round cannot be written in the next one either.
    fn is_blocked(&self) -> bool {
        !self.problems.is_empty()
    }
}

fn replace_text(found: &mut [Divergence], from: &str, to: &str) {
    for divergence in found.iter_mut().filter(|d| d.message.contains(from)) {
        divergence.message = divergence.message.replace(from, to);
    }
}

enum ActionOutcome {
    Done,
    ReadAgain,
}

fn apply_action(
    store: &mut dyn HookStore,
    session: &mut Session,
    observation: &Observation,
    action: &Action,
    context: &RunContext,
    progress: &mut TrueUpProgress,
) -> Result<ActionOutcome, SyncError> {
    match action {
        Action::Journal(lost) => {
            let recorded = context.journal().record(lost, now()).map_err(SyncError::Journal)?;
            if let Some(entry) = recorded {
                report_journal_entry(store, context, &entry);
            }
            progress.kept_edits.push((lost.render_planned_line(), lost.render_line()));
            Ok(ActionOutcome::Done)
        }
        Action::SetAside(why) => match observation.file.set_aside(*why, now()) {
            Ok(aside) => {
                let name = aside.file_name().unwrap_or_default().to_string_lossy();
                progress.set_aside = Some((why.describe_plan(), format!("kept aside as {name}")));
                Ok(ActionOutcome::Done)
            }
            Err(error) => {
                progress.problems.push(error.to_string());
                Ok(ActionOutcome::ReadAgain)
            }
        },
        Action::Push(proposal) => match store.push_state(&build_push(session, proposal)) {
            Ok(fresh) => {
                *session = fresh;
                progress.pushed_edit = true;
                Ok(ActionOutcome::Done)
            }
            // The decision was made on an older revision. The next round reads the new one and
            // writes the edit to the journal.
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
        metadata: Map::new(),
        branch: None,
        mark: None,
        acknowledge: true,
        provenance: Provenance::new(session.id.as_str(), "local edit"),
    }
}
