//! Commits of named files.

use super::*;

pub(super) fn paths(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// A scene with other staged, changed and new files.
pub(super) fn busy() -> Scene {
    let scene = Scene::new();
    scene.write("plan", "1\n");
    scene.write("other", "1\n");
    scene.git(&["add", "."]);
    scene.git(&["commit", "-q", "-m", "second"]);
    scene.write("staged", "s\n");
    scene.git(&["add", "staged"]);
    scene.write("staged", "and changed since\n");
    scene.write("other", "2\n");
    scene.write("untracked", "u\n");
    scene.write("plan", "2\n");
    scene.git(&["add", "plan"]);
    scene.write("plan", "3\n");
    scene.write("new", "n\n");
    scene
}

/// Tries to commit a changed and a new file, which must change nothing; returns the reason.
fn refused(scene: &Scene) -> String {
    let before = (scene.head(), scene.index());
    let message = reason(scene.repository.commit(&paths(&["plan", "new"]), "x", LONG));
    assert_eq!((scene.head(), scene.index()), before, "{message}");
    message
}

#[test]
fn only_the_named_files_are_committed_whatever_else_is_staged() {
    let scene = busy();
    let names = paths(&["plan", "new"]);
    let id = scene.repository.commit(&names, "plan: x\n\n#body", LONG).unwrap().id;
    assert_eq!(id, scene.head());
    let shown = scene.git(&["show", "--format=%B", "--name-only", "--no-renames"]);
    assert_eq!(shown, "plan: x\n\n#body\n\n\nnew\nplan");
    assert_eq!(scene.git(&["show", "HEAD:plan"]), "3");
    assert_eq!(scene.git(&["show", ":staged"]), "s");
    assert_eq!(scene.git(&["status", "--porcelain"]), " M other\nAM staged\n?? untracked");
}

#[test]
fn files_that_are_gone_are_committed_as_gone() {
    let scene = busy();
    scene.git(&["rm", "-q", "-f", "other"]);
    fs::remove_file(scene.repository.root().join("plan")).unwrap();
    // Removed from the index, but still on the disk.
    scene.git(&["rm", "-q", "--cached", "a.txt"]);
    scene.write("a.txt", "again\n");
    let names = paths(&["plan", "other", "a.txt"]);
    scene.repository.commit(&names, "x", LONG).unwrap();
    let shown = scene.git(&["show", "--format=", "--name-status"]);
    assert_eq!(shown, "M\ta.txt\nD\tother\nD\tplan");
}

#[test]
fn a_first_commit_is_made() {
    for format in ["sha1", "sha256"] {
        let scene = Scene::cloned(&[&format!("--object-format={format}")]);
        scene.write("staged", "s");
        scene.git(&["add", "staged"]);
        scene.write("plans/a", "x");
        let id = scene.repository.commit(&paths(&["plans/a"]), "x", LONG).unwrap().id;
        assert_eq!(id.len(), if format == "sha1" { 40 } else { 64 });
        assert_eq!(scene.git(&["ls-tree", "-r", "--name-only", "HEAD"]), "plans/a");
        scene.repository.push_upstream(&scene.upstream(), LONG).unwrap();
        assert_eq!(scene.upstream().ahead, 0);
        assert_eq!(scene.git(&["status", "--porcelain"]), "A  staged");
    }
}

#[test]
fn any_name_of_a_file_is_just_a_name() {
    let scene = Scene::new();
    let names = [
        "with space",
        "ü/ö",
        "-f",
        "--all",
        ":",
        ":(glob)**",
        "a*",
        "[a]",
        "new\nline",
        "tab\t",
        "\"quoted\"",
        "back\\slash",
        "!not",
        "#hash",
        "~",
        "@{u}",
        "{a,b}",
        " ",
    ];
    for name in names {
        scene.write(name, "x");
    }
    scene.write("ab", "untouched by the star");
    scene.repository.commit(&paths(&names), "x", LONG).unwrap();
    assert_eq!(scene.git(&["status", "--porcelain"]), "?? ab");
    for name in names {
        scene.write(name, "y");
        scene.repository.commit(&paths(&[name]), "y", LONG).unwrap();
    }
    assert_eq!(scene.git(&["status", "--porcelain"]), "?? ab");
}

#[test]
fn a_thousand_long_paths_are_one_commit() {
    let scene = Scene::new();
    let names: Vec<String> = (0..1000).map(|n| format!("plans/{}/{n}", "x".repeat(200))).collect();
    for name in &names {
        scene.write(name, "x");
    }
    scene.repository.commit(&names, "x", LONG).unwrap();
    assert_eq!(scene.git(&["status", "--porcelain"]), "");
    assert_eq!(scene.git(&["rev-list", "--count", "HEAD"]), "2");
}

#[test]
fn a_hook_that_refuses_leaves_everything_as_it_was() {
    let scene = busy();
    for hook in ["pre-commit", "commit-msg", "prepare-commit-msg"] {
        scene.hook(hook, "echo 'looked at it'; echo 'lint: no' >&2; exit 1");
        let message = refused(&scene);
        assert!(message.ends_with("lint: no"), "{hook}: {message}");
        scene.hook(hook, "");
    }
    scene.repository.commit(&paths(&["plan"]), "x", LONG).unwrap();
}

#[test]
fn what_a_hook_adds_is_in_the_commit_and_reported() {
    let scene = busy();
    scene.hook("pre-commit", "echo fixed >plan; git add plan");
    let commit = |names: &[&str]| scene.repository.commit(&paths(names), "x", LONG).unwrap();
    assert_eq!(commit(&["plan"]).extra_files, [""; 0]);
    assert_eq!(scene.git(&["show", "HEAD:plan"]), "fixed");
    scene.hook("pre-commit", "git add untracked");
    scene.write("plan", "4\n");
    assert_eq!(commit(&["plan"]).extra_files, ["untracked"]);
    assert_eq!(scene.git(&["show", "--format=", "--name-only"]), "plan\nuntracked");
    assert_eq!(scene.git(&["show", ":staged"]), "s");
    // The index agrees with the commit about all committed files.
    assert_eq!(scene.git(&["status", "--porcelain"]), " M other\nAM staged\n?? new");
}

#[test]
fn a_commit_of_nothing_is_refused() {
    let scene = busy();
    let before = (scene.head(), scene.index());
    for (names, expected) in [
        (&[][..], "nothing to commit"),
        (&[""], "\"\" is not a file path"),
        (&["."], "\".\" is not a file path"),
        (&["../other/x"], "\"../other/x\" is not a file path"),
        (&["/etc/hosts"], "\"/etc/hosts\" is not a file path"),
        (&[".git"], "\".git\" is not a file path"),
        (&["plan/"], "\"plan/\" is not a file path"),
        (&["a\0b"], "\"a\\0b\" is not a file path"),
    ] {
        assert_eq!(found(scene.repository.commit(&paths(names), "x", LONG)), expected);
    }
    let message = reason(scene.repository.commit(&paths(&["a.txt"]), "x", LONG));
    assert!(message.contains("no changes added to commit"), "{message}");
    let message = reason(scene.repository.commit(&paths(&["new", "nowhere"]), "x", LONG));
    assert!(message.contains("nowhere' did not match"), "{message}");
    let message = reason(scene.repository.commit(&paths(&["new"]), " \n", LONG));
    assert!(message.contains("empty commit message"), "{message}");
    assert_eq!((scene.head(), scene.index()), before);
}

#[test]
fn an_ignored_file_is_refused_and_the_others_are_not_left_half_known() {
    let scene = busy();
    scene.write(".git/info/exclude", "new\n");
    let before = scene.index();
    let message = reason(scene.repository.commit(&paths(&["untracked", "new"]), "x", LONG));
    assert!(message.contains("ignored by one of your .gitignore"), "{message}");
    assert_eq!(scene.index(), before);
}

#[test]
fn without_an_identity_there_is_no_commit() {
    let scene = busy();
    fs::write(scene.path(".gitconfig"), "[user]\nuseConfigOnly = true\n").unwrap();
    let message = refused(&scene);
    assert!(message.starts_with("fatal: "), "{message}");
    assert!(message.contains("auto-detection is disabled"), "{message}");
}

#[test]
fn a_signature_that_fails_is_no_commit() {
    let scene = busy();
    scene.git(&["config", "gpg.program", "false"]);
    scene.git(&["config", "commit.gpgSign", "true"]);
    let message = refused(&scene);
    assert!(message.contains("failed to sign"), "{message}");
}

#[test]
fn an_index_that_another_git_holds_is_left_alone() {
    let scene = busy();
    let before = scene.index();
    scene.write(".git/index.lock", "");
    let message = reason(scene.repository.commit(&paths(&["plan"]), "x", LONG));
    assert!(message.contains("index.lock"), "{message}");
    fs::remove_file(scene.repository.root().join(".git/index.lock")).unwrap();
    assert_eq!(scene.index(), before);
}

#[test]
fn a_file_that_became_a_directory_is_no_file() {
    let scene = busy();
    fs::remove_file(scene.repository.root().join("a.txt")).unwrap();
    scene.write("a.txt/inside", "x");
    let found = found(scene.repository.commit(&paths(&["a.txt"]), "x", LONG));
    assert_eq!(found, "\"a.txt\" is not a file path");
}

#[test]
fn line_ends_that_git_converts_are_no_change() {
    let scene = Scene::new();
    scene.git(&["config", "core.autocrlf", "true"]);
    scene.write("plan", "1\r\n2\r\n");
    scene.repository.commit(&paths(&["plan"]), "x", LONG).unwrap();
    assert_eq!(scene.git(&["cat-file", "-s", "HEAD:plan"]), "4");
    assert!(scene.repository.list_uncommitted(&["."]).unwrap().is_empty());
    scene.write("plan", "1\n2\n");
    assert!(scene.repository.list_uncommitted(&["."]).unwrap().is_empty());
}

#[test]
fn a_message_is_kept_as_it_is_regardless_of_the_settings() {
    let scene = busy();
    scene.git(&["config", "commit.cleanup", "strip"]);
    scene.git(&["config", "i18n.commitEncoding", "ISO-8859-1"]);
    scene.git(&["config", "commit.verbose", "true"]);
    scene.write("template", "template\n");
    scene.git(&["config", "commit.template", "template"]);
    let message = "# plan: x\n\n-- x\n# y";
    scene.repository.commit(&paths(&["plan"]), message, LONG).unwrap();
    assert_eq!(scene.git(&["show", "-s", "--encoding=UTF-8", "--format=%B"]).trim(), message);
    let unpushed = scene.repository.list_unpushed(&scene.upstream()).unwrap();
    assert_eq!(unpushed.first().unwrap().subject, "# plan: x");
}

#[test]
fn a_detached_head_can_be_committed_to() {
    let scene = busy();
    scene.git(&["checkout", "-q", "--detach"]);
    let id = scene.repository.commit(&paths(&["new"]), "x", LONG).unwrap().id;
    assert_eq!(id, scene.head());
}
