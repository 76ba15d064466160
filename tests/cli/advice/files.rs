//! States of metadata files, scripts and plans.

use std::fs;
use std::path::Path;

use support::home::Home;
use trueup_core::diagnostic::AdviceRow;

use super::{State, data, state};
use crate::fixture::started;

const ID: &str = "77c90e61";
const META: &[&str] = &["trueup", "meta", "check"];
const SOURCES: &[&str] = &["trueup", "check", "--sources", "my adws"];
const PLAN: &str = "# Fix the sync\n\n## Phase 1: Find\n- [ ] 1.1 Read\n- [ ] 1.2 Write\n";

fn write(home: &Home, path: &str, text: &str) {
    let path = home.project_dir().join(path);
    fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).unwrap();
    fs::write(path, text).unwrap();
}

fn metadata(text: &str) -> Home {
    let home = started();
    write(&home, "agents/77c90e61/adw_state.json", text);
    home
}

/// A plan that was imported, whose file says something else by now.
fn home_with_edited_plan(before: &str, after: &str) -> Home {
    let home = started();
    write(&home, "it's a $(plan).md", before);
    home.prepare_run("trueup").args(["plan", "import", "it's a $(plan).md"]).wait();
    write(&home, "it's a $(plan).md", after);
    home
}

const NAME: &str = "it's a $(plan).md";
const VALIDATE: &[&str] = &["trueup", "plan", "validate", NAME];

pub(super) fn states() -> Vec<State> {
    let mut states = metadata_and_scripts();
    states.extend(plan_files());
    states
}

fn metadata_and_scripts() -> Vec<State> {
    vec![
        state("F-01", AdviceRow::FixMetadata, "trueup meta fix 77c90e61", || {
            metadata(r#"{"adw_id": "77c90e61", "status": "x"}"#)
        })
        .look(META),
        state("F-03", AdviceRow::FixMetadata, "trueup meta fix 77c90e61", || metadata("{}"))
            .look(META),
        state("F-03", AdviceRow::SetMetadataId, SET_ID, || metadata(r#"{"adw_id": "other"}"#))
            .look(META),
        state("F-02", AdviceRow::EditMetadata, EDIT_METADATA, || {
            metadata("{\n  \"adw_id\": \"77c90e61\",\n  x}")
        })
        .look(META)
        .by_hand(|home, command| {
            data(home, &["db", "status"]);
            let text = format!(r#"{{"adw_id": "{ID}"}}"#);
            write(home, "agents/77c90e61/adw_state.json", &text);
            command
        }),
        state("F-01", AdviceRow::EditScript, EDIT_SCRIPT, || {
            let home = started();
            let script = "from adw_modules.state import ADWState\n\nstate = \
                          ADWState.load(adw_id)\nif state.get('status') == 'running':\n    pass\n";
            write(&home, "my adws/adw_test_iso.py", script);
            home
        })
        .look(SOURCES)
        .by_hand(|home, command| {
            write(home, "my adws/adw_test_iso.py", "pass\n");
            command
        }),
    ]
}

fn plan_files() -> Vec<State> {
    vec![
        state("F-02", AdviceRow::FixPlanFile, FIX_PLAN, || {
            let home = started();
            let text = r#"{"summary": {"totalTasks": 2, "completed": 77, "pending": 1,
                "in_progress": 0, "failed": 0}, "tasks": [
                {"id": "1.1", "description": "a", "status": "completed"},
                {"id": "1.2", "description": "b"}]}"#;
            write(&home, "-out/it's $(x).json", text);
            home
        })
        .look(&["trueup", "plan", "validate", "./-out/it's $(x).json"]),
        state("F-02", AdviceRow::EditPlanFile, EDIT_PLAN, || {
            home_with_edited_plan(PLAN, &PLAN.replace("- [ ] 1.2 Write\n", ""))
        })
        .look(VALIDATE)
        .by_hand(|home, command| {
            write(home, NAME, PLAN);
            command
        }),
        state("C-10", AdviceRow::EditPlanFile, EDIT_BOX, || {
            let home = home_with_edited_plan(PLAN, &PLAN.replace("[ ] 1.1", "[x] 1.1"));
            data(&home, &["plan", "skip", "1.1", "--reason", "later"]);
            home
        })
        .look(VALIDATE)
        .by_hand(|home, command| {
            write(home, NAME, PLAN);
            command
        }),
        state("C-10", AdviceRow::ImportPlan, IMPORT, || {
            home_with_edited_plan(PLAN, &PLAN.replace("[ ] 1.1", "[x] 1.1"))
        })
        .look(VALIDATE),
        state("F-02", AdviceRow::ImportPlan, IMPORT, || {
            let home = started();
            write(&home, NAME, PLAN);
            home
        })
        .look(VALIDATE),
        state("F-02", AdviceRow::ReimportPlan, REIMPORT, || {
            let waits = PLAN.replace("1.2 Write", "1.2 Write (DEPENDS: 8.8)");
            home_with_edited_plan(&waits, &waits)
        })
        .look(VALIDATE)
        .by_hand(|home, command| {
            write(home, NAME, PLAN);
            command
        }),
    ]
}

const SET_ID: &str = "trueup meta set 77c90e61 adw_id=77c90e61";
const EDIT_METADATA: &str =
    "correct agents/77c90e61/adw_state.json:3, then run `trueup meta check 77c90e61`";
const EDIT_SCRIPT: &str =
    "correct my adws/adw_test_iso.py:4, then run `trueup check --sources 'my adws'`";
const FIX_PLAN: &str = r"trueup plan validate './-out/it'\''s $(x).json' --fix";
const EDIT_PLAN: &str =
    r"correct it's a $(plan).md, then run `trueup plan validate 'it'\''s a $(plan).md'`";
const EDIT_BOX: &str =
    r"correct it's a $(plan).md:4, then run `trueup plan validate 'it'\''s a $(plan).md'`";
const IMPORT: &str = r"trueup plan import 'it'\''s a $(plan).md'";
const REIMPORT: &str = r"correct ROOT/project/it's a $(plan).md, then run `trueup plan import 'ROOT/project/it'\''s a $(plan).md'`";
