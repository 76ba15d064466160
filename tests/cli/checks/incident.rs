//! A reconstructed incident: two machines share one database, and a stale clone on one of them must
//! not undo the other's work.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use support::home::{Home, ProcessOutput, ProcessRun};
use support::race::run_at_once;

use super::scene::{Clone, PLAN, git_in, of_code};
use crate::fixture::{codes, envelope};

/// Two clones of one remote and two homes of trueup, one of them at work on each machine.
struct Scene {
    here: Clone,
    url: String,
}

/// A machine: the workstation, whose clone is the scene's own, or the remote one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Machine {
    Workstation,
    Remote,
}
use Machine::{Remote, Workstation};

impl Scene {
    fn new() -> Self {
        let here = Clone::new();
        let root = here.home.root();
        git_in(&here.home, &root, &["clone", "-q", "remote.git", "coulombcore"]);
        fs::create_dir(root.join("there")).unwrap();
        let database = here.home.trueup_home().join("trueup.db");
        let file = || format!("sqlite:{}", database.display());
        let url = here.home.shared_url().map_or_else(file, str::to_owned);
        Self { here, url }
    }

    fn home(&self) -> &Home {
        &self.here.home
    }

    fn root(&self, machine: Machine) -> PathBuf {
        match machine {
            Workstation => self.here.root().to_owned(),
            Remote => self.home().root().join("coulombcore"),
        }
    }

    fn command(&self, machine: Machine, arguments: &[&str]) -> ProcessRun<'_> {
        let run = self.home().prepare_run("trueup").args(arguments);
        let run = run.env("TRUEUP_DATABASE_URL", &self.url).cwd(self.root(machine));
        match machine {
            Workstation => run,
            // Two identical commits within one second would have the same id.
            Remote => run
                .env("TRUEUP_HOME", self.home().root().join("there"))
                .env("GIT_COMMITTER_NAME", "CoulombCore"),
        }
    }

    #[track_caller]
    fn run(&self, machine: Machine, arguments: &[&str]) -> Value {
        let arguments = [arguments, &["--json"]].concat();
        envelope(&self.command(machine, &arguments).wait(), 0)
    }

    fn git(&self, machine: Machine, arguments: &[&str]) -> String {
        git_in(self.home(), &self.root(machine), arguments)
    }

    fn file(&self, machine: Machine) -> String {
        fs::read_to_string(self.root(machine).join("workplans/a.md")).unwrap()
    }

    /// What the dashboard shows.
    fn shown(&self, machine: Machine) -> Vec<String> {
        let tasks = ["T01", "T02", "T03"].map(|task| {
            let item = self.run(machine, &["item", "show", &format!("CUST-WP-0026-{task}")]);
            item["data"]["item"]["status"].as_str().unwrap().to_owned()
        });
        tasks.into()
    }

    /// Everything agrees everywhere.
    #[track_caller]
    fn agrees(&self, statuses: [&str; 3]) {
        for machine in [Workstation, Remote] {
            assert_eq!(self.shown(machine), statuses, "{machine:?}");
            let head = self.git(machine, &["rev-parse", "HEAD"]);
            assert_eq!(head, self.here.remote_head(), "{machine:?}");
            assert_eq!(self.git(machine, &["status", "--porcelain"]), "", "{machine:?}");
            let check = self.run(machine, &["check", "--strict"]);
            assert!(codes(&check).iter().all(|code| *code == "C-04"), "{check}");
        }
        assert_eq!(self.file(Workstation), self.file(Remote));
        let links: i64 = self.home().query_value("SELECT count(*) FROM workplan_links", []);
        let items: i64 = self.home().query_value("SELECT count(*) FROM work_items", []);
        assert_eq!((links, items), (4, 4), "nothing is there twice");
    }
}

#[test]
fn the_incident_from_start_to_end() {
    let scene = Scene::new();
    // The workstation links the workplan; the remote machine pulls it.
    scene.run(Workstation, &["check", "--fix"]);
    scene.git(Remote, &["pull", "-q"]);
    assert_eq!(codes(&scene.run(Remote, &["check", "--fix"])), [""; 0]);

    // 1, 2: work is done on the remote machine, and recorded in the database only.
    for (task, status) in [("T01", "completed"), ("T02", "completed"), ("T03", "running")] {
        let key = format!("CUST-WP-0026-{task}");
        scene.run(Remote, &["item", "transition", &key, status]);
    }
    let done = ["completed", "completed", "running"];
    assert_eq!(scene.shown(Workstation), done);
    let stale = scene.file(Workstation);
    assert!(stale.contains("T01\nstatus: todo"));

    // 3: the remote machine publishes; the workstation is not updated.
    scene.git(Remote, &["commit", "-q", "--allow-empty", "-m", "code"]);
    scene.git(Remote, &["push", "-q"]);
    let first = scene.run(Remote, &["check", "--fix"]);
    assert_eq!(codes(&first), ["C-15", "C-15", "C-15"]);
    assert_eq!(first["data"]["repos"][0]["pushed"], true);

    // 4, 5: the session on the workstation ends, and its stale clone is fixed, many times.
    let head = scene.git(Workstation, &["rev-parse", "HEAD"]);
    for _ in 0..4 {
        let fix = scene.run(Workstation, &["check", "--fix"]);
        assert_eq!(codes(&fix), ["C-16", "C-15", "C-15", "C-15"]);
        assert_eq!(of_code(&fix, "C-16")[0]["severity"], "warning");
        // 6: the dashboards show the same as before.
        assert_eq!(scene.shown(Workstation), done);
        assert_eq!(scene.shown(Remote), done);
        assert_eq!(scene.file(Workstation), stale);
        assert_eq!(scene.git(Workstation, &["rev-parse", "HEAD"]), head);
    }
    // One round on each machine.
    scene.run(Workstation, &["check", "--fix", "--pull"]);
    scene.run(Remote, &["check", "--fix", "--pull"]);
    scene.agrees(done);
    let log = scene.git(Workstation, &["log", "--format=%s"]);
    assert_eq!(log.matches("sync task status from DB [auto]").count(), 2);
}

#[test]
fn a_stale_clone_that_cannot_ask_its_remote_takes_nothing_back() {
    let scene = Scene::new();
    scene.run(Workstation, &["check", "--fix"]);
    scene.git(Remote, &["pull", "-q"]);
    scene.run(Remote, &["item", "transition", "CUST-WP-0026-T01", "completed"]);
    scene.run(Remote, &["check", "--fix"]);
    // Offline: the same is written here, and waits to be published.
    scene.git(Workstation, &["remote", "set-url", "origin", "../nowhere.git"]);
    let fix = scene.run(Workstation, &["check", "--fix"]);
    assert_eq!(codes(&fix), ["C-17", "C-15"]);
    let shown = ["completed", "running", "queued"];
    assert_eq!(scene.shown(Remote), shown);
    scene.git(Workstation, &["remote", "set-url", "origin", "../remote.git"]);
    // Both commit the same change, which git merges.
    let fix = scene.run(Workstation, &["check", "--fix"]);
    assert_eq!(codes(&fix), ["C-16"]);
    scene.git(Workstation, &["pull", "-q", "--rebase"]);
    scene.run(Workstation, &["check", "--fix"]);
    scene.run(Remote, &["check", "--fix", "--pull"]);
    scene.agrees(shown);
}

#[test]
fn work_on_both_sides_meets_in_the_middle() {
    let scene = Scene::new();
    scene.run(Workstation, &["check", "--fix"]);
    scene.git(Remote, &["pull", "-q"]);
    // A person edits the file here while the database changes there.
    let text = scene.file(Workstation).replace("T03\nstatus: todo", "T03\nstatus: done");
    scene.here.write("workplans/a.md", text);
    scene.here.git(&["commit", "-q", "-a", "-m", "done"]);
    scene.here.git(&["push", "-q"]);
    scene.run(Remote, &["item", "transition", "CUST-WP-0026-T01", "blocked"]);
    scene.run(Workstation, &["check", "--fix"]);
    scene.run(Remote, &["check", "--fix", "--pull"]);
    scene.agrees(["blocked", "running", "completed"]);
}

/// Runs both machines at the same moment, as two schedulers do.
fn at_the_same_moment(scene: &Scene) -> Vec<ProcessOutput> {
    run_at_once(2, |number| {
        let machine = [Workstation, Remote][number];
        scene.command(machine, &["check", "--fix", "--json"])
    })
}

#[test]
fn two_that_mend_at_the_very_same_time() {
    let scene = Scene::new();
    // Both link, and neither knows of the other.
    let linked = at_the_same_moment(&scene);
    assert_all_fixed(&scene, &linked);
    scene.agrees(["queued", "running", "queued"]);
    // Both write back.
    scene.run(Remote, &["item", "transition", "CUST-WP-0026-T01", "completed"]);
    let written = at_the_same_moment(&scene);
    assert_all_fixed(&scene, &written);
    scene.agrees(["completed", "running", "queued"]);
}

/// The slower machine has its push refused, or is behind. Both wrote the same, so git merges it
/// without a person.
#[track_caller]
fn assert_all_fixed(scene: &Scene, answers: &[ProcessOutput]) {
    let published = answers
        .iter()
        .map(|answer| envelope(answer, 0)["data"]["repos"][0]["pushed"] == json!(true));
    assert!(published.filter(|pushed| *pushed).count() >= 1, "{answers:?}");
    for machine in [Workstation, Remote] {
        scene.git(machine, &["pull", "-q", "--rebase"]);
        scene.run(machine, &["check", "--fix"]);
    }
    for machine in [Workstation, Remote] {
        scene.git(machine, &["pull", "-q", "--ff-only"]);
    }
}

#[test]
fn the_plan_of_the_seed_itself_is_read_and_linked() {
    // The rule, the preflight and the writeback are tasks of this plan.
    assert_eq!(PLAN.matches("```task").count(), 3);
    let scene = Scene::new();
    scene.run(Workstation, &["check", "--fix"]);
    let item = scene.run(Remote, &["item", "show", "CUST-WP-0026"])["data"]["item"].clone();
    assert_eq!(item["title"], "Distributed Consistency");
    assert_eq!(item["kind"], "workplan");
}
