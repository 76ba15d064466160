//! Runs of plans: beginning one, and clearing those that died.
//!
//! The judgement is [`crate::liveness::judge_orchestrator`]; here are the readings it is made
//! from, and the repetition when the database moved between reading and writing. There is no
//! daemon: whoever looks next clears what died.

use crate::liveness::{self, Liveness, LivenessState, ProcessState};
use crate::model::{Orchestrator, OrchestratorId};
use crate::store::{NewRun, Provenance, Result, RunRegistration, Store};
use crate::sync::{ClockDoubt, RunContext};

/// Attempts before giving up on a plan whose orchestrators keep dying.
const MAX_ATTEMPTS: usize = 8;

/// Most names in a line of what was interrupted.
const MAX_NAMES_SHOWN: usize = 5;

/// An orchestrator that died without a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadOrchestrator {
    /// The row as it was read, or as it is since it was cleared.
    pub orchestrator: Orchestrator,
    /// What proves it.
    pub evidence: String,
    /// What was in progress under it and is put back, by name; nothing before it is cleared.
    pub interrupted: Vec<String>,
}

impl DeadOrchestrator {
    /// Returns the line that names it to a person.
    pub fn render_line(&self) -> String {
        let Orchestrator {
            id,
            plan,
            process,
            host,
            ..
        } = &self.orchestrator;
        let pid = process.pid;
        let what = if self.orchestrator.status.is_live() {
            "the next command that changes something records this"
        } else {
            "marked crashed"
        };
        let left = match describe_interrupted(&self.interrupted) {
            Some(line) => format!(", {line}"),
            None => String::new(),
        };
        format!(
            "orchestrator {id} of plan {plan} died (pid {pid} on {host}): {}; {what}{left}",
            self.evidence
        )
    }
}

/// Says in a line what a run left unfinished.
pub fn describe_interrupted(names: &[String]) -> Option<String> {
    let (first, more) = names.split_at(names.len().min(MAX_NAMES_SHOWN));
    let more = match more.len() {
        0 => String::new(),
        count => format!(" and {count} more"),
    };
    (!first.is_empty()).then(|| format!("interrupted {}{more}", first.join(", ")))
}

/// How an attempt to run a plan ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartAnswer {
    /// The run has begun.
    Started(Orchestrator),
    /// The plan has an orchestrator that is not known to be dead.
    Refused {
        /// Who runs it.
        holder: Orchestrator,
        /// How alive that one looks.
        vitality: Liveness,
    },
}

/// Makes the id of a run that is about to begin.
pub fn new_orchestrator_id() -> OrchestratorId {
    OrchestratorId::from_random_bits(uuid::Uuid::now_v7().as_u128())
}

/// Judges an orchestrator from here.
pub fn judge_liveness(orchestrator: &Orchestrator, site: &RunContext) -> Liveness {
    let (process, host) = (&orchestrator.process, orchestrator.host.as_str());
    let evidence = liveness::check_process(Some(process), Some(host), &site.host);
    liveness::judge_orchestrator(orchestrator, evidence, site.settings.ceiling_seconds)
}

/// Judges an orchestrator by two readings of the clock, where it is judged by a clock: the
/// present one may be wrong, and a plan must not run twice.
fn confirm_liveness(
    store: &mut dyn Store,
    orchestrator: &Orchestrator,
    site: &RunContext,
    doubt: &mut ClockDoubt,
) -> Result<Liveness> {
    let first = judge_liveness(orchestrator, site);
    let by_silence = first.state == LivenessState::Dead
        && first.process == ProcessState::Unknown
        && orchestrator.status.is_live();
    if !by_silence {
        return Ok(first);
    }
    let ceiling = doubt.extend_limit(site.settings.ceiling_seconds, store)?;
    let confirmed = liveness::judge_orchestrator(orchestrator, first.process, ceiling);
    Ok(if confirmed.state == LivenessState::Dead {
        first
    } else {
        confirmed
    })
}

/// Begins a run of a plan, clearing a dead one that is in its way.
///
/// # Errors
///
/// When the database cannot be asked.
pub fn start_run(store: &mut dyn Store, run: &NewRun, site: &RunContext) -> Result<StartAnswer> {
    let mut attempt = 1;
    loop {
        let holder = match store.register_orchestrator(run)? {
            RunRegistration::Started(orchestrator) => {
                return Ok(StartAnswer::Started(orchestrator));
            }
            RunRegistration::PlanTaken(holder) => holder,
        };
        let vitality = confirm_liveness(store, &holder, site, &mut ClockDoubt::default())?;
        if vitality.state != LivenessState::Dead || attempt == MAX_ATTEMPTS {
            return Ok(StartAnswer::Refused { holder, vitality });
        }
        store.record_orchestrator_crash(
            &holder,
            &Provenance::new(&run.provenance.actor, &vitality.evidence),
        )?;
        attempt += 1;
    }
}

/// Finds orchestrators that died; a reading that costs next to nothing where none runs.
///
/// # Errors
///
/// When the database cannot be asked.
pub fn find_dead_orchestrators(
    store: &mut dyn Store,
    site: &RunContext,
) -> Result<Vec<DeadOrchestrator>> {
    let live = store.list_live_orchestrators()?;
    let mut doubt = ClockDoubt::default();
    let mut dead = Vec::new();
    for orchestrator in live {
        let vitality = confirm_liveness(store, &orchestrator, site, &mut doubt)?;
        if vitality.state == LivenessState::Dead {
            dead.push(DeadOrchestrator {
                orchestrator,
                evidence: vitality.evidence,
                interrupted: Vec::new(),
            });
        }
    }
    Ok(dead)
}

/// Clears orchestrators that died; returns those that nobody else cleared first. Who does it
/// is asked only when there is something to do.
///
/// # Errors
///
/// When the database cannot be asked.
pub fn clear_dead_orchestrators<S: Store>(
    store: &mut S,
    site: &RunContext,
    actor: impl FnOnce(&mut S) -> String,
) -> Result<Vec<DeadOrchestrator>> {
    let dead = find_dead_orchestrators(store, site)?;
    if dead.is_empty() {
        return Ok(dead);
    }
    let actor = actor(store);
    let mut cleared = Vec::new();
    for DeadOrchestrator {
        orchestrator,
        evidence: witness,
        ..
    } in dead
    {
        let provenance = Provenance::new(&actor, &witness);
        let crashed = store.record_orchestrator_crash(&orchestrator, &provenance)?;
        cleared.extend(crashed.map(|ended| DeadOrchestrator {
            interrupted: ended.describe_interrupted(),
            orchestrator: ended.orchestrator,
            evidence: witness,
        }));
    }
    Ok(cleared)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_a_few_and_counts_the_rest() {
        let names = |count: usize| -> Vec<String> { (0..count).map(|n| format!("t{n}")).collect() };
        assert_eq!(describe_interrupted(&[]), None);
        assert_eq!(
            describe_interrupted(&names(2)).unwrap(),
            "interrupted t0, t1"
        );
        let line = describe_interrupted(&names(7)).unwrap();
        assert_eq!(line, "interrupted t0, t1, t2, t3, t4 and 2 more");
    }
}
