//! Asking a remote starts nothing of the repository's.

use super::*;

/// A scene whose remote has one more commit than is known here.
fn behind() -> Scene {
    let scene = Scene::new();
    scene.commits("ours");
    scene.someone_pushes("theirs", "x");
    scene
}

/// Everything in a repository that asking might change.
fn everything(scene: &Scene) -> (String, String, Vec<PathBuf>) {
    fn files(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(&path, found);
            }
            found.push(path);
        }
    }
    let mut found = Vec::new();
    files(&scene.repository.root().join(".git"), &mut found);
    found.sort();
    (scene.git(&["for-each-ref"]), scene.index(), found)
}

#[test]
fn asking_tells_how_far_the_sides_are_apart_and_changes_nothing() {
    for format in ["sha1", "sha256"] {
        let scene = Scene::cloned(&[&format!("--object-format={format}")]);
        scene.commits("first");
        scene.git(&["push", "-q"]);
        let ask = || scene.repository.query_remote(&scene.upstream(), LONG).unwrap();
        assert_eq!((ask().ahead, ask().behind), (0, 0));
        scene.commits("ours");
        scene.someone_pushes("theirs", "x");
        scene.someone_pushes("more", "x");
        let before = everything(&scene);
        let answer = ask();
        assert_eq!((answer.ahead, answer.behind, answer.gone), (1, 2, false));
        assert_eq!(everything(&scene), before);
        assert_eq!(scene.upstream().behind, 0, "what was known is as it was");
    }
}

#[test]
fn every_spelling_of_a_plain_remote_is_asked() {
    let scene = behind();
    let remote = scene.path("remote.git");
    for url in [
        remote.to_str().unwrap().to_owned(),
        format!("file://{}", remote.display()),
        "../remote.git".to_owned(),
    ] {
        scene.git(&["remote", "set-url", "origin", &url]);
        let answer = scene.repository.query_remote(&scene.upstream(), LONG).unwrap();
        assert_eq!((answer.ahead, answer.behind), (1, 1), "{url}");
    }
    // A spelling that the user's own settings define.
    let settings = fs::read_to_string(scene.path(".gitconfig")).unwrap();
    let short = format!("[url \"{}/\"]\ninsteadOf = hub:\n", scene.dir.path().display());
    fs::write(scene.path(".gitconfig"), settings + &short).unwrap();
    scene.git(&["remote", "set-url", "origin", "hub:remote.git"]);
    let answer = scene.repository.query_remote(&scene.upstream(), LONG).unwrap();
    assert_eq!((answer.ahead, answer.behind), (1, 1));
}

#[test]
fn a_linked_worktree_and_a_shallow_clone_are_asked_too() {
    let scene = behind();
    scene.git(&["worktree", "add", "-q", "-b", "topic", "../tree", "origin/main"]);
    let tree = at(scene.dir.path(), &scene.path("tree"));
    let upstream = tree.read_branch_status().unwrap().upstream.unwrap();
    assert_eq!(tree.query_remote(&upstream, LONG).unwrap().behind, 1);
    let url = format!("file://{}", scene.path("remote.git").display());
    git_in(scene.dir.path(), scene.dir.path(), &["clone", "-q", "--depth=1", &url, "shallow"]);
    let shallow = at(scene.dir.path(), &scene.path("shallow"));
    scene.someone_pushes("theirs", "more");
    let upstream = shallow.read_branch_status().unwrap().upstream.unwrap();
    let answer = shallow.query_remote(&upstream, LONG).unwrap();
    assert_eq!((answer.ahead, answer.behind), (0, 1));
}

#[test]
fn a_branch_that_is_not_there_and_a_remote_that_is_not_are_reported() {
    let scene = Scene::new();
    scene.git(&["checkout", "-q", "-b", "feat"]);
    scene.git(&["push", "-q", "-u", "origin", "feat"]);
    let upstream = scene.upstream();
    let remote = scene.path("remote.git");
    git_in(scene.dir.path(), &remote, &["branch", "-q", "-D", "feat"]);
    let missing = scene.repository.query_remote(&upstream, LONG).unwrap_err();
    assert!(matches!(missing, GitError::NoSuchBranch { .. }), "{missing}");
    fs::rename(&remote, scene.path("moved.git")).unwrap();
    let message = reason(scene.repository.query_remote(&upstream, LONG));
    assert!(message.contains("does not appear to be a git repository"), "{message}");
}

/// Settings of a repository that name a program which some fetch would start. `CANARY` stands for a
/// program that leaves a trace.
const TRAPS: [&[&str]; 21] = [
    &["remote.origin.url=ext::CANARY"],
    &["remote.origin.uploadpack=CANARY"],
    &["remote.origin.vcs=canary"],
    &["remote.origin.url=canary::x"],
    &["remote.origin.url=ssh://nowhere.invalid/x", "core.sshCommand=CANARY"],
    &["remote.origin.url=git://127.0.0.1:9/x", "core.gitProxy=CANARY"],
    &["remote.origin.url=https://127.0.0.1:9/x", "credential.helper=!CANARY"],
    &["remote.origin.url=https://127.0.0.1:9/x", "core.askPass=CANARY"],
    &["url.ext::CANARY .insteadOf=/", "protocol.ext.allow=always"],
    &["protocol.allow=always", "remote.origin.url=ext::CANARY"],
    &["core.fsmonitor=CANARY"],
    &["core.hooksPath=HOOKS"],
    &["core.alternateRefsCommand=CANARY"],
    &["core.pager=CANARY", "pager.fetch=CANARY", "pager.log=true"],
    &["gpg.program=CANARY", "log.showSignature=true"],
    &["alias.fetch=!CANARY", "alias.rev-list=!CANARY"],
    &["fetch.recurseSubmodules=true", "submodule.recurse=true"],
    &["gc.auto=1", "maintenance.auto=true", "gc.recentObjectsHook=CANARY"],
    &["diff.external=CANARY", "filter.x.clean=CANARY", "diff.x.textconv=CANARY"],
    &["include.path=INCLUDED"],
    &[
        "extensions.partialClone=origin",
        "remote.origin.promisor=true",
        "remote.origin.uploadpack=CANARY",
    ],
];

#[test]
fn nothing_that_a_repository_names_is_started() {
    for settings in TRAPS {
        let scene = behind();
        let trace = scene.path("trace");
        let canary = scene.program("../canary", &format!("touch '{}'; exit 1", trace.display()));
        let canary = canary.canonicalize().unwrap();
        let dir = canary.parent().unwrap();
        let hooks = dir.join("hooks");
        fs::create_dir_all(&hooks).unwrap();
        for name in ["reference-transaction", "post-index-change", "post-checkout"] {
            std::os::unix::fs::symlink(&canary, hooks.join(name)).unwrap();
        }
        // A helper of this name would be found too.
        std::os::unix::fs::symlink(&canary, dir.join("git-remote-canary")).unwrap();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut places = vec![dir.to_owned()];
        places.extend(std::env::split_paths(&path));
        let places = std::env::join_paths(places).unwrap();
        let repository = scene.repository.clone().with_variable("PATH", places);
        fs::write(
            dir.join("included"),
            format!("[remote \"origin\"]\nuploadpack = {}\n", canary.display()),
        )
        .unwrap();
        scene.write(".gitattributes", "* filter=x diff=x\n");
        let upstream = scene.upstream();
        for setting in settings {
            let setting = setting
                .replace("CANARY", canary.to_str().unwrap())
                .replace("HOOKS", hooks.to_str().unwrap())
                .replace("INCLUDED", dir.join("included").to_str().unwrap());
            let (key, value) = setting.split_once('=').unwrap();
            scene.git(&["config", "--replace-all", key, value]);
        }
        // Everything that a check reads.
        let _ = repository.read_branch_status();
        let asked = repository.query_remote(&upstream, LONG);
        let _ = repository.list_unpushed(&upstream);
        let _ = repository.list_hidden(&["workplans"]);
        assert!(!trace.exists(), "{settings:?}: {asked:?}");
        if !settings.iter().any(|it| it.contains(".url=") || it.contains(".vcs=")) {
            assert_eq!(asked.unwrap().behind, 1, "{settings:?}");
        }
    }
}

#[test]
fn the_traps_are_traps() {
    // Proves that the table above works: a fetch by hand starts these programs.
    for settings in TRAPS.into_iter().take(2) {
        let scene = behind();
        let trace = scene.path("trace");
        let script = format!("touch '{}'; exit 1", trace.display());
        let canary = scene.program("../canary", &script);
        scene.git(&["config", "protocol.ext.allow", "always"]);
        for setting in settings {
            let setting =
                setting.replace("CANARY", canary.canonicalize().unwrap().to_str().unwrap());
            let (key, value) = setting.split_once('=').unwrap();
            scene.git(&["config", key, value]);
        }
        git_command(scene.dir.path(), scene.repository.root(), &["fetch"]);
        assert!(trace.exists(), "{settings:?}");
    }
}

#[test]
fn ssh_is_the_users_and_never_the_repositorys() {
    let scene = behind();
    scene.git(&["remote", "set-url", "origin", "ssh://nowhere.invalid/x"]);
    let (mine, theirs) = (scene.path("mine"), scene.path("theirs"));
    let program = |name: &str, trace: &Path| {
        let script = format!("echo \"$@\" >'{}'; exit 255", trace.display());
        scene.program(&format!("../{name}"), &script)
    };
    let (me, them) = (program("ssh-mine", &mine), program("ssh-theirs", &theirs));
    scene.git(&["config", "core.sshCommand", them.to_str().unwrap()]);
    let settings = fs::read_to_string(scene.path(".gitconfig")).unwrap();
    let own = format!("[core]\nsshCommand = {}\n", me.canonicalize().unwrap().display());
    fs::write(scene.path(".gitconfig"), settings + &own).unwrap();
    reason(scene.repository.query_remote(&scene.upstream(), LONG));
    assert!(mine.exists() && !theirs.exists());
}
