//! States of workplans, their repositories, and the check itself.

use std::fs;

use support::home::Home;
use trueup_core::diagnostic::AdviceRow;

use super::sessions::damaged;
use super::{CHECK, State, data, state};
use crate::checks::scene::{Clone, PLAN, git_in};
use crate::fixture::object;

const FIX: &str = "trueup check --fix";
const FIXING: &[&str] = &["trueup", "check", "--fix"];
const SUBJECT: &str = "chore(consistency): sync task status from DB [auto]";

/// A linked workplan with one text replaced in its file, committed or not.
fn clone_with_edit(from: &str, to: &str) -> Clone {
    let clone = Clone::linked();
    clone.swap(from, to);
    clone
}

fn publish_workplans(clone: &Clone) {
    clone.git(&["commit", "-q", "-a", "-m", "by hand"]);
    clone.git(&["push", "-q"]);
}

/// Replaces a text in the workplan, as a person does, and publishes it.
fn edit(home: &Home, from: &str, to: &str) {
    let path = home.project_dir().join("workplans/a.md");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from:?} in {text}");
    fs::write(&path, text.replacen(from, to, 1)).unwrap();
    git_in(home, home.project_dir(), &["commit", "-q", "--allow-empty", "-a", "-m", "fix"]);
    git_in(home, home.project_dir(), &["push", "-q"]);
}

/// Empties the database id in a task's block.
fn empty_id(home: &Home, task: &str) {
    let path = home.project_dir().join("workplans/a.md");
    let text = fs::read_to_string(&path).unwrap();
    let mut is_there = false;
    let lines = text.lines().map(|line| {
        is_there |= line == format!("id: {task}");
        if is_there && line.starts_with("state_hub_task_id:") {
            is_there = false;
            return "state_hub_task_id:".to_owned();
        }
        line.to_owned()
    });
    let text: Vec<String> = lines.collect();
    fs::write(&path, text.join("\n") + "\n").unwrap();
    git_in(home, home.project_dir(), &["commit", "-q", "-a", "-m", "emptied"]);
    git_in(home, home.project_dir(), &["push", "-q"]);
}

fn commit_without_push(clone: &Clone) {
    clone.git(&["commit", "-q", "--allow-empty", "-m", SUBJECT]);
}

/// A remote that refuses every push, with a commit that waits for it.
pub(crate) fn clone_with_refusing_remote() -> Home {
    let clone = Clone::behind_the_database();
    commit_without_push(&clone);
    let hook = clone.home.root().join("remote.git/hooks/pre-receive");
    support::program::write_program(&hook, "#!/bin/sh\nexit 1\n").unwrap();
    clone.home
}

fn finding_state(
    code: &'static str,
    row: AdviceRow,
    fix: &'static str,
    make: fn() -> Home,
) -> State {
    state(code, row, fix, make).look(CHECK)
}

fn fixable_state(code: &'static str, make: fn() -> Home) -> State {
    finding_state(code, AdviceRow::FixCheckout, FIX, make)
}

pub(super) fn states() -> Vec<State> {
    let mut states = fixed_by_check();
    states.extend(of_commits());
    states.extend(of_checkouts());
    states.extend(edited_by_a_person());
    states.extend(restored_by_a_person());
    states.extend(ended_items());
    states.extend(reopened_items());
    states
}

fn fixed_by_check() -> Vec<State> {
    vec![
        fixable_state("C-04", || {
            clone_with_edit(
                "repo: the-custodian\nstatus: active",
                "repo: the-custodian\nstatus: completed",
            )
            .home
        }),
        fixable_state("C-05", || {
            clone_with_edit("### T01 — No-regress rule", "### T01 — Another").home
        }),
        fixable_state("C-06", || Clone::new().home),
        fixable_state("C-09", || {
            let clone = Clone::linked();
            let other = "UPDATE work_items SET repo = 'other' WHERE key LIKE '%T01'";
            clone.home.execute_sql(other, []);
            clone.home
        }),
        fixable_state("C-10", || clone_with_edit("T01\nstatus: todo", "T01\nstatus: done").home),
        fixable_state("C-11", || {
            let clone = Clone::linked();
            let more = "\n### T04\n\n```task\nid: CUST-WP-0026-T04\nstatus: todo\n```\n";
            clone.publish("workplans/a.md", clone.text("workplans/a.md") + more);
            clone.home
        }),
        fixable_state("C-13", || {
            let clone = Clone::linked();
            for task in ["T01", "T02", "T03"] {
                clone.done(&format!("CUST-WP-0026-{task}"));
            }
            clone.home
        }),
        fixable_state("C-15", || Clone::behind_the_database().home),
        fixable_state("C-19", || {
            let clone = Clone::linked();
            let text = clone.text("workplans/a.md");
            clone.write("workplans/a.md", text.replacen("priority: high", "priority: low", 1));
            clone.home
        }),
        fixable_state("C-20", || {
            let waits = "T03\nstatus: todo\ndepends_on: [CUST-WP-0026-T01]";
            clone_with_edit("T03\nstatus: todo", waits).home
        }),
        fixable_state("C-22", || clone_with_edit("Never back.", "Never ever back.").home),
        fixable_state("C-23", || {
            let clone = Clone::empty();
            let plan = PLAN.replace("status: active", "status: todo");
            let plan = plan.replace("status: in_progress", "status: todo");
            clone.publish("workplans/a.md", plan);
            clone.fix();
            clone.swap("T02\nstatus: todo", "T02\nstatus: in_progress");
            clone.home
        }),
    ]
}

fn of_commits() -> Vec<State> {
    vec![
        finding_state("C-17", AdviceRow::FixCheckout, FIX, || {
            let clone = Clone::linked();
            commit_without_push(&clone);
            clone.home
        }),
        finding_state("C-17", AdviceRow::Publish, "git push", || {
            let clone = Clone::linked();
            commit_without_push(&clone);
            clone.git(&["commit", "-q", "--allow-empty", "-m", "mine"]);
            clone.home
        }),
        finding_state(
            "C-17",
            AdviceRow::PublishAndFix,
            "git push && trueup check --fix",
            clone_with_refusing_remote,
        )
        .look(FIXING)
        .by_hand(|home, command| {
            fs::remove_file(home.root().join("remote.git/hooks/pre-receive")).unwrap();
            command
        }),
        finding_state("C-16", AdviceRow::PullCheckout, "trueup check --fix --pull", || {
            let clone = Clone::linked();
            clone.someone_pushes("other", "x");
            clone.home
        }),
        finding_state(
            "C-16",
            AdviceRow::MergeCheckout,
            "git pull --no-rebase --no-edit && trueup check --fix",
            || {
                let clone = Clone::behind_the_database();
                clone.someone_pushes("other", "x");
                clone.write("ours", "x");
                clone.git(&["add", "ours"]);
                clone.git(&["commit", "-q", "-m", "ours"]);
                clone.home
            },
        ),
    ]
}

fn of_checkouts() -> Vec<State> {
    vec![
        finding_state("C-15", AdviceRow::RetryCheckout, RETRY, || {
            let clone = Clone::behind_the_database();
            clone.hook("pre-commit", "exit 1");
            clone.home
        })
        .look(FIXING)
        .by_hand(|home, command| {
            fs::remove_file(home.project_dir().join(".git/hooks/pre-commit")).unwrap();
            command
        }),
        finding_state("C-01", AdviceRow::MakeDirectory, "mkdir workplans", || Clone::empty().home),
        finding_state("C-00", AdviceRow::RestoreDatabase, RESTORE, damaged).by_hand(
            |home, command| {
                let copy = home.root().join("a copy.db");
                command.replace("BACKUP", &format!("'{}'", copy.display()))
            },
        ),
        finding_state("C-00", AdviceRow::CreateDatabase, "trueup db migrate", || {
            let clone = Clone::new();
            fs::remove_dir_all(clone.home.trueup_home()).unwrap();
            clone.home
        }),
    ]
}

fn edited_by_a_person() -> Vec<State> {
    vec![
        finding_state("C-02", AdviceRow::EditWorkplan, EDIT, || {
            clone_with_edit("T03\nstatus: todo", "T03\nstatus: somehow").home
        })
        .by_hand(|home, command| {
            edit(home, "status: somehow", "status: todo");
            command
        }),
        finding_state("C-03", AdviceRow::EditWorkplan, EDIT, || {
            let waits = "T03\nstatus: todo\ndepends_on: [NO-SUCH-ITEM]";
            clone_with_edit("T03\nstatus: todo", waits).home
        })
        .by_hand(|home, command| {
            edit(home, "\ndepends_on: [NO-SUCH-ITEM]", "");
            command
        }),
        finding_state("C-02", AdviceRow::GiveOwnId, OWN_ID, || {
            let clone = Clone::new();
            clone.swap("id: CUST-WP-0026-T02", "id: CUST-WP-0026-T01");
            clone.home
        })
        .by_hand(|home, command| {
            edit(
                home,
                "id: CUST-WP-0026-T01\nstatus: in_progress",
                "id: CUST-WP-0026-T02\nstatus: in_progress",
            );
            command
        }),
        finding_state("C-02", AdviceRow::ClearId, EMPTY, || {
            let clone = Clone::linked();
            let text = clone.text("workplans/a.md");
            let start = text.find("### T03").unwrap();
            let copy = text[start..].replace("T03", "T04");
            clone.write("workplans/a.md", format!("{text}\n{copy}"));
            publish_workplans(&clone);
            clone.home
        })
        .by_hand(|home, command| {
            empty_id(home, "CUST-WP-0026-T04");
            command
        }),
    ]
}

fn restored_by_a_person() -> Vec<State> {
    vec![
        finding_state("C-03", AdviceRow::ClearId, EMPTY, || {
            let clone = Clone::linked();
            let text = clone.text("workplans/a.md");
            let at = text.find("state_hub_task_id: \"").unwrap() + "state_hub_task_id: \"".len();
            let other = format!("{}ffffffff{}", &text[..at], &text[at + 8..]);
            clone.write("workplans/a.md", other);
            publish_workplans(&clone);
            clone.home
        })
        .by_hand(|home, command| {
            empty_id(home, "CUST-WP-0026-T01");
            command
        }),
        finding_state("C-04", AdviceRow::SetFrontMatter, FRONT, || {
            let clone = Clone::linked();
            for task in ["T01", "T02", "T03"] {
                clone.done(&format!("CUST-WP-0026-{task}"));
            }
            clone.fix();
            clone.home
        })
        .by_hand(|home, command| {
            edit(home, "status: active", "status: completed");
            command
        }),
        finding_state("C-08", AdviceRow::RestoreInFile, BRING_BACK, || {
            let clone = Clone::linked();
            for key in ["CUST-WP-0026-T01", "CUST-WP-0026-T02", "CUST-WP-0026-T03"] {
                clone.done(key);
            }
            clone.done("CUST-WP-0026");
            register_repo(&clone);
            fs::remove_file(clone.root().join("workplans/a.md")).unwrap();
            clone.home
        })
        .by_hand(|home, command| {
            git_in(home, home.project_dir(), &["restore", "workplans/a.md"]);
            command
        }),
    ]
}

fn ended_items() -> Vec<State> {
    vec![
        finding_state("C-07", AdviceRow::FinishItem, CANCEL, || {
            let clone = Clone::linked();
            register_repo(&clone);
            fs::remove_file(clone.root().join("workplans/a.md")).unwrap();
            clone.home
        }),
        finding_state(
            "C-12",
            AdviceRow::FinishItem,
            "trueup item transition CUST-WP-0026-T03 cancelled",
            || {
                let clone = Clone::linked();
                let text = clone.text("workplans/a.md");
                let start = text.find("### T03").unwrap();
                clone.write("workplans/a.md", &text[..start]);
                clone.home
            },
        ),
        finding_state(
            "C-14",
            AdviceRow::FinishItem,
            "trueup item transition GHOST-1 cancelled",
            || {
                let clone = Clone::linked();
                let title = "Distributed Consistency";
                let add = ["item", "add", "GHOST-1", "--kind", "workplan", "--title", title];
                data(&clone.home, &add);
                clone
                    .home
                    .execute_sql("UPDATE work_items SET repo = NULL WHERE key = 'GHOST-1'", []);
                clone.home
            },
        ),
    ]
}

fn reopened_items() -> Vec<State> {
    vec![
        finding_state("C-10", AdviceRow::EditWorkplan, EDIT, || {
            let clone = Clone::behind_the_database();
            clone.fix();
            reopen_item(&clone, "CUST-WP-0026-T01");
            clone.home
        })
        .by_hand(|home, command| {
            let done = "id: CUST-WP-0026-T01\nstatus: done";
            edit(home, done, "id: CUST-WP-0026-T01\nstatus: todo");
            command
        }),
        finding_state(
            "C-15",
            AdviceRow::ReopenItem,
            "trueup item reopen CUST-WP-0026-T01 --reason 'work continues' && trueup check --fix",
            || {
                let clone = Clone::linked();
                data(&clone.home, &["item", "transition", "CUST-WP-0026-T01", "running"]);
                data(&clone.home, &["item", "transition", "CUST-WP-0026-T01", "failed"]);
                clone.home
            },
        ),
        finding_state(
            "C-04",
            AdviceRow::ReopenItem,
            "trueup item reopen CUST-WP-0026 --reason 'work continues' && trueup check --fix",
            || {
                let clone = Clone::linked();
                clone.done("CUST-WP-0026");
                clone.home
            },
        ),
    ]
}

/// Registers the repository: without a file, nothing else names it.
fn register_repo(clone: &Clone) {
    let root = clone.root().to_str().unwrap();
    let add = ["repo", "add", root, "--slug", "the-custodian"];
    data(&clone.home, &add);
}

fn reopen_item(clone: &Clone, key: &str) {
    object(&clone.home, 0, &["item", "reopen", key, "--reason", "again"]);
}

const RETRY: &str = "remove what kept it from being written, then run `trueup check --fix`";
const RESTORE: &str =
    "replace BACKUP with the path of a backup, then run `trueup db restore BACKUP`";
const EDIT: &str = "correct workplans/a.md:*, then run `trueup check --fix`";
const OWN_ID: &str = "give workplans/a.md:* its own id and clear its database id, then run \
                      `trueup check --fix`";
const EMPTY: &str = "clear the database id in workplans/a.md:*, then run `trueup check --fix`";
const FRONT: &str = "set the status in workplans/a.md:* to completed, then run `trueup check`";
const BRING_BACK: &str = "restore CUST-WP-0026 in its file, then run `trueup check`";
const CANCEL: &str = "trueup item transition CUST-WP-0026 cancelled";
