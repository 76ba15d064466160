//! Remotes and hooks that never end.

use super::*;

/// Opens the pipe, prints a line, and hangs together with a child that ignores signals.
const HANGS: &str = "exec 9>\"$GATE\"; echo >&9; (trap '' TERM HUP; sleep 1000) & sleep 1000";

/// Runs something that hangs with more and more time until the hanging script was reached; returns
/// when all its processes are dead.
fn hangs(scene: &Scene, run: impl Fn(&Repository, Duration) -> Result<(), GitError>) {
    let gate = scene.path("gate");
    let mut opened = Gate::new(&gate);
    let repository = scene.repository.clone().with_variable("GATE", gate);
    for limit in (0..8).map(|power| Duration::from_millis(500 << power)) {
        let error = run(&repository, limit).unwrap_err();
        assert!(
            matches!(error, GitError::TimedOut { limit: told, .. } if told == limit),
            "{error}"
        );
        if opened.wait() == b"\n" {
            return;
        }
    }
    panic!("the script never began");
}

/// Makes the remote one that is reached through ssh.
fn through_ssh(scene: &Scene, script: &str) -> PathBuf {
    scene.git(&["remote", "set-url", "origin", "ssh://nowhere.invalid/x"]);
    scene.program(".git/ssh", script)
}

#[test]
fn a_remote_that_hangs_is_given_up_with_all_its_processes() {
    let scene = Scene::new();
    let ssh = through_ssh(&scene, HANGS);
    let ssh = format!("'{}'", ssh.display());
    scene.git(&["config", "core.sshCommand", &ssh]);
    let upstream = scene.upstream();
    hangs(&scene, |repository, limit| repository.fetch_upstream(&upstream, limit));
}

#[test]
fn a_push_that_hangs_is_given_up() {
    let mut scene = Scene::new();
    let ssh = through_ssh(&scene, HANGS);
    scene.repository = scene.repository.with_variable("GIT_SSH", ssh);
    scene.commits("ours");
    let upstream = scene.upstream();
    hangs(&scene, |repository, limit| repository.push_upstream(&upstream, limit));
    assert_eq!(scene.upstream().ahead, 1);
}

#[test]
fn a_hook_that_hangs_leaves_the_index_as_it_was() {
    let scene = Scene::new();
    scene.write("staged", "s");
    scene.git(&["add", "staged"]);
    scene.write("new", "n");
    scene.write("a.txt", "changed");
    let before = (scene.head(), scene.index());
    scene.hook("pre-commit", HANGS);
    let paths = ["new".to_owned(), "a.txt".to_owned()];
    hangs(&scene, |repository, limit| repository.commit(&paths, "x", limit).map(drop));
    assert_eq!((scene.head(), scene.index()), before);
    // No lock was left behind.
    scene.hook("pre-commit", "");
    scene.repository.commit(&paths, "x", LONG).unwrap();
}

#[test]
fn a_hook_that_hangs_after_the_commit_does_not_undo_it() {
    let scene = Scene::new();
    scene.write("new", "n");
    scene.hook("post-commit", HANGS);
    hangs(&scene, |repository, limit| {
        // A new change each time, because an earlier round may have reached a commit.
        scene.write("new", &format!("{limit:?}"));
        repository.commit(&["new".to_owned()], "x", limit).map(drop)
    });
    assert_eq!(scene.git(&["show", "--format=%s", "--name-only"]), "x\n\nnew");
    assert_eq!(scene.git(&["status", "--porcelain"]), "");
}

#[test]
fn ssh_asks_nothing_and_is_the_users_where_there_is_one() {
    let scene = Scene::new();
    // `ssh`, found before the real one.
    let ssh = through_ssh(&scene, "echo \"$@\" >\"$SEEN\"; env >>\"$SEEN\"; exit 255");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = vec![ssh.parent().unwrap().to_owned()];
    places.extend(std::env::split_paths(&path));
    let seen = scene.path("seen");
    let repository = scene
        .repository
        .clone()
        .with_variable("PATH", std::env::join_paths(places).unwrap())
        .with_variable("SEEN", &seen);
    let fetch = |repository: &Repository| {
        repository.fetch_upstream(&scene.upstream(), LONG).unwrap_err();
        fs::read_to_string(&seen).unwrap()
    };
    let asked = fetch(&repository);
    assert!(asked.starts_with("-o BatchMode=yes "), "{asked}");
    for expected in ["GIT_TERMINAL_PROMPT=0", "SSH_ASKPASS=false", "GIT_ASKPASS="] {
        assert!(asked.lines().any(|line| line == expected), "{expected}: {asked}");
    }
    let chosen = repository.clone().with_variable("GIT_SSH_COMMAND", "ssh -o User=me");
    assert!(fetch(&chosen).starts_with("-o User=me "));
    scene.git(&["config", "core.sshCommand", "ssh -o User=you"]);
    assert!(fetch(&repository).starts_with("-o User=you "));
}

#[test]
fn a_remote_that_wants_a_password_gets_none() {
    let scene = Scene::new();
    let helper = "!f() { echo protocol=https; echo host=nowhere.invalid; }; f";
    scene.git(&["config", "credential.helper", helper]);
    // The program that git runs to talk to a server asks git for a password.
    let call =
        scene.repository.remote_command("git credential", TimeLimit::starting_now(LONG)).unwrap();
    let call = call.with_args(["credential", "fill"]);
    let message =
        reason(call.with_stdin(b"protocol=https\nhost=nowhere.invalid\n\n").unwrap().run());
    assert!(message.contains("terminal prompts disabled"), "{message}");
}
