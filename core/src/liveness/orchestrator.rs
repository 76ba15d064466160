//! The judgement over orchestrators: pure.

use super::{Alive, ProcessEvidence, Vitality};
use crate::model::{Orchestrator, OrchestratorStatus};

/// Judges an orchestrator by its process, and by its heartbeat where that cannot be asked.
///
/// A session outlives its processes, so its death takes two witnesses. The process recorded
/// for an orchestrator *is* the orchestrator, whatever its heartbeat says: one that runs is
/// never displaced (seed 4 allowed that after 60 s), and one that is gone is dead at once.
/// `ceiling_seconds` bounds how long silence is endured where the process cannot be asked.
pub fn judge_orchestrator(
    orchestrator: &Orchestrator,
    evidence: ProcessEvidence,
    ceiling_seconds: u64,
) -> Vitality {
    let say = |alive, witness: String| Vitality {
        alive,
        witness,
        process: evidence,
        doubt_seconds: 0,
    };
    match orchestrator.status {
        OrchestratorStatus::Stopped => return say(Alive::Dead, "stopped".to_owned()),
        OrchestratorStatus::Crashed => return say(Alive::Dead, "marked crashed".to_owned()),
        OrchestratorStatus::Running | OrchestratorStatus::Stopping => {}
    }
    let (pid, silence) = (orchestrator.process.pid, orchestrator.silence_in_words());
    match evidence {
        ProcessEvidence::Running => say(Alive::Alive, format!("process {pid} is running")),
        ProcessEvidence::Gone => say(Alive::Dead, format!("process {pid} is gone")),
        ProcessEvidence::Unknown if orchestrator.silent_longer_than(ceiling_seconds) => {
            say(Alive::Dead, format!("{silence}, over the ceiling"))
        }
        ProcessEvidence::Unknown => say(
            Alive::Unknown,
            format!("{silence}, process {pid} cannot be checked"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixture::orchestrator;

    #[test]
    fn its_process_is_both_witnesses() {
        use OrchestratorStatus::{Crashed, Running, Stopped, Stopping};
        use ProcessEvidence as Process;
        for (status, silence, process, expected) in [
            // A heartbeat however late displaces nobody whose process runs.
            (Running, 0, Process::Running, Alive::Alive),
            (Running, 61, Process::Running, Alive::Alive),
            (Stopping, 1_000_000, Process::Running, Alive::Alive),
            // A heartbeat however fresh is no life without the process.
            (Running, 0, Process::Gone, Alive::Dead),
            (Stopping, 0, Process::Gone, Alive::Dead),
            // "Cannot ask" is not death before the ceiling, which itself still endures.
            (Running, 61, Process::Unknown, Alive::Unknown),
            (Running, 1_800, Process::Unknown, Alive::Unknown),
            (Running, 1_801, Process::Unknown, Alive::Dead),
            (Running, -5, Process::Unknown, Alive::Unknown),
            // A date of the future is no sign of life, and no word against a process.
            (Running, -61, Process::Unknown, Alive::Dead),
            (Running, -31_536_000, Process::Unknown, Alive::Dead),
            (Running, -31_536_000, Process::Running, Alive::Alive),
            // What ended has ended, though its process may do other things.
            (Stopped, 0, Process::Running, Alive::Dead),
            (Crashed, 0, Process::Running, Alive::Dead),
        ] {
            let vitality = judge_orchestrator(&orchestrator(status, silence), process, 1_800);
            assert_eq!(
                vitality.alive, expected,
                "{status} silent {silence} s, {process:?}: {}",
                vitality.witness
            );
        }
    }
}
