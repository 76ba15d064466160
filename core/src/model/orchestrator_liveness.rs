//! Judges whether an orchestrator lives.

use super::{Liveness, LivenessState, ProcessState};
use crate::model::{Orchestrator, OrchestratorStatus};

/// Judges an orchestrator by its process, or by its heartbeat where the process cannot be checked.
///
/// A session may outlive its processes, so its death needs two pieces of evidence. The process
/// recorded for an orchestrator *is* the orchestrator: while it runs the orchestrator is never
/// displaced, however old its heartbeat, and when it is gone the orchestrator is dead at once.
/// `ceiling_seconds` is the longest silence accepted where the process cannot be checked.
pub fn judge_orchestrator(
    orchestrator: &Orchestrator,
    process: ProcessState,
    ceiling_seconds: u64,
) -> Liveness {
    let answer = |alive, evidence: String| Liveness {
        state: alive,
        evidence,
        process,
        clock_doubt_seconds: 0,
    };
    match orchestrator.status {
        OrchestratorStatus::Stopped => return answer(LivenessState::Dead, "stopped".to_owned()),
        OrchestratorStatus::Crashed => {
            return answer(LivenessState::Dead, "marked crashed".to_owned());
        }
        OrchestratorStatus::Running | OrchestratorStatus::Stopping => {}
    }
    let (pid, silence) = (orchestrator.process.pid, orchestrator.describe_silence());
    match process {
        ProcessState::Running => answer(LivenessState::Alive, format!("process {pid} is running")),
        ProcessState::Gone => answer(LivenessState::Dead, format!("process {pid} is gone")),
        ProcessState::Unknown if orchestrator.is_silent_longer_than(ceiling_seconds) => {
            answer(LivenessState::Dead, format!("{silence}, over the ceiling"))
        }
        ProcessState::Unknown => {
            answer(LivenessState::Unknown, format!("{silence}, process {pid} cannot be checked"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixture::sample_orchestrator;

    #[test]
    fn the_process_alone_decides_whether_it_lives() {
        use OrchestratorStatus::{Crashed, Running, Stopped, Stopping};
        use ProcessState as Process;
        for (status, silence, process, expected) in [
            // A late heartbeat displaces nobody whose process runs.
            (Running, 0, Process::Running, LivenessState::Alive),
            (Running, 61, Process::Running, LivenessState::Alive),
            (Stopping, 1_000_000, Process::Running, LivenessState::Alive),
            // A fresh heartbeat proves no life without the process.
            (Running, 0, Process::Gone, LivenessState::Dead),
            (Stopping, 0, Process::Gone, LivenessState::Dead),
            // "Cannot check" does not mean dead up to and including the ceiling.
            (Running, 61, Process::Unknown, LivenessState::Unknown),
            (Running, 1_800, Process::Unknown, LivenessState::Unknown),
            (Running, 1_801, Process::Unknown, LivenessState::Dead),
            (Running, -5, Process::Unknown, LivenessState::Unknown),
            // A future date proves no life, and says nothing against a process.
            (Running, -61, Process::Unknown, LivenessState::Dead),
            (Running, -31_536_000, Process::Unknown, LivenessState::Dead),
            (Running, -31_536_000, Process::Running, LivenessState::Alive),
            // An orchestrator that ended has ended, even if its process does other things.
            (Stopped, 0, Process::Running, LivenessState::Dead),
            (Crashed, 0, Process::Running, LivenessState::Dead),
        ] {
            let liveness =
                judge_orchestrator(&sample_orchestrator(status, silence), process, 1_800);
            assert_eq!(
                liveness.state, expected,
                "{status} silent {silence} s, {process:?}: {}",
                liveness.evidence
            );
        }
    }
}
