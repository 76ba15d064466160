//! Runs of plans: beginning one, and clearing those that died.
//!
//! The judgement is [`crate::liveness::judge_orchestrator`]; here are the readings it is made
//! from, and the repetition when the database moved between reading and writing. There is no
//! daemon: whoever looks next clears what died.

use crate::liveness::{self, Alive, ProcessEvidence, Vitality};
use crate::model::{Orchestrator, OrchestratorId};
use crate::store::{NewRun, Provenance, Registered, Result, Store};
use crate::sync::{Doubt, Site};

/// Attempts before giving up on a plan whose orchestrators keep dying.
const ATTEMPTS: usize = 8;

/// Most names in a line of what was interrupted.
const MOST_NAMES: usize = 5;

/// An orchestrator that died without a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Death {
    /// The row as it was read, or as it is since it was cleared.
    pub orchestrator: Orchestrator,
    /// What proves it.
    pub witness: String,
    /// What was in progress under it and is put back, by name; nothing before it is cleared.
    pub interrupted: Vec<String>,
}

impl Death {
    /// Returns the line that names it to a person.
    pub fn line(&self) -> String {
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
        let left = match interrupted(&self.interrupted) {
            Some(line) => format!(", {line}"),
            None => String::new(),
        };
        format!(
            "orchestrator {id} of plan {plan} died (pid {pid} on {host}): {}; {what}{left}",
            self.witness
        )
    }
}

/// Says in a line what a run left unfinished.
pub fn interrupted(names: &[String]) -> Option<String> {
    let (first, more) = names.split_at(names.len().min(MOST_NAMES));
    let more = match more.len() {
        0 => String::new(),
        count => format!(" and {count} more"),
    };
    (!first.is_empty()).then(|| format!("interrupted {}{more}", first.join(", ")))
}

/// How an attempt to run a plan ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// The run has begun.
    Started(Orchestrator),
    /// The plan has an orchestrator that is not known to be dead.
    Refused {
        /// Who runs it.
        holder: Orchestrator,
        /// How alive that one looks.
        vitality: Vitality,
    },
}

/// Makes the id of a run that is about to begin.
pub fn new_id() -> OrchestratorId {
    OrchestratorId::of_random(uuid::Uuid::now_v7().as_u128())
}

/// Judges an orchestrator from here.
pub fn vitality(orchestrator: &Orchestrator, site: &Site) -> Vitality {
    let (process, host) = (&orchestrator.process, orchestrator.host.as_str());
    let evidence = liveness::evidence_of(Some(process), Some(host), &site.host);
    liveness::judge_orchestrator(orchestrator, evidence, site.settings.ceiling_seconds)
}

/// Judges an orchestrator by two readings of the clock, where it is judged by a clock: the
/// present one may be wrong, and a plan must not run twice.
fn sure_vitality(
    store: &mut dyn Store,
    orchestrator: &Orchestrator,
    site: &Site,
    doubt: &mut Doubt,
) -> Result<Vitality> {
    let seen = vitality(orchestrator, site);
    let by_silence = seen.alive == Alive::Dead
        && seen.process == ProcessEvidence::Unknown
        && orchestrator.status.is_live();
    if !by_silence {
        return Ok(seen);
    }
    let ceiling = doubt.added_to(site.settings.ceiling_seconds, store)?;
    let surely = liveness::judge_orchestrator(orchestrator, seen.process, ceiling);
    Ok(if surely.alive == Alive::Dead {
        seen
    } else {
        surely
    })
}

/// Begins a run of a plan, clearing a dead one that is in its way.
///
/// # Errors
///
/// When the database cannot be asked.
pub fn begin(store: &mut dyn Store, run: &NewRun, site: &Site) -> Result<Begun> {
    let mut attempt = 1;
    loop {
        let holder = match store.register_orchestrator(run)? {
            Registered::Started(orchestrator) => return Ok(Begun::Started(orchestrator)),
            Registered::Held(holder) => holder,
        };
        let vitality = sure_vitality(store, &holder, site, &mut Doubt::default())?;
        if vitality.alive != Alive::Dead || attempt == ATTEMPTS {
            return Ok(Begun::Refused { holder, vitality });
        }
        store.crash_orchestrator(
            &holder,
            &Provenance::new(&run.provenance.actor, &vitality.witness),
        )?;
        attempt += 1;
    }
}

/// Finds orchestrators that died; a reading that costs next to nothing where none runs.
///
/// # Errors
///
/// When the database cannot be asked.
pub fn dead(store: &mut dyn Store, site: &Site) -> Result<Vec<Death>> {
    let live = store.live_orchestrators()?;
    let mut doubt = Doubt::default();
    let mut dead = Vec::new();
    for orchestrator in live {
        let vitality = sure_vitality(store, &orchestrator, site, &mut doubt)?;
        if vitality.alive == Alive::Dead {
            dead.push(Death {
                orchestrator,
                witness: vitality.witness,
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
pub fn clear<S: Store>(
    store: &mut S,
    site: &Site,
    actor: impl FnOnce(&mut S) -> String,
) -> Result<Vec<Death>> {
    let dead = dead(store, site)?;
    if dead.is_empty() {
        return Ok(dead);
    }
    let actor = actor(store);
    let mut cleared = Vec::new();
    for Death {
        orchestrator,
        witness,
        ..
    } in dead
    {
        let provenance = Provenance::new(&actor, &witness);
        let crashed = store.crash_orchestrator(&orchestrator, &provenance)?;
        cleared.extend(crashed.map(|ended| Death {
            interrupted: ended.interrupted(),
            orchestrator: ended.orchestrator,
            witness,
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
        assert_eq!(interrupted(&[]), None);
        assert_eq!(interrupted(&names(2)).unwrap(), "interrupted t0, t1");
        let line = interrupted(&names(7)).unwrap();
        assert_eq!(line, "interrupted t0, t1, t2, t3, t4 and 2 more");
    }
}
