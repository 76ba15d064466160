//! States of files of other trackers, and of exports.

use super::scene::Scene;
use super::{State, state};

const ISSUE: &str =
    r#"{"id":"bd-1","title":"One","status":"open","priority":2,"issue_type":"task"}"#;

pub(super) fn states() -> Vec<State> {
    vec![
        state("ImportUnreadable", Scene::person, "trueup item import gone.jsonl"),
        state(
            "FormatUnknown",
            |s| {
                s.person();
                s.write("notes.txt", "nothing of a tracker\n");
            },
            "trueup item import notes.txt",
        ),
        state(
            "NothingToImport",
            |s| {
                s.person();
                s.write("issues.jsonl", "not a record\n");
            },
            "trueup item import issues.jsonl --format beads",
        ),
        state(
            "ExportInTheWay",
            |s| {
                s.person();
                s.write("issues.jsonl", ISSUE);
                s.sh("trueup item import issues.jsonl");
                s.write("notes.txt", "mine\n");
            },
            "trueup export notes.txt --format beads",
        ),
        state(
            "ExportMixed",
            |s| {
                s.person();
                for folder in ["a", "b"] {
                    let file = format!("{folder}/.beads/issues.jsonl");
                    s.write(&file, &ISSUE.replace("title\":\"", &format!("title\":\"{folder} ")));
                    s.sh(&format!("trueup item import {file}"));
                }
            },
            "trueup export copy.jsonl --format beads",
        ),
        state(
            "ExportOverChanges",
            |s| {
                s.person();
                s.write("issues.jsonl", "{\"id\":\"a-1\",\"title\":\"Not imported\"}\n");
            },
            "trueup export issues.jsonl --format beads",
        ),
        state(
            "ExportOverSkipped",
            |s| {
                s.person();
                s.write("issues.jsonl", "{\"id\":\"a-1\",\"title\":\"Twice\"}\n");
                s.sh("trueup item import issues.jsonl");
                s.sh("cat issues.jsonl issues.jsonl > both.jsonl && mv both.jsonl issues.jsonl");
            },
            "trueup export issues.jsonl --format beads",
        ),
        state("ExportUnwritable", Scene::person, "trueup export gone/work.jsonl"),
    ]
}
