//! Output formats and exit codes of `trueup check`.

use serde_json::{Value, json};

use super::scene::{Clone, PLAN};
use crate::fixture::{codes, keys};

/// A clone with a finding of every severity: C-02, C-15 and C-16.
fn clone_with_all_severities() -> Clone {
    let clone = Clone::behind_the_database();
    clone.publish(
        "workplans/b, 100%:é.md",
        PLAN.replace("0026", "0027").replace("in_progress", "almost"),
    );
    clone.fix_alone();
    clone.done("CUST-WP-0026-T03");
    clone.someone_pushes("x", "y");
    clone
}

impl Clone {
    /// Runs `trueup check --fix`, whatever its exit code.
    fn fix_alone(&self) {
        let answer = self.run(&["--fix"]);
        assert_eq!(answer.code, Some(1), "{answer:?}");
    }
}

#[test]
fn exit_codes() {
    let clone = Clone::linked();
    for arguments in [&[][..], &["--strict"], &["--fix"], &["--fix", "--strict"]] {
        assert_eq!(clone.run(arguments).code, Some(0), "{arguments:?}");
    }
    clone.done("CUST-WP-0026-T01");
    assert_eq!(clone.run(&[]).code, Some(0), "a warning");
    assert_eq!(clone.run(&["--strict"]).code, Some(1));
    assert_eq!(clone.run(&["--fix", "--strict"]).code, Some(0), "fixed");
    clone.someone_pushes("x", "y");
    assert_eq!(clone.run(&["--strict"]).code, Some(0), "an information");
    assert_eq!(clone.run(&["--fix", "--strict"]).code, Some(1), "a warning");
    clone.git(&["pull", "-q"]);
    clone.swap("T01\nstatus: done", "T01\nstatus: almost");
    assert_eq!(clone.run(&[]).code, Some(1), "an error");
    assert_eq!(clone.run(&["--format", "nonsense"]).code, Some(2));
}

#[test]
fn text_is_grouped_and_names_what_mends() {
    let clone = clone_with_all_severities();
    let answer = clone.run(&[]);
    assert_eq!((answer.code, answer.stderr.as_str()), (Some(1), ""));
    let lines: Vec<&str> = answer.stdout.lines().collect();
    assert_eq!(lines[0], format!("the-custodian ({})", clone.root().display()));
    let at = |text: &str| {
        lines
            .iter()
            .position(|line| line.contains(text))
            .unwrap_or_else(|| panic!("{text}: {answer:?}"))
    };
    let c15 = at("warning C-15 workplans/a.md:");
    assert_eq!(lines[c15 + 1].trim(), "fix: trueup check --fix");
    assert!(at("  workplans/a.md") < c15);
    let c02 = at("error   C-02 workplans/b, 100%:é.md:");
    assert!(at("info    C-16 ") < c15 && c15 < c02);
    assert_eq!(lines.last().unwrap().trim(), "2 workplans, 1 error, 1 warning");
    assert!(!answer.stdout.contains('\u{1b}'));
}

#[test]
fn colours_are_for_terminals_and_whoever_insists() {
    let clone = clone_with_all_severities();
    let run = |name: &str| {
        let run = clone.home.prepare_run("trueup").args(["check"]).env(name, "1");
        run.wait().stdout
    };
    let coloured = run("CLICOLOR_FORCE");
    for colour in ["\u{1b}[31m", "\u{1b}[33m", "\u{1b}[1m"] {
        assert!(coloured.contains(colour), "{coloured:?}");
    }
    assert!(!run("NO_COLOR").contains('\u{1b}'));
}

#[test]
fn a_fixed_finding_is_marked_as_fixed() {
    let clone = Clone::behind_the_database();
    let text = clone.run(&["--fix"]).ok().stdout;
    assert!(text.contains("fixed   C-15 "), "{text}");
    assert!(!text.contains("fix: trueup check --fix"), "{text}");
    let short: String = clone.head().chars().take(10).collect();
    assert!(text.contains(&format!("committed {short}, pushed: workplans/a.md")), "{text}");
    assert!(text.ends_with("1 workplan, 1 fixed, no differences\n"), "{text}");
}

#[test]
fn json_is_the_envelope_by_either_flag() {
    let clone = clone_with_all_severities();
    let by_flag = clone.object(1, &[]);
    let by_format = crate::fixture::envelope(&clone.run(&["--format", "json"]), 1);
    assert_eq!(by_flag, by_format);
    assert_eq!(by_flag["command"], "check");
    assert_eq!(codes(&by_flag), ["C-16", "C-15", "C-02"]);
    let subjects: Vec<_> =
        by_flag["divergences"].as_array().unwrap().iter().map(|it| &it["subject"]).collect();
    assert_eq!(subjects, ["the-custodian", "CUST-WP-0026-T03", "CUST-WP-0027-T02"]);
}

#[test]
fn sarif_has_what_version_2_1_0_requires() {
    let clone = clone_with_all_severities();
    let answer = clone.run(&["--format", "sarif"]);
    assert_eq!((answer.code, answer.stderr.as_str()), (Some(1), ""));
    let log: Value = answer.json();
    assert_eq!(log["version"], "2.1.0");
    assert_eq!(log["$schema"], "https://json.schemastore.org/sarif-2.1.0.json");
    let run = &log["runs"][0];
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "trueup");
    let rules = driver["rules"].as_array().unwrap();
    assert_rules(rules);
    let results = run["results"].as_array().unwrap();
    assert_results(results, rules);
    let places: Vec<_> = results.iter().map(|it| &it["locations"][0]["physicalLocation"]).collect();
    assert_eq!(places[0], &json!({"artifactLocation": {"uri": "workplans"}}));
    assert_eq!(places[2]["artifactLocation"]["uri"], "workplans/b%2C%20100%25%3A%C3%A9.md");
    let region = &places[2]["region"];
    assert_eq!(region["startColumn"], 9);
    let line = usize::try_from(region["startLine"].as_u64().unwrap()).unwrap();
    let text = clone.text("workplans/b, 100%:é.md");
    assert_eq!(text.lines().nth(line - 1).unwrap(), "status: almost");
    assert_eq!(results[0]["level"], "note");
    // A finding has the same fingerprint on whatever line it is.
    clone.swap("### T01", "\n\n### T01");
    let moved = clone.run(&["--format", "sarif"]).json();
    let print = |log: &Value| log["runs"][0]["results"][1]["partialFingerprints"].clone();
    assert_eq!(print(&moved), print(&log));
}

/// Asserts that the rules are those of the results, each with a text and a level.
fn assert_rules(rules: &[Value]) {
    let ids: Vec<_> = rules.iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["C-02", "C-15", "C-16"]);
    assert_eq!(rules[1]["name"], "C-15");
    for rule in rules {
        assert!(rule["shortDescription"]["text"].is_string());
        assert!(
            ["error", "warning", "note"]
                .contains(&rule["defaultConfiguration"]["level"].as_str().unwrap())
        );
    }
}

/// Asserts that each result refers to its rule and has a fingerprint of its own.
fn assert_results(results: &[Value], rules: &[Value]) {
    let mut prints = Vec::new();
    for result in results {
        assert_eq!(
            keys(result),
            ["level", "locations", "message", "partialFingerprints", "ruleId", "ruleIndex"]
        );
        let rule = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[rule]["id"], result["ruleId"]);
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        prints.push(result["partialFingerprints"]["trueup/v1"].as_str().unwrap());
    }
    prints.sort_unstable();
    prints.dedup();
    assert_eq!(prints.len(), results.len(), "each finding is told from the others");
}

#[test]
fn fixed_findings_are_not_annotated() {
    let clone = Clone::behind_the_database();
    let log = clone.run(&["--fix", "--format", "sarif"]).ok().json();
    assert_eq!(log["runs"][0]["results"], json!([]));
    clone.done("CUST-WP-0026-T02");
    assert_eq!(clone.run(&["--fix", "--format", "github"]).ok().stdout, "");
}

#[test]
fn github_annotations_are_escaped() {
    let clone = clone_with_all_severities();
    let answer = clone.run(&["--format", "github"]);
    assert_eq!(answer.code, Some(1));
    let lines: Vec<&str> = answer.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{answer:?}");
    assert!(
        lines[0].starts_with(
            "::notice title=C-16 branch is behind its remote::repository the-custodian "
        ),
        "{answer:?}"
    );
    assert!(lines[1].starts_with("::warning file=workplans/a.md,line="), "{answer:?}");
    assert!(
        lines[1].contains(",col=9,title=C-15 database is ahead of the file::workplans/a.md:"),
        "{answer:?}"
    );
    assert!(lines[1].ends_with("%0A-> trueup check --fix"), "{answer:?}");
    assert!(lines[2].starts_with("::error file=workplans/b%2C 100%25%3Aé.md,line="), "{answer:?}");
    assert!(lines[2].contains("::workplans/b, 100%25:é.md:"), "{answer:?}");
}

#[test]
fn several_repositories_are_told_apart() {
    let clone = clone_with_all_severities();
    let other = clone.home.root().join("some where");
    std::fs::create_dir_all(other.join("workplans")).unwrap();
    std::fs::write(other.join("workplans/a.md"), "x").unwrap();
    let names = [clone.root().to_str().unwrap(), other.to_str().unwrap()];
    let answer = clone.run(&[names[0], names[1], "--format", "sarif"]);
    assert_eq!(answer.code, Some(1));
    let log = answer.json();
    let results = log["runs"][0]["results"].as_array().unwrap();
    let uri =
        results.last().unwrap()["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
            .as_str()
            .unwrap();
    assert_eq!(uri, format!("file://{}/workplans/a.md", names[1].replace(' ', "%20")));
}
