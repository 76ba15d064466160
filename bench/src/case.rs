//! The cases: the hook that runs, its setup, and what must hold afterwards.

use std::fs;

use serde_json::json;

use crate::BenchError;
use crate::binaries::Binaries;
use crate::measure::Task;
use crate::world::{IN_STEP_SESSION, Installation, STALE_SESSION, WORKING_SESSION};

/// The floor program that a case is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Floor {
    /// Nothing is written.
    Read,
    /// The database or a file is written.
    Write,
}

impl Floor {
    /// Returns the program.
    pub(crate) const fn program(self) -> &'static str {
        match self {
            Self::Read => "floor-read",
            Self::Write => "floor-write",
        }
    }
}

/// What a case does to the session's cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CacheChange {
    /// It is in step, and unchanged afterwards.
    Stays,
    /// It is made stale before, and fixed by the hook.
    Mended,
    /// It is in step, and gets the new task.
    Follows,
}

/// A hook in a situation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    /// Its name in table and budget.
    pub(crate) name: &'static str,
    /// The hook.
    pub(crate) program: &'static str,
    /// What it is compared with.
    pub(crate) floor: Floor,
    session: &'static str,
    event: &'static str,
    cache: CacheChange,
}

/// `session-start-sync` with a cache that is in step.
pub(crate) const SESSION_START: &str = "session start, in step";
/// The guard on a hand-off that may pass.
pub(crate) const HANDOFF_GUARD: &str = "guard, hand-off, consistent";
/// The push with nothing to do.
pub(crate) const CHECKPOINT_PUSH: &str = "push, nothing to do";

/// Every case.
pub(crate) const CASES: [Case; 7] = [
    Case {
        name: SESSION_START,
        program: "session-start-sync",
        floor: Floor::Write,
        session: IN_STEP_SESSION,
        event: "SessionStart",
        cache: CacheChange::Stays,
    },
    Case {
        name: "session start, drift mended",
        program: "session-start-sync",
        floor: Floor::Write,
        session: STALE_SESSION,
        event: "SessionStart",
        cache: CacheChange::Mended,
    },
    Case {
        name: "prompt, silent",
        program: "session-start-sync",
        floor: Floor::Read,
        session: IN_STEP_SESSION,
        event: "UserPromptSubmit",
        cache: CacheChange::Stays,
    },
    Case {
        name: CHECKPOINT_PUSH,
        program: "checkpoint-push",
        floor: Floor::Read,
        session: IN_STEP_SESSION,
        event: "PostToolUse",
        cache: CacheChange::Stays,
    },
    Case {
        name: "push, task captured",
        program: "checkpoint-push",
        floor: Floor::Write,
        session: WORKING_SESSION,
        event: "PostToolUse",
        cache: CacheChange::Follows,
    },
    Case {
        name: HANDOFF_GUARD,
        program: "pre-handoff-validate",
        floor: Floor::Read,
        session: IN_STEP_SESSION,
        event: "PreToolUse",
        cache: CacheChange::Stays,
    },
    Case {
        name: "guard, another command",
        program: "pre-handoff-validate",
        floor: Floor::Read,
        session: IN_STEP_SESSION,
        event: "PreToolUse",
        cache: CacheChange::Stays,
    },
];

impl Case {
    /// Sets the case up for one run; `round` makes the recorded task differ each time.
    pub(crate) fn prepare(
        &self,
        binaries: &Binaries,
        world: &Installation,
        round: usize,
    ) -> Result<Task, BenchError> {
        let place = world.find_place(self.session)?;
        if self.cache == CacheChange::Mended {
            fs::write(&place.cache, &place.stale)?;
        }
        let more = match (self.event, self.cache) {
            ("SessionStart", _) => json!({"source": "resume"}),
            ("UserPromptSubmit", _) => json!({"prompt": "go on with the work"}),
            ("PostToolUse", CacheChange::Follows) => json!({
                "tool_name": "TaskUpdate",
                "tool_input": {
                    "taskId": "1", "status": "in_progress", "subject": task_subject(round),
                },
                "tool_response": {"success": true, "taskId": "1"},
            }),
            ("PostToolUse", _) => json!({
                "tool_name": "Edit",
                "tool_input": {"file_path": place.dir.join("a.rs"), "old_string": "a",
                               "new_string": "b"},
                "tool_response": {"filePath": place.dir.join("a.rs")},
            }),
            _ => json!({
                "tool_name": "Bash",
                "tool_input": {"command": if self.name == HANDOFF_GUARD {
                    "trueup handoff create PLAN-TO-EXEC"
                } else {
                    "cargo test --workspace"
                }},
            }),
        };
        world.build_hook_task(binaries.path(self.program), self.session, self.event, &more)
    }

    /// Runs the case once and checks that the cache changed as expected.
    pub(crate) fn check_effect(
        &self,
        binaries: &Binaries,
        world: &Installation,
    ) -> Result<(), BenchError> {
        let round = usize::MAX;
        let task = self.prepare(binaries, world, round)?;
        let place = world.find_place(self.session)?;
        let before = fs::read(&place.cache)?;
        if let Some(line) = crate::measure::first_stderr_line(&task)? {
            return Err(format!("{}: it complained: {line}", self.name).into());
        }
        let after = fs::read(&place.cache)?;
        let text = String::from_utf8_lossy(&after);
        let holds = match self.cache {
            CacheChange::Stays => before == after,
            CacheChange::Mended => text.contains("what the database says"),
            CacheChange::Follows => text.contains(&task_subject(round)),
        };
        if holds { Ok(()) } else { Err(format!("{}: the cache became {text}", self.name).into()) }
    }
}

fn task_subject(round: usize) -> String {
    format!("the task of round {round}")
}

/// Builds a run of a floor program for the session in step.
pub(crate) fn floor_task(
    binaries: &Binaries,
    world: &Installation,
    floor: Floor,
) -> Result<Task, BenchError> {
    let place = world.find_place(IN_STEP_SESSION)?;
    let more = json!({"source": "resume"});
    let mut task = world.build_hook_task(
        binaries.path(floor.program()),
        IN_STEP_SESSION,
        "SessionStart",
        &more,
    )?;
    task.argument(world.database());
    task.argument(IN_STEP_SESSION);
    task.argument(place.dir.join("replaced.json"));
    Ok(task)
}
