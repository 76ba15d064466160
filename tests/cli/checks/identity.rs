//! Clones of a repository share its rows, and a fork has rows of its own.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::scene::{Clone, PLAN, git_in, of_code};
use crate::fixture::{codes, data, refused};

impl Clone {
    /// Makes another clone of a remote, in a directory beside this one.
    fn another(&self, remote: &str, name: &str) -> PathBuf {
        let root = self.home.root();
        git_in(&self.home, &root, &["clone", "-q", remote, name]);
        root.join(name)
    }

    fn add(&self, path: &Path, more: &[&str]) -> Value {
        let path = path.to_str().unwrap();
        data(&self.home, &[&["repo", "add", path], more].concat())["repo"].clone()
    }

    /// Runs `trueup check --fix` of a directory.
    fn fix_at(&self, path: &Path) -> Value {
        git_in(&self.home, path, &["pull", "-q", "--rebase"]);
        self.object(0, &["--fix", path.to_str().unwrap()])
    }
}

#[test]
fn two_clones_take_nothing_from_each_other() {
    for is_registered in [false, true] {
        let clone = Clone::empty();
        clone.publish("workplans/a.md", PLAN.replace("repo: the-custodian\n", ""));
        let second = clone.another("remote.git", "second");
        // Another spelling of the same remote.
        let url = format!("file://{}", clone.home.root().join("remote.git").display());
        git_in(&clone.home, &second, &["remote", "set-url", "origin", &url]);
        clone.add(clone.root(), &["--slug", "shop"]);
        if is_registered {
            let repo = clone.add(&second, &[]);
            assert_eq!(repo["slug"], "shop");
            assert_eq!(repo["path"], clone.root().to_str().unwrap());
            let checkouts = &repo["places"][0]["checkouts"];
            assert_eq!(*checkouts, json!([second.to_str().unwrap()]));
            assert_eq!(clone.add(&second, &[])["places"], repo["places"], "once");
        }
        for round in 0..3 {
            for path in [clone.root(), &second] {
                let object = clone.fix_at(path);
                assert_eq!(of_code(&object, "C-09"), [&json!(null); 0], "{round}: {object}");
                assert_eq!(object["data"]["repos"][0]["repo"], "shop");
                assert!(round == 0 || codes(&object).is_empty(), "{round}: {object}");
            }
        }
        let repos: i64 = clone.home.query_value("SELECT count(DISTINCT repo) FROM work_items", []);
        assert_eq!(repos, 1);
        // Work in one is seen in the other.
        clone.done("CUST-WP-0026-T01");
        assert_eq!(codes(&clone.object(0, &[second.to_str().unwrap()])), ["C-15"]);
    }
}

#[test]
fn clones_that_were_registered_under_two_names_are_one_from_now_on() {
    let clone = Clone::new();
    clone.add(clone.root(), &["--slug", "shop"]);
    let second = clone.another("remote.git", "second");
    // As an earlier version wrote it.
    let places: String = clone.home.query_value("SELECT places FROM repos", []);
    let mut places: Value = serde_json::from_str(&places).unwrap();
    for place in places.as_object_mut().unwrap().values_mut() {
        *place = json!({"host": "h", "path": second});
    }
    let later = "INSERT INTO repos (slug, places, created_at)
                 VALUES ('shop2', ?1, strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+1 hour'))";
    clone.home.execute_sql(later, [places.to_string()]);
    for _ in 0..2 {
        for path in [clone.root(), &second] {
            let object = clone.fix_at(path);
            assert_eq!(object["data"]["repos"][0]["repo"], "shop", "{object}");
            assert_eq!(of_code(&object, "C-09"), [&json!(null); 0], "{object}");
        }
    }
    let repo = clone.add(&second, &[]);
    assert_eq!(repo["slug"], "shop");
    let repos = data(&clone.home, &["repo", "list"])["repos"].clone();
    assert_eq!(repos.as_array().unwrap().len(), 1, "{repos}");
    let text = clone.home.prepare_run("trueup").args(["repo", "list"]).wait().ok();
    assert!(text.stdout.contains(second.to_str().unwrap()), "{text:?}");
}

#[test]
fn a_clone_gets_no_name_of_its_own_unless_its_file_says_so() {
    let clone = Clone::new();
    clone.add(clone.root(), &["--slug", "shop"]);
    let second = clone.another("remote.git", "second");
    let path = second.to_str().unwrap();
    refused(&clone.home, "same_repository", &["repo", "add", path, "--slug", "mine"]);
    fs::write(second.join(".trueup.toml"), "repo = \"Mine\"\n").unwrap();
    assert_eq!(clone.add(&second, &[])["slug"], "Mine");
    // A clone with another remote counts as a checkout if its file gives the name.
    let root = clone.home.root();
    git_in(&clone.home, &root, &["init", "-q", "elsewhere"]);
    fs::write(root.join("elsewhere/.trueup.toml"), "repo = \"mine\"\n").unwrap();
    let repo = clone.add(&root.join("elsewhere"), &[]);
    assert_eq!(repo["slug"], "Mine");
    assert_eq!(repo["path"], path);
}

#[test]
fn a_fork_is_a_repository_of_its_own() {
    let clone = Clone::linked();
    clone.add(clone.root(), &["--slug", "the-custodian"]);
    let root = clone.home.root();
    git_in(&clone.home, &root, &["clone", "-q", "--bare", "remote.git", "ana/remote.git"]);
    let fork = clone.another("ana/remote.git", "fork");
    for is_registered in [false, true] {
        if is_registered {
            let repo = clone.add(&fork, &[]);
            assert_eq!(repo["slug"], "fork");
        }
        let object = clone.object(0, &["--fix", fork.to_str().unwrap()]);
        assert_ne!(object["data"]["repos"][0]["repo"], "the-custodian");
        assert!(!of_code(&object, "C-09").is_empty(), "{object}");
        let repos: String = clone.home.query_value(
            "SELECT group_concat(repo, ',') FROM (SELECT DISTINCT repo FROM work_items) AS found",
            [],
        );
        assert_eq!(repos, "the-custodian");
        assert_eq!(codes(&clone.object(0, &[clone.root().to_str().unwrap()])), [""; 0]);
    }
}

#[test]
fn repositories_whose_directories_have_one_name_get_names_of_their_own() {
    let clone = Clone::empty();
    let root = clone.home.root();
    let mut slugs = Vec::new();
    for place in ["a/app", "b/app", "c/app"] {
        git_in(&clone.home, &root, &["init", "-q", place]);
        let path = root.join(place);
        if place == "b/app" {
            let url = "git@github.com:ana/app.git";
            git_in(&clone.home, &path, &["remote", "add", "origin", url]);
        }
        slugs.push(clone.add(&path, &[])["slug"].clone());
    }
    assert_eq!(slugs, ["app", "ana-app", "c-app"]);
}

#[test]
fn each_checkout_gets_the_states_of_the_others() {
    let clone = Clone::new();
    clone.add(clone.root(), &["--slug", "shop"]);
    let second = clone.another("remote.git", "second");
    clone.add(&second, &[]);
    let root = clone.home.root();
    let tree = root.join("tree");
    clone.git(&["worktree", "add", "-q", "-b", "topic", tree.to_str().unwrap()]);
    git_in(&clone.home, &root, &["init", "-q", "other"]);
    let other = root.join("other");
    fs::write(other.join("STATE.md"), "# other\n\nall well\n").unwrap();
    clone.add(&other, &[]);
    data(&clone.home, &["state", "sync", "other"]);
    for path in [clone.root(), &second, &tree] {
        let cache = path.join(".aibrain/global-state-cache.md");
        assert!(fs::read_to_string(&cache).unwrap().contains("all well"), "{cache:?}");
        // The file is not content of the repository.
        git_in(&clone.home, path, &["add", "-A"]);
        assert_eq!(git_in(&clone.home, path, &["status", "--porcelain"]), "");
        fs::remove_file(&cache).unwrap();
    }
    let pull = |path: &Path| {
        let run = clone.home.prepare_run("trueup").args(["state", "pull"]);
        run.args(["--project", path.to_str().unwrap()]).wait().ok();
        path.join(".aibrain/global-state-cache.md").exists()
    };
    assert!(pull(&second) && pull(&tree));
    // A checkout that is gone is reported, and the others are checked.
    fs::remove_dir_all(&second).unwrap();
    fs::write(other.join("STATE.md"), "news\n").unwrap();
    let run = clone.home.prepare_run("trueup").args(["state", "sync", "other", "--json"]);
    let object = crate::fixture::envelope(&run.wait(), 0);
    let warnings = object["warnings"].to_string();
    assert!(warnings.contains(second.to_str().unwrap()), "{object}");
    assert_eq!(object["data"]["synced"].as_array().unwrap().len(), 2);
    // Following the advice ends it.
    clone.add(clone.root(), &[]);
    let run = clone.home.prepare_run("trueup").args(["state", "sync", "other", "--json"]);
    assert_eq!(crate::fixture::envelope(&run.wait(), 0)["warnings"], json!([]));
}

#[test]
fn a_state_is_markdown_that_git_could_track() {
    let clone = Clone::empty();
    let root = clone.root().to_owned();
    clone.add(&root, &["--slug", "shop"]);
    let says = |path: &str| {
        fs::write(root.join(".trueup.toml"), format!("state_file = \"{path}\"\n")).unwrap();
        let run = clone.home.prepare_run("trueup").args(["state", "sync", "shop", "--json"]);
        let answer = run.wait();
        (answer.code, answer.stdout)
    };
    fs::create_dir_all(root.join("docs/.hidden")).unwrap();
    fs::create_dir_all(root.join("private")).unwrap();
    fs::write(root.join(".gitignore"), "private/\nSECRET.md\n").unwrap();
    for path in [
        ".env",
        ".git/config",
        "docs/.hidden/a.md",
        ".md",
        "notes.txt",
        "docs/STATE",
        "id_rsa",
        "private/a.md",
        "SECRET.md",
        "docs/link.md",
        ".STATE.md",
    ] {
        let place = root.join(path);
        let _ = fs::create_dir_all(place.parent().unwrap());
        if path == "docs/link.md" {
            std::os::unix::fs::symlink("../.env", &place).unwrap();
        } else if path != ".git/config" {
            fs::write(&place, "TOKEN=hush\n").unwrap();
        }
        let (code, said) = says(path);
        assert_eq!(code, Some(3), "{path}: {said}");
        assert!(said.contains("state_unreadable") && !said.contains("hush"), "{path}: {said}");
    }
    fs::write(root.join("docs/now.MD"), "now\n").unwrap();
    assert_eq!(says("docs/now.MD").0, Some(0));
    // Tracked despite an ignore pattern.
    clone.git(&["add", "-f", "SECRET.md"]);
    assert_eq!(says("SECRET.md").0, Some(0));
}
