//! Conditions that prevent a file from being written, while the rest of the check goes on.

use std::fs;

use serde_json::json;

use super::scene::{Clone, PLAN, of_code, skipped};
use crate::fixture::codes;

/// A second workplan whose first task is done in the database too.
fn clone_with_two_workplans() -> Clone {
    let clone = Clone::new();
    clone.publish("workplans/b.md", PLAN.replace("0026", "0027"));
    clone.fix();
    clone.done("CUST-WP-0026-T01");
    clone.done("CUST-WP-0027-T01");
    clone
}

#[test]
fn a_file_with_changes_of_its_own_waits_and_the_rest_goes_on() {
    for stage in [false, true] {
        let clone = clone_with_two_workplans();
        clone.swap("Never back.", "Never ever back.");
        if stage {
            clone.git(&["add", "."]);
        }
        let text = clone.text("workplans/a.md");
        let object = clone.object(0, &["--fix"]);
        let repo = &object["data"]["repos"][0];
        assert_eq!(repo["written"], json!(["workplans/b.md"]));
        let reason = skipped(repo);
        assert!(
            reason.starts_with("workplans/a.md was not written: it has uncommitted changes"),
            "{reason}"
        );
        assert_eq!(clone.text("workplans/a.md"), text);
        assert_eq!(codes(&clone.object(0, &[])), ["C-15"]);
        let status = clone.git(&["status", "--porcelain"]);
        assert_eq!(
            status,
            if stage { "M  workplans/a.md" } else { " M workplans/a.md" }.trim_end()
        );
    }
}

#[test]
fn a_hook_that_refuses_leaves_file_and_index_as_they_were() {
    let clone = clone_with_two_workplans();
    clone.write("staged", "s");
    clone.git(&["add", "staged"]);
    clone.hook("pre-commit", "echo 'lint: no' >&2; exit 1");
    clone.swap("T03\nstatus: todo", "T03\nstatus: done");
    clone.git(&["commit", "-q", "--no-verify", "-a", "-m", "done"]);
    clone.write("staged", "s2");
    clone.git(&["add", "staged"]);
    let before = clone.state();
    let object = clone.object(0, &["--fix"]);
    let repo = &object["data"]["repos"][0];
    assert_eq!(repo["commit"], json!(null));
    let reason = skipped(repo);
    assert!(reason.contains("nothing was committed") && reason.contains("lint: no"), "{reason}");
    // The database is updated all the same.
    assert_eq!(clone.status("CUST-WP-0026-T03"), "completed");
    assert!(clone.state().is_the_same_but_for_the_database(&before));
    assert!(clone.run(&["--fix"]).ok().stdout.contains("lint: no"));
    // Once the hook accepts, everything is written.
    clone.hook("pre-commit", "exit 0");
    let repo = clone.fix();
    assert_eq!(repo["written"], json!(["workplans/a.md", "workplans/b.md"]));
    assert_eq!(clone.git(&["status", "--porcelain"]), "M  staged");
}

#[test]
fn a_hook_that_formats_and_refuses_leaves_all_as_it_was() {
    for stages in ["", "git add workplans; "] {
        let clone = clone_with_two_workplans();
        let before = clone.state();
        let formats = "sed -i 's/^status: done$/status:  done/' workplans/a.md";
        clone.hook("pre-commit", &format!("{formats}; {stages}exit 1"));
        let object = clone.object(0, &["--fix"]);
        let repo = &object["data"]["repos"][0];
        assert_eq!(repo["commit"], json!(null));
        assert!(clone.state().is_the_same_but_for_the_database(&before));
        // The hook's own changes are not lost either.
        let warnings = object["warnings"].to_string();
        let kept = warnings.split("git show ").nth(1).unwrap();
        let kept: String = kept.chars().take_while(char::is_ascii_hexdigit).collect();
        assert!(clone.git(&["show", &kept]).contains("status:  done"));
        assert_eq!(codes(&clone.object(0, &[])), ["C-15", "C-15"]);
    }
}

#[test]
fn workplans_of_a_submodule_are_not_written() {
    let clone = Clone::behind_the_database();
    let (plan, other) = (clone.bytes("workplans/a.md"), clone.home.root().join("sub"));
    fs::create_dir_all(&other).unwrap();
    fs::write(other.join("a.md"), &plan).unwrap();
    let other = other.to_str().unwrap();
    clone.git(&["init", "-q", other]);
    clone.git(&["-C", other, "add", "a.md"]);
    clone.git(&["-C", other, "commit", "-q", "-m", "plans"]);
    clone.git(&["rm", "-q", "-r", "workplans"]);
    let allow = ["-c", "protocol.file.allow=always"];
    clone.git(&[&allow[..], &["submodule", "--quiet", "add", other, "workplans"]].concat());
    clone.git(&["commit", "-q", "-m", "a submodule"]);
    clone.git(&["push", "-q"]);
    let repo = clone.object(0, &["--fix"])["data"]["repos"][0].clone();
    assert!(
        skipped(&repo)
            .contains("workplans/a.md was not written: it belongs to a nested repository"),
        "{repo}"
    );
    assert_eq!(clone.bytes("workplans/a.md"), plan);
}

#[test]
fn what_a_hook_adds_to_the_commit_is_told_and_undoes_nothing() {
    let clone = clone_with_two_workplans();
    clone.hook("pre-commit", "echo x >other; git add other");
    let object = clone.object(0, &["--fix"]);
    let repo = &object["data"]["repos"][0];
    let warnings = object["warnings"].to_string();
    assert!(
        warnings
            .contains("the commit also contains files added by a hook of this repository: other"),
        "{warnings}"
    );
    assert_eq!(repo["written"], json!(["workplans/a.md", "workplans/b.md"]));
    assert_eq!(repo["pushed"], true);
    assert!(clone.text("workplans/a.md").contains("T01\nstatus: done"));
    assert_eq!(clone.git(&["status", "--porcelain"]), "");
    assert_eq!(clone.remote_head(), clone.head());
}

#[test]
fn without_an_identity_nothing_is_committed() {
    let clone = clone_with_two_workplans();
    fs::write(
        clone.home.user_home().join(".gitconfig"),
        "[user]\nuseConfigOnly = true\n[protocol \"file\"]\nallow = always\n",
    )
    .unwrap();
    let before = clone.state();
    let repo = clone.fix();
    let reason = skipped(&repo);
    assert!(reason.starts_with("nothing was committed: git commit failed"), "{reason}");
    assert_eq!(clone.state(), before);
}

#[test]
fn a_merge_a_rebase_and_a_detached_head_wait_for_their_end() {
    for (name, stops) in [
        ("merge", &["merge", "-q", "theirs"][..]),
        ("rebase", &["rebase", "-q", "theirs"]),
        ("cherry-pick", &["cherry-pick", "theirs"]),
    ] {
        let clone = Clone::behind_the_database();
        clone.write("file", "base");
        clone.git(&["add", "file"]);
        clone.git(&["commit", "-q", "-m", "base"]);
        clone.git(&["push", "-q"]);
        clone.git(&["branch", "theirs"]);
        clone.write("file", "ours");
        clone.git(&["commit", "-q", "-a", "-m", "ours"]);
        clone.git(&["checkout", "-q", "theirs"]);
        clone.write("file", "theirs");
        clone.git(&["commit", "-q", "-a", "-m", "theirs"]);
        clone.git(&["checkout", "-q", "main"]);
        clone.git_stops(stops);
        assert_nothing_written(&clone, &format!("{name} is in progress"));
    }
    let clone = Clone::behind_the_database();
    clone.git(&["checkout", "-q", "--detach"]);
    assert_nothing_written(&clone, "HEAD is detached");
    clone.git(&["checkout", "-q", "main"]);
    assert_eq!(clone.fix()["pushed"], true);
}

/// Asserts that nothing is written and that the output says why.
#[track_caller]
fn assert_nothing_written(clone: &Clone, why: &str) {
    let before = clone.state();
    let object = clone.object(0, &["--fix"]);
    assert_eq!(codes(&object), ["C-15"], "{why}");
    let repo = &object["data"]["repos"][0];
    assert!(skipped(repo).starts_with(why), "{repo}");
    assert_eq!(clone.state(), before, "{why}");
    let text = clone.run(&["--fix"]).ok().stdout;
    assert!(text.contains(&format!("skipped: {why}")), "{text}");
}

#[test]
fn without_git_the_database_is_fixed_alone() {
    let mut clone = Clone::linked();
    let plain = clone.home.root().join("plain");
    fs::create_dir_all(plain.join("workplans")).unwrap();
    fs::write(plain.join("workplans/a.md"), PLAN.replace("0026", "0030")).unwrap();
    clone.home.move_project(plain);
    let object = clone.object(0, &["--fix"]);
    let repo = &object["data"]["repos"][0];
    let reason = skipped(repo);
    assert!(reason.contains("not a git repository"), "{reason}");
    assert_eq!(clone.status("CUST-WP-0030-T02"), "running");
    assert_eq!(clone.text("workplans/a.md"), PLAN.replace("0026", "0030"));
}

#[test]
fn links_are_not_followed_out_of_the_repository() {
    let clone = Clone::linked();
    let outside = clone.home.root().join("outside");
    fs::create_dir_all(&outside).unwrap();
    fs::write(outside.join("a.md"), PLAN).unwrap();
    std::os::unix::fs::symlink(outside.join("a.md"), clone.root().join("workplans/link.md"))
        .unwrap();
    let object = clone.object(1, &["--fix"]);
    assert_eq!(of_code(&object, "C-02").len(), 1, "{object}");
    fs::remove_dir_all(clone.root().join("workplans")).unwrap();
    std::os::unix::fs::symlink(&outside, clone.root().join("workplans")).unwrap();
    let object = clone.object(3, &["--fix"]);
    assert_eq!(codes(&object), ["C-00"]);
    assert!(object["error"]["message"].as_str().unwrap().contains("symlink"), "{object}");
    assert_eq!(fs::read_to_string(outside.join("a.md")).unwrap(), PLAN);
}

#[test]
fn one_file_that_cannot_be_replaced_keeps_no_other_from_it() {
    let clone = clone_with_two_workplans();
    clone.publish("workplans/archived/c.md", PLAN.replace("0026", "0028"));
    let locked = clone.root().join("workplans/archived");
    // Even root cannot write here.
    let output = std::process::Command::new("chattr").arg("+i").arg(&locked).status();
    if !output.is_ok_and(|status| status.success()) {
        return;
    }
    let object = clone.object(0, &["--fix"]);
    std::process::Command::new("chattr").arg("-i").arg(&locked).status().unwrap();
    let repo = &object["data"]["repos"][0];
    assert_eq!(repo["written"], json!(["workplans/a.md", "workplans/b.md"]));
    assert!(skipped(repo).starts_with("workplans/archived/c.md was not written: "), "{repo}");
    assert_eq!(clone.fix()["written"], json!(["workplans/archived/c.md"]));
}
