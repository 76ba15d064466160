//! Checkboxes of imported plans, checked together with workplans.

use serde_json::json;

use super::scene::{Clone, of_code, skipped};
use crate::fixture::{codes, data};

const FIX: &str =
    "# Fix\r\n\r\n## Phase 1: Setup\r\n- [ ] 1.1 Write\r\n- [ ]  1.2 Test \r\n- [ ] 1.3 Ship";

fn clone_with_plan() -> Clone {
    let clone = Clone::linked();
    clone.publish("docs/plans/fix.md", FIX);
    data(&clone.home, &["plan", "import", "docs/plans/fix.md"]);
    clone
}

#[test]
fn both_directions_in_one_commit_with_the_workplans() {
    let clone = clone_with_plan();
    assert_eq!(codes(&clone.object(0, &["--strict"])), [""; 0]);
    data(&clone.home, &["plan", "complete", "1.2"]);
    clone.done("CUST-WP-0026-T01");
    clone.publish("docs/plans/fix.md", FIX.replace("[ ] 1.3", "[X] 1.3"));
    let object = clone.object(0, &["--fix"]);
    assert_eq!(codes(&object), ["C-15", "C-10", "C-15"]);
    let plan = of_code(&object, "C-15")[0];
    assert_eq!(plan["subject"], "fix/1.2");
    assert_eq!(plan["fix"], "trueup check --fix");
    let message = plan["message"].as_str().unwrap();
    assert!(message.starts_with("docs/plans/fix.md:5:4: "), "{message}");
    let repo = &object["data"]["repos"][0];
    assert_eq!(repo["written"], json!(["docs/plans/fix.md", "workplans/a.md"]));
    assert_eq!(repo["mended"], json!(["C-10", "C-15"]));
    assert_eq!(repo["pushed"], true);
    let text = clone.text("docs/plans/fix.md");
    assert_eq!(text, FIX.replace("[ ]  1.2", "[x]  1.2").replace("[ ] 1.3", "[X] 1.3"));
    let commit_text = clone.git(&["show", "--no-patch", "--format=%b", "HEAD"]);
    assert_eq!(
        commit_text,
        "Updated by trueup check:\n- fix/1.2: [ ] -> [x]\n- CUST-WP-0026-T01: todo -> done"
    );
    let stat = clone.git(&["show", "--format=", "--numstat", "HEAD"]);
    assert_eq!(stat, "1\t1\tdocs/plans/fix.md\n1\t1\tworkplans/a.md");
    let tasks = data(&clone.home, &["plan", "status", "fix"]);
    assert_eq!(tasks["tasks"][2]["status"], "completed");
    let before = clone.state();
    assert_eq!(codes(&clone.object(0, &["--fix", "--strict"])), [""; 0]);
    assert_eq!(clone.state(), before);
}

#[test]
fn a_plan_with_changes_of_its_own_waits_and_the_rest_goes_on() {
    let clone = clone_with_plan();
    data(&clone.home, &["plan", "complete", "1.1"]);
    clone.done("CUST-WP-0026-T01");
    let changed = format!("{FIX}\r\nmore");
    clone.write("docs/plans/fix.md", &changed);
    let repo = clone.fix();
    assert_eq!(repo["written"], json!(["workplans/a.md"]));
    assert!(skipped(&repo).starts_with("docs/plans/fix.md was not written: "), "{repo}");
    assert_eq!(clone.text("docs/plans/fix.md"), changed);
    let report = clone.object(0, &["--fix", "--no-writeback"]);
    assert_eq!(codes(&report), ["C-15"]);
    clone.git(&["commit", "-q", "-a", "-m", "more"]);
    clone.someone_pushes("x", "y");
    let gated = clone.object(0, &["--fix"]);
    assert_eq!(codes(&gated), ["C-16", "C-15"]);
    assert_eq!(clone.text("docs/plans/fix.md"), changed);
}

#[test]
fn a_repository_of_plans_alone_is_fixed_too() {
    let clone = Clone::empty();
    clone.publish("fix.md", FIX);
    data(&clone.home, &["plan", "import", "fix.md"]);
    data(&clone.home, &["plan", "complete", "1.1"]);
    let repo = clone.fix();
    assert_eq!(repo["written"], json!(["fix.md"]));
    assert_eq!(repo["pushed"], true);
}

#[test]
fn plan_validate_names_the_command_that_mends() {
    let clone = clone_with_plan();
    data(&clone.home, &["plan", "complete", "1.1"]);
    let found = crate::fixture::object(&clone.home, 0, &["plan", "validate", "fix"]);
    assert_eq!(of_code(&found, "C-15")[0]["fix"], "trueup check --fix");
}

#[test]
fn a_box_that_was_reopened_does_not_keep_the_next_one_from_being_checked() {
    let clone = Clone::empty();
    let plan = FIX.replace("[ ] 1.3", "[x] 1.3");
    clone.publish("fix.md", &plan);
    data(&clone.home, &["plan", "import", "fix.md"]);
    data(&clone.home, &["plan", "complete", "1.1"]);
    data(&clone.home, &["plan", "reopen", "1.3", "--reason", "not yet"]);
    assert_eq!(clone.text("fix.md"), FIX);
    let repo = clone.fix();
    assert_eq!((&repo["written"], &repo["skipped"]), (&json!(["fix.md"]), &json!(null)));
    assert_eq!(clone.git(&["status", "--porcelain", "fix.md"]), "");
    assert_eq!(clone.text("fix.md"), FIX.replace("[ ] 1.1", "[x] 1.1"));
    // What is staged, or changed beside the boxes, is somebody's own.
    data(&clone.home, &["plan", "complete", "1.2"]);
    data(&clone.home, &["plan", "reopen", "1.1", "--reason", "not yet"]);
    clone.git(&["add", "fix.md"]);
    assert!(skipped(&clone.fix()).contains("uncommitted changes"));
    clone.git(&["reset", "-q"]);
    clone.write("fix.md", format!("{FIX}\r\nmore"));
    assert!(skipped(&clone.fix()).contains("uncommitted changes"));
}
