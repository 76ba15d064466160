//! What hooks see of a commit, and what they add to it.

use super::commit::{busy, paths};
use super::*;

/// The state after a commit, and its content.
fn left(scene: &Scene) -> (String, String) {
    let status = scene.git(&["status", "--porcelain"]);
    (status, scene.git(&["show", "--format=%s", "HEAD"]))
}

#[test]
fn a_formatting_hook_leaves_what_a_commit_by_hand_leaves() {
    for script in [
        // Formats, and adds the result to the commit.
        "echo formatted >>plan; git add plan",
        "echo formatted >>plan; git add -u",
        // Formats after the commit.
        "echo formatted >>plan",
        // Commits the formatted content without changing the file.
        "object=$(echo formatted | git hash-object -w --stdin); \
         git update-index --cacheinfo 100644,$object,plan",
        // Adds and removes.
        "echo x >made; git add made; git rm -q --cached a.txt",
    ] {
        let scene = || {
            let scene = Scene::new();
            scene.write("plan", "1\n");
            scene.git(&["add", "."]);
            scene.git(&["commit", "-q", "-m", "second"]);
            scene.hook("pre-commit", script);
            scene.write("plan", "2\n");
            scene
        };
        let by_hand = scene();
        by_hand.git(&["add", "--", "plan"]);
        by_hand.git(&["commit", "-q", "-m", "x"]);
        let expected = left(&by_hand);
        let ours = scene();
        let commit = |scene: &Scene| {
            let names = paths(&["plan"]);
            scene.repository.commit(&names, "x", LONG).unwrap();
        };
        commit(&ours);
        assert_eq!(left(&ours), expected, "{script}");
        // With something else staged, which stays staged.
        let busy = scene();
        busy.write("staged", "s");
        busy.git(&["add", "staged"]);
        commit(&busy);
        let (status, shown) = left(&busy);
        let status: Vec<&str> = status.lines().filter(|line| *line != "A  staged").collect();
        assert_eq!((status.join("\n"), shown), expected, "{script}");
        assert_eq!(busy.git(&["show", ":staged"]), "s");
    }
}

/// The lines of `text` that git itself set for a hook, the same for every scene.
fn git_lines(scene: &Scene, text: &str) -> std::collections::BTreeSet<String> {
    // The same directory name for both.
    let text = text.replace(scene.dir.path().to_str().unwrap(), "/scene");
    let own = std::env::vars_os().map(|(name, _)| name.into_string().unwrap());
    let own: std::collections::HashSet<String> = own.collect();
    let is_gits = |line: &&str| {
        let name = line.split('=').next().unwrap();
        // Normalize what differs between the two runs: the environment of the test itself, the
        // scene's settings, dates, and numbers that the shell counts.
        !own.contains(name)
            // Ids of commits differ, and so does the name of what is merged.
            && !name.starts_with("GITHEAD_")
            && ![
                "GIT_CONFIG_GLOBAL",
                "XDG_CONFIG_HOME",
                "GIT_CONFIG_NOSYSTEM",
                "GIT_EDITOR",
                "GIT_AUTHOR_DATE",
                "GIT_REFLOG_ACTION",
                "HOME",
                "OLDPWD",
                "_",
            ]
            .contains(&name)
    };
    text.lines().filter(is_gits).map(str::to_owned).collect()
}

#[test]
fn hooks_see_what_they_see_in_a_commit_and_a_push_by_hand() {
    let seen = |by_hand: bool| {
        let scene = Scene::new();
        let seen = scene.path("seen");
        for hook in [
            "pre-commit",
            "prepare-commit-msg",
            "commit-msg",
            "post-commit",
            "reference-transaction",
            "pre-push",
            "post-index-change",
            "post-merge",
        ] {
            let script = format!("(echo {hook}; env | sort) >>'{}'; exit 0", seen.display());
            scene.hook(hook, &script);
        }
        scene.write("a.txt", "2\n");
        if by_hand {
            scene.git(&["commit", "-q", "-i", "a.txt", "-m", "x"]);
            scene.git(&["push", "-q", "origin", "main:main"]);
            scene.someone_pushes("theirs", "x");
            scene.git(&["fetch", "-q", "origin", "main"]);
            scene.git(&["merge", "-q", "--ff-only", "origin/main"]);
        } else {
            let repository = &scene.repository;
            repository.commit(&paths(&["a.txt"]), "x", LONG).unwrap();
            repository.push_upstream(&scene.upstream(), LONG).unwrap();
            scene.someone_pushes("theirs", "x");
            repository.fetch_upstream(&scene.upstream(), LONG).unwrap();
            assert!(repository.pull_fast_forward(&scene.upstream(), LONG).unwrap());
        }
        git_lines(&scene, &fs::read_to_string(seen).unwrap())
    };
    let (ours, by_hand) = (seen(false), seen(true));
    let leaked: Vec<&String> = ours.difference(&by_hand).collect();
    assert_eq!(leaked, [""; 0], "{by_hand:?}");
    for hook in ["pre-commit", "pre-push", "post-merge"] {
        assert!(ours.contains(hook), "{hook}: {ours:?}");
    }
}

#[test]
fn a_hook_finds_its_files_by_pattern() {
    let scene = Scene::new();
    scene.write("plan.md", "1\n");
    scene.git(&["add", "."]);
    scene.git(&["commit", "-q", "-m", "second"]);
    scene.write("plan.md", "bad\n");
    scene.hook("pre-commit", "! git diff --cached -U0 -- '*.md' | grep -q '^+bad'");
    let before = (scene.head(), scene.index());
    reason(scene.repository.commit(&paths(&["plan.md"]), "x", LONG));
    assert_eq!((scene.head(), scene.index()), before);
}

#[test]
fn a_commit_that_a_hook_puts_elsewhere_is_not_taken_for_the_one_that_was_made() {
    let scene = busy();
    let script = "git update-ref HEAD $(git commit-tree -m x 'HEAD^{tree}')";
    scene.hook("post-commit", script);
    let before = scene.head();
    let found = found(scene.repository.commit(&paths(&["plan"]), "x", LONG));
    assert!(found.ends_with(&format!("is not a child of {before}")), "{found}");
}
