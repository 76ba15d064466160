//! The repository's STATE.md on its way to the others: given on when it says something new, by
//! its digest, so that neither a slow editor nor a second edit is missed (seed 2 looked at what
//! was saved within the last five seconds).

use std::path::PathBuf;
use std::time::Duration;

use trueup_core::bounds::{PASSED_MARK, STATE};
use trueup_core::files::{path_to_text, read_text, write_own};
use trueup_core::model::{Repo, Session};
use trueup_core::repos::{StateError, StateFile, give, lines, machine, spread};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{RepoStore as _, StoreError};
use trueup_core::sync::Neighbour;

use crate::Call;

/// Longest state in which secrets are looked for in no time to speak of, in bytes.
const SMALL_STATE: usize = 64 * 1024;

/// Least time to begin with another repository.
const LEAST_TIME: Duration = Duration::from_millis(20);

/// Returns this machine's name; `None` where no repository was ever registered, which costs a
/// look at one file.
fn machine_of(call: &Call) -> Result<Option<String>, StoreError> {
    let name = machine(&call.site.settings.paths);
    name.map_err(|error| StoreError::Unavailable(error.to_string()))
}

/// Finds the project among the repositories, if it gives its state on. A linked worktree does
/// not: what it says is not the repository's word yet.
fn own<'a>(call: &Call, machine: &str, repos: &'a [Repo]) -> Option<&'a Repo> {
    let name = call.site.project.name();
    let passive = call.site.repository.passive == Some(true);
    repos
        .iter()
        .find(|repo| repo.path_on(machine) == Some(&name))
        .filter(|repo| !repo.passive && !passive)
}

/// Finds the repository that the project is a checkout of: a linked worktree or another clone is
/// told of the others too.
fn at_home<'a>(call: &Call, machine: &str, repos: &'a [Repo]) -> Option<&'a Repo> {
    let passive = call.site.repository.passive == Some(true);
    let name = call.site.project.name();
    let main = call
        .site
        .project
        .git
        .as_ref()
        .and_then(|git| git.common_dir.parent());
    let main = main.map(path_to_text);
    let lies_at = |path: &str| repos.iter().find(|repo| repo.lies_at(machine, path));
    lies_at(&name)
        .or_else(|| lies_at(&main?))
        .filter(|repo| !repo.passive && !passive)
}

/// Gives the state on if its file says something new; returns lines for the user.
pub(crate) fn pass_on(call: &Call, store: &mut SqliteStore) -> Vec<String> {
    try_pass_on(call, store)
        .unwrap_or_else(|error| vec![format!("trueup: STATE.md was not shared: {error}")])
}

fn try_pass_on(call: &Call, store: &mut SqliteStore) -> Result<Vec<String>, String> {
    let Some(machine) = machine_of(call).map_err(|error| error.to_string())? else {
        return Ok(Vec::new());
    };
    let (dir, config) = (&call.site.project.dir, &call.site.repository);
    let file = match StateFile::read_at_most(dir, config, STATE.most) {
        Err(StateError::Missing(_)) => return Ok(Vec::new()),
        other => other.map_err(|error| error.to_string())?,
    };
    let passed = Passed::of(call, &file.digest);
    if passed.is_noted() {
        return Ok(Vec::new());
    }
    let repos = store.repos().map_err(|error| error.to_string())?;
    let Some(own) = own(call, &machine, &repos) else {
        return Ok(Vec::new());
    };
    file.demand_trackable(dir, call.site.deadline.left())
        .map_err(|error| error.to_string())?;
    if !file.redact_within(call.site.deadline.left().saturating_sub(LEAST_TIME)) {
        if file.size() > SMALL_STATE {
            // Else every hook would try again, in vain. A small one is the machine's fault.
            passed.note();
        }
        return Err("the scan for secrets ran out of time; run: trueup state sync".to_owned());
    }
    let by = call.provenance("state sync");
    let given = give(store, &own.slug, &file, false, &by).map_err(|error| error.to_string())?;
    let paths = &call.site.settings.paths;
    let mut said = Vec::new();
    for (number, repo) in repos.iter().enumerate() {
        let left = call.site.deadline.left();
        if left < LEAST_TIME {
            // What said the same already costs a look, so the next hook gets further.
            let left = repos.len() - number;
            said.push(format!(
                "trueup: STATE.md was not shared with {left} repositories in time; the next hook \
                 continues"
            ));
            break;
        }
        let deliveries = spread(std::slice::from_ref(repo), &machine, &given, paths, left);
        let errors = deliveries.iter().filter_map(|it| it.outcome.as_ref().err());
        said.extend(errors.map(|error| format!("trueup: STATE.md was not shared: {error}")));
        if number + 1 == repos.len() {
            // Only now: what a hook that is killed did not reach, the next one reaches.
            passed.note();
        }
    }
    if !given.found.is_empty() {
        said.push(format!(
            "trueup: secrets in STATE.md were redacted before it was shared: {}, in {}",
            given.found.len(),
            lines(&given.found)
        ));
    }
    Ok(said)
}

/// Which state was passed on last, and into which database: kept in a file, so that a state
/// that says nothing new costs no question to the database.
struct Passed {
    place: PathBuf,
    mark: String,
}

impl Passed {
    fn of(call: &Call, digest: &str) -> Self {
        let settings = &call.site.settings;
        let database = settings.sqlite_path().map(|path| path_to_text(path));
        Self {
            place: settings.paths.passed_on(&call.site.project.dir),
            mark: format!("{digest} {}\n", database.unwrap_or_default()),
        }
    }

    fn is_noted(&self) -> bool {
        read_text(&self.place, PASSED_MARK.most, false).is_ok_and(|noted| noted == self.mark)
    }

    /// Where it cannot be noted, it is passed on once more, and nothing changes by that.
    fn note(&self) {
        let _ = write_own(&self.place, self.mark.as_bytes());
    }
}

/// What a start tells of other repositories, and the file it asks the client to watch.
#[derive(Default)]
pub(crate) struct Surroundings {
    pub(crate) neighbours: Vec<Neighbour>,
    pub(crate) watch_paths: Vec<String>,
}

/// Looks around, for a session of a registered repository.
pub(crate) fn look_around(
    call: &Call,
    store: &mut SqliteStore,
    session: &Session,
) -> Result<Surroundings, StoreError> {
    let Some(machine) = machine_of(call)? else {
        return Ok(Surroundings::default());
    };
    let repos = store.repos()?;
    let Some(own) = at_home(call, &machine, &repos) else {
        return Ok(Surroundings::default());
    };
    let others = repos
        .iter()
        .filter(|repo| !repo.passive && !repo.slug.is_same(own.slug.as_str()));
    let neighbours = others.filter_map(|repo| Neighbour::of(repo, session.read_at));
    let place = StateFile::place(&call.site.project.dir, &call.site.repository);
    let watched = place.ok().and_then(|path| path.to_str().map(str::to_owned));
    Ok(Surroundings {
        neighbours: neighbours.collect(),
        watch_paths: watched.into_iter().collect(),
    })
}
