//! Carrying the actions out, and reading back what became of them.

use std::io;
use std::time::Duration;

use super::observe::{Observation, observe};
use super::site::{Site, now};
use crate::cache::lock::FileLock;
use crate::cache::{self, CacheError, CacheFile, Stamp, Written};
use crate::model::Session;
use crate::reconcile::{
    Action, Advice, Code, Divergence, Policy, Proposal, Reading, Reconciliation, Severity,
    other_ways, reconcile,
};
use crate::store::{Provenance, Push, Store, StoreError};

/// Rounds of observing and mending before giving up on a database that keeps moving.
const ROUNDS: usize = 5;

/// Longest wait for another process that writes the same cache.
const PATIENCE: Duration = Duration::from_millis(200);

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
pub struct TrueUp {
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
    pub wrote: bool,
    /// Whether a local edit was pushed.
    pub pushed: bool,
    /// Why something could not be mended; one line each.
    pub problems: Vec<String>,
}

impl TrueUp {
    /// Returns the findings that no longer stand.
    pub fn mended_findings(&self) -> Vec<Divergence> {
        let stands = |code| self.remaining.iter().any(|d| d.code == code);
        self.found
            .iter()
            .filter(|d| d.severity == Severity::Error && !stands(d.code))
            .cloned()
            .collect()
    }

    /// Returns the codes that were found and no longer stand, each once.
    pub fn mended(&self) -> Vec<Code> {
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
pub struct Standing {
    /// What forbids it.
    pub forbidding: Vec<Divergence>,
    /// What differs in a copy that cannot be written: the database is right all the same, and a
    /// refusal could be ended by nothing.
    pub stuck: Vec<Divergence>,
    /// What ends it, in this order.
    pub ways: Vec<Advice>,
    /// What does so in the place of one of them.
    pub other_ways: Vec<Advice>,
}

impl TrueUp {
    /// Decides whether work may be handed on.
    pub fn standing(&self) -> Standing {
        let mut forbidding = self.remaining.clone();
        forbidding.retain(|d| d.code.forbids_handoff());
        let is_stuck = |d: &mut Divergence| !self.problems.is_empty() && d.code.is_of_a_copy();
        let stuck = forbidding.extract_if(.., is_stuck).collect();
        let mut ways: Vec<Advice> = forbidding.iter().map(|d| d.fix.clone()).collect();
        ways.dedup();
        let snapshot = &self.observation.snapshot;
        let other_ways = forbidding.iter().flat_map(|d| other_ways(d, snapshot));
        Standing {
            other_ways: other_ways.collect(),
            forbidding,
            stuck,
            ways,
        }
    }
}

/// Decides without acting; returns the session as it was when the decision was made.
///
/// # Errors
///
/// When the database cannot be asked.
pub fn inspect(
    store: &mut dyn Store,
    mut session: Session,
    peers: &[Session],
    site: &Site,
) -> Result<(Session, Observation, Reconciliation), StoreError> {
    let mut observation = observe(store, &session, peers, site)?;
    // The cache is read after the database, so it may be of a later moment, written by another
    // process in between. It is ahead only where the database, asked once more after the cache
    // was read, has not moved.
    for _ in 0..ROUNDS {
        let newer = observation.cache_is_newer();
        let Some(fresh) = newer
            .then(|| store.session(&session.id))
            .transpose()?
            .flatten()
        else {
            break;
        };
        if fresh.revision == session.revision {
            break;
        }
        session = fresh;
        observation = observe(store, &session, peers, site)?;
    }
    let exists = !matches!(observation.file.document, Reading::Missing);
    let policy = Policy {
        // A project that is gone, such as a worktree that was removed, is not made again.
        create_cache: !site.project.is_home
            && (exists
                || site.project.dir.is_dir()
                    && (site.project.git.is_some() || session.item.is_some())),
    };
    let mut decision = reconcile(&observation.snapshot, policy);
    if let Reading::Unavailable(_) = observation.snapshot.cache {
        let unread = decision
            .divergences
            .iter_mut()
            .filter(|d| d.code == Code::S08);
        unread.for_each(|d| d.fix = observation.file.out_of_the_way().into());
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
    site: &Site,
) -> Result<TrueUp, SyncError> {
    let mut first: Option<Vec<Divergence>> = None;
    let mut tally = Tally::default();
    for round in 1.. {
        let (read, observation, decision) = inspect(store, session, peers, site)?;
        session = read;
        let found = first.get_or_insert_with(|| decision.divergences.clone());
        // What turned up only later belongs to the findings too, such as an edit that lost
        // while it was being pushed.
        if round > 1 {
            let new = decision.divergences.iter().filter(|d| !found.contains(d));
            let new: Vec<Divergence> = new.filter(|d| d.code == Code::S11).cloned().collect();
            found.extend(new);
        }
        let finished = decision.actions.is_empty() || round >= ROUNDS || tally.stuck();
        if finished {
            let file = CacheFile {
                path: observation.file.path.clone(),
                document: observation.file.document.clone(),
            };
            return Ok(TrueUp {
                session,
                found: first.unwrap_or_default(),
                remaining: decision.divergences,
                file,
                observation,
                wrote: tally.wrote,
                pushed: tally.pushed,
                problems: tally.problems,
            });
        }
        for action in &decision.actions {
            match act(store, &mut session, &observation, action, site, &mut tally)? {
                Step::Done => {}
                Step::ReadAgain => break,
            }
        }
        if let Some(fresh) = store.session(&session.id)? {
            session = fresh;
        }
    }
    unreachable!("the loop above ends by returning")
}

#[derive(Default)]
struct Tally {
    wrote: bool,
    pushed: bool,
    problems: Vec<String>,
}

impl Tally {
    /// A file that cannot be written now cannot be written in the next round either.
    fn stuck(&self) -> bool {
        !self.problems.is_empty()
    }
}

enum Step {
    Done,
    ReadAgain,
}

fn act(
    store: &mut dyn Store,
    session: &mut Session,
    observation: &Observation,
    action: &Action,
    site: &Site,
    tally: &mut Tally,
) -> Result<Step, SyncError> {
    match action {
        Action::Journal(lost) => {
            site.journal()
                .keep(lost, now())
                .map_err(SyncError::Journal)?;
            Ok(Step::Done)
        }
        Action::SetAside(why) => {
            if let Err(error) = observation.file.set_aside(*why, now()) {
                tally.problems.push(error.to_string());
                return Ok(Step::ReadAgain);
            }
            Ok(Step::Done)
        }
        Action::Push(proposal) => match store.push(&push(session, proposal)) {
            Ok(fresh) => {
                *session = fresh;
                tally.pushed = true;
                Ok(Step::Done)
            }
            // Decided on a state that is gone: the next round sees the new one, and the edit
            // goes to the journal then.
            Err(StoreError::Conflict(_)) => Ok(Step::ReadAgain),
            Err(error) => Err(error.into()),
        },
        Action::ReplaceCache => {
            match replace(store, session, observation, site) {
                Ok(Replaced::Written) => tally.wrote = true,
                Ok(Replaced::Same | Replaced::ChangedMeanwhile) => {}
                Err(Replacing::Store(error)) => return Err(error.into()),
                Err(Replacing::Cache(problem)) => tally.problems.push(problem),
            }
            Ok(Step::ReadAgain)
        }
    }
}

fn push(session: &Session, proposal: &Proposal) -> Push {
    Push {
        session: session.id.clone(),
        base: proposal.base,
        fence: session.item.clone().zip(session.epoch),
        changes: proposal.changes.clone(),
        branch: None,
        mark: None,
        acknowledge: true,
        provenance: Provenance::new(session.id.as_str(), "local edit"),
    }
}

enum Replaced {
    Written,
    Same,
    ChangedMeanwhile,
}

enum Replacing {
    Store(StoreError),
    Cache(String),
}

fn replace(
    store: &mut dyn Store,
    session: &Session,
    observation: &Observation,
    site: &Site,
) -> Result<Replaced, Replacing> {
    let problem = |error: &dyn std::fmt::Display| Replacing::Cache(error.to_string());
    let path = &observation.file.path;
    let lock_path = site.settings.paths.lock_of(path);
    if let Some(folder) = lock_path.parent() {
        crate::settings::private_dir(folder).map_err(|error| problem(&error))?;
    }
    let _lock =
        FileLock::exclusive(&lock_path, PATIENCE.min(site.deadline.left())).map_err(|error| {
            Replacing::Cache(format!(
                "{}: another process is writing it: {error}",
                path.display()
            ))
        })?;
    // Under the lock: an edit made since the decision must not be overwritten undecided, and
    // an older reading of the database must not replace a newer cache.
    let current = CacheFile::read(path);
    let was_set_aside = matches!(current.document, Reading::Missing);
    if current.document != observation.file.document && !was_set_aside {
        return Ok(Replaced::ChangedMeanwhile);
    }
    let fresh = match store.session(&session.id) {
        Ok(Some(fresh)) => fresh,
        Ok(None) => return Ok(Replaced::ChangedMeanwhile),
        Err(error) => return Err(Replacing::Store(error)),
    };
    if fresh.revision != session.revision {
        return Ok(Replaced::ChangedMeanwhile);
    }
    let Reading::Fresh(database) = &observation.snapshot.database else {
        return Ok(Replaced::ChangedMeanwhile);
    };
    let state = fresh.execution_state();
    let mut database = database.clone();
    database.work = state.work;
    let stamp = Stamp {
        lineage: database.lineage.clone(),
        revision: fresh.revision,
        synced_at: now(),
    };
    let base = if was_set_aside {
        cache::Document::default()
    } else {
        observation.document()
    };
    let branch = observation
        .snapshot
        .branch
        .as_ref()
        .map(|b| b.name.as_str());
    let document = base.trued_up(
        &session.id,
        &database.projection(),
        &state.history,
        branch,
        &stamp,
    );
    let written = current
        .write(&document)
        .map_err(|error: CacheError| problem(&error))?;
    if written == Written::ChangedMeanwhile {
        return Ok(Replaced::ChangedMeanwhile);
    }
    // A file that was there before trueup stamps it has not been told to git either.
    if !base.reading().is_stamped() {
        made_known_to_git(site);
    }
    crate::files::sweep_drafts(path);
    Ok(if written == Written::Yes {
        Replaced::Written
    } else {
        Replaced::Same
    })
}

/// A new file is told to git once; that it cannot be told is worth a line in the log alone.
fn made_known_to_git(site: &Site) {
    if let Some(git) = &site.project.git
        && let Err(error) = cache::exclude_from_git(&git.common_dir)
    {
        let message = format!("{}: info/exclude: {error}", git.common_dir.display());
        site.log(crate::diagnostics::Level::Warn, "cache", &message);
    }
}
