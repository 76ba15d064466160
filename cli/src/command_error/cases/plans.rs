//! Errors of plans and their tasks.

use crate::command_error::hint::{HintPart, HintPromise, HintText, ShellWord};
use crate::command_error::table::{ErrorCase, ErrorRow, REFUSED, UNABLE, USAGE, error_cases};

error_cases! {
    /// A plan that cannot be used, or a step of a task that was refused.
    PlanCase {
        /// No plan was imported.
        NoPlans => USAGE "usage" {
            says "`trueup plan import FILE` imports a plan";
        }
        /// No plan was named, and there are several.
        SeveralPlans => USAGE "usage" {
            runs "trueup plan list" "shows the plans";
            says "choose one with --plan or TRUEUP_PLAN";
        }
        /// The plan does not exist.
        PlanNotFound { plans: HintText } => REFUSED "plan_not_found" {
            runs "trueup plan list" "shows the plans";
            says "known plans: {plans}";
        }
        /// The plan does not exist, and no other does.
        PlanOfNoneNotFound => REFUSED "plan_not_found" {
            says "`trueup plan import FILE` imports a plan";
        }
        /// The file contains no task.
        NoTasks => REFUSED "no_plan" {
            says "a plan has lines such as \"- [ ] 1.1 Title\" or headings such as \
                  \"### Task 1.1: Title\"; --format names one of the other formats: trueup, \
                  checklist, spec-kit, openspec, kiro, gsd, task-headings, status-json, \
                  task-master, backlog, beads, client-tasks, json-lines";
        }
        /// The file of a plan cannot be read.
        PlanUnreadable => UNABLE "plan_unreadable" {
            says "nothing was changed; choose a readable text file";
        }
        /// The file is not a status file.
        NoStatusFile => UNABLE "plan_unreadable" {
            says "nothing was changed; a status.json contains a list \"tasks\"";
        }
        /// The task does not exist.
        TaskNotFound { plan: ShellWord } => REFUSED "task_not_found" {
            runs "trueup plan status {plan}" "shows the tasks";
        }
        /// The task is in progress elsewhere.
        TaskInProgress { task: ShellWord, plan: ShellWord } => REFUSED "already_in_progress" {
            ends "trueup plan fail {task} --plan {plan} --error abandoned && \
                  trueup plan retry {task} --plan {plan}" "resets it, if nobody is working on it";
        }
        /// The task is in progress elsewhere and has no retries left.
        TaskInProgressAtLast { plan: ShellWord } => REFUSED "already_in_progress" {
            runs "trueup plan status {plan}" "shows the tasks";
        }
        /// The task failed and can be retried.
        TaskFailed { task: ShellWord, plan: ShellWord } => REFUSED "illegal_transition" {
            ends "trueup plan retry {task} --plan {plan}" "resets it";
        }
        /// The task failed and has no retries left.
        TaskFailedForGood { task: ShellWord, plan: ShellWord } => REFUSED "illegal_transition" {
            runs "trueup plan skip {task} --plan {plan} --reason unsolved" "lets dependent tasks continue";
        }
        /// The task is completed or skipped; it can only be reopened.
        TaskOver { task: ShellWord, plan: ShellWord } => REFUSED "illegal_transition" {
            ends "trueup plan reopen {task} --plan {plan} --reason again" "reopens it";
        }
        /// The task cannot change from its status to that one.
        IllegalTaskStep { plan: ShellWord } => REFUSED "illegal_transition" {
            runs "trueup plan status {plan}" "shows the status of its tasks";
        }
        /// The task has no retries left.
        RetriesSpent { task: ShellWord, plan: ShellWord } => REFUSED "retry_limit" {
            runs "trueup plan skip {task} --plan {plan} --reason unsolved" "lets dependent tasks continue";
            says "add the remaining work to the plan as a new task, and import it again";
        }
    }
}
