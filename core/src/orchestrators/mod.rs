//! Runs of plans: starting one, and clearing those that died.
//!
//! [`crate::model::judge_orchestrator`] judges them. This module collects the evidence and repeats
//! a start when the database changed between reading and writing. There is no daemon: the next
//! command that looks clears what died.

use crate::liveness;
use crate::model::{
    DeadOrchestrator, Liveness, LivenessState, Orchestrator, OrchestratorId, ProcessState,
    judge_orchestrator,
};
use crate::store::{NewRun, Provenance, Result, RunRegistration, Store, StuckWorkStore};
use crate::sync::{ClockDoubt, RunContext};

/// Attempts before giving up on a plan whose orchestrators keep dying.
const MAX_ATTEMPTS: usize = 8;

/// The answer to the start of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartAnswer {
    /// The run has begun.
    Started(Orchestrator),
    /// The plan has an orchestrator that is not known to be dead.
    Refused {
        /// That orchestrator.
        holder: Orchestrator,
        /// Its liveness.
        liveness: Liveness,
    },
}

/// Makes the id of a new run.
pub fn new_orchestrator_id() -> OrchestratorId {
    OrchestratorId::from_random_bits(uuid::Uuid::now_v7().as_u128())
}

/// Judges an orchestrator from this machine.
pub fn judge_liveness(orchestrator: &Orchestrator, site: &RunContext) -> Liveness {
    let (process, host) = (&orchestrator.process, orchestrator.host.as_str());
    let evidence = liveness::check_process(Some(process), Some(host), &site.host);
    judge_orchestrator(orchestrator, evidence, site.settings.ceiling_seconds)
}

/// Judges an orchestrator by two readings of the clock where silence decides: the present reading
/// may be wrong, and a plan must not run twice.
fn confirm_liveness(
    store: &mut dyn StuckWorkStore,
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
    let confirmed = judge_orchestrator(orchestrator, first.process, ceiling);
    Ok(if confirmed.state == LivenessState::Dead { first } else { confirmed })
}

/// Starts a run of a plan, and clears a dead one that occupies it.
///
/// # Errors
///
/// When the database cannot be read.
pub fn start_run(store: &mut dyn Store, run: &NewRun, site: &RunContext) -> Result<StartAnswer> {
    let mut attempt = 1;
    loop {
        let holder = match store.register_orchestrator(run)? {
            RunRegistration::Started(orchestrator) => {
                return Ok(StartAnswer::Started(orchestrator));
            }
            RunRegistration::PlanTaken(holder) => holder,
        };
        let liveness = confirm_liveness(store, &holder, site, &mut ClockDoubt::default())?;
        if liveness.state != LivenessState::Dead || attempt == MAX_ATTEMPTS {
            return Ok(StartAnswer::Refused { holder, liveness });
        }
        store.record_orchestrator_crash(
            &holder,
            &Provenance::new(&run.provenance.actor, &liveness.evidence),
        )?;
        attempt += 1;
    }
}

/// Finds orchestrators that died. The check costs next to nothing while none runs.
///
/// # Errors
///
/// When the database cannot be read.
pub fn find_dead_orchestrators(
    store: &mut dyn StuckWorkStore,
    site: &RunContext,
) -> Result<Vec<DeadOrchestrator>> {
    let live = store.list_live_orchestrators()?;
    let mut doubt = ClockDoubt::default();
    let mut dead = Vec::new();
    for orchestrator in live {
        let liveness = confirm_liveness(store, &orchestrator, site, &mut doubt)?;
        if liveness.state == LivenessState::Dead {
            dead.push(DeadOrchestrator {
                orchestrator,
                evidence: liveness.evidence,
                interrupted: Vec::new(),
            });
        }
    }
    Ok(dead)
}

/// Clears orchestrators that died. Returns those that nobody else cleared first.
///
/// # Errors
///
/// When the database cannot be written.
pub fn clear_dead_orchestrators(
    store: &mut dyn StuckWorkStore,
    dead: Vec<DeadOrchestrator>,
    actor: &str,
) -> Result<Vec<DeadOrchestrator>> {
    let mut cleared = Vec::new();
    for DeadOrchestrator { orchestrator, evidence, .. } in dead {
        let provenance = Provenance::new(actor, &evidence);
        let crashed = store.record_orchestrator_crash(&orchestrator, &provenance)?;
        cleared.extend(crashed.map(|ended| DeadOrchestrator {
            interrupted: ended.describe_interrupted(),
            orchestrator: ended.orchestrator,
            evidence,
        }));
    }
    Ok(cleared)
}
