//! `trueup repo`

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use trueup_core::files::path_to_text;
use trueup_core::git::Worktree;
use trueup_core::model::{Repo, RepoSlug};
use trueup_core::repos::{Refusal, Wish, make_machine, register};
use trueup_core::store::{RepoStore as _, StoreError};
use trueup_core::text::one_line;

use crate::args::RepoCommand;
use crate::desk::Desk;
use crate::failure::{ErrorCase, Failure};
use crate::report::Answer;

/// Longest summary of a state shown, in characters.
const LONGEST: usize = 100;

pub(super) fn run(desk: &Desk, command: RepoCommand) -> Result<Answer, Failure> {
    match command {
        RepoCommand::Add {
            path,
            slug,
            passive,
            active,
        } => add(desk, &path, slug, (passive || active).then_some(passive)),
        RepoCommand::List => list(desk),
        RepoCommand::Remove { slug } => remove(desk, &slug),
    }
}

/// Finds the root of the repository that a path leads to.
pub(super) fn root_of(path: &Path) -> Result<PathBuf, Failure> {
    let found = path.canonicalize().and_then(|path| {
        if path.is_dir() {
            Ok(path)
        } else {
            Err(std::io::ErrorKind::NotADirectory.into())
        }
    });
    let dir = found
        .map_err(|error| Failure::new(ErrorCase::File, format!("{}: {error}", path.display())))?;
    Ok(Worktree::discover(&dir).map_or(dir, |git| git.root))
}

fn add(
    desk: &Desk,
    path: &Path,
    slug: Option<RepoSlug>,
    passive: Option<bool>,
) -> Result<Answer, Failure> {
    let path = root_of(path)?;
    if Worktree::discover(&path).is_none() {
        let text = format!("{} is not a git repository", path.display());
        let path = path_to_text(&path).as_str().into();
        return Err(Failure::new(ErrorCase::NoRepository { path }, text));
    }
    let mut store = desk.open_for_change()?;
    let machine = make_machine(&desk.site.settings.paths)?;
    let added = path_to_text(&path);
    let wish = Wish {
        slug,
        passive,
        path,
        machine: machine.clone(),
        host: desk.site.host.clone(),
        provenance: desk.provenance(&desk.actor(&mut store)?, "repo add"),
    };
    let (was, is) = register(&mut store, wish)?.map_err(|refusal| refused(&refusal))?;
    let at = is.path_on(&machine).unwrap_or_default();
    let kind = |repo: &Repo| if repo.passive { " (passive)" } else { "" };
    let text = match &was {
        Some(was) if *was == is => {
            format!("{} is already registered at {at}{}", is.slug, kind(&is))
        }
        Some(was) if was.path_on(&machine) == is.path_on(&machine) && added != at => {
            format!(
                "{}: added {added} as another checkout, in addition to {at}{}",
                is.slug,
                kind(&is)
            )
        }
        Some(was) => format!(
            "{}: {}{} -> {at}{}",
            is.slug,
            was.path_on(&machine).unwrap_or("not on this machine"),
            kind(was),
            kind(&is)
        ),
        None => format!("added {} at {at}{}", is.slug, kind(&is)),
    };
    Ok(Answer::new(
        vec![text],
        json!({"repo": brief(&is, Some(&machine))}),
    ))
}

fn refused(refusal: &Refusal) -> Failure {
    let case = match refusal {
        Refusal::Taken { slug, .. } => ErrorCase::PathTaken { slug: slug.into() },
        Refusal::Elsewhere { slug, .. } => ErrorCase::SlugTaken { slug: slug.into() },
        Refusal::Same { path, .. } => ErrorCase::SameRepository {
            path: path.as_str().into(),
        },
        Refusal::Nameless(_) => ErrorCase::NoSlug,
    };
    Failure::new(case, refusal.to_string())
}

fn list(desk: &Desk) -> Result<Answer, Failure> {
    let mut store = desk.open()?;
    let machine = trueup_core::repos::machine(&desk.site.settings.paths)?;
    let repos = store.repos()?;
    let mut text: Vec<String> = Vec::new();
    for repo in &repos {
        text.push(line(repo, machine.as_deref()));
        let further = machine
            .iter()
            .flat_map(|machine| repo.checkouts_on(machine).skip(1));
        text.extend(further.map(|path| format!("{:<24} {path}", "")));
    }
    if text.is_empty() {
        text.push("no repositories; register one with `trueup repo add PATH`".to_owned());
    }
    let rows: Vec<Value> = repos
        .iter()
        .map(|repo| brief(repo, machine.as_deref()))
        .collect();
    let answer = Answer::new(text, json!({"repos": rows}));
    Ok(if repos.is_empty() {
        answer
    } else {
        answer.columns(&format!("{:<24} WHERE", "REPOSITORY"))
    })
}

fn line(repo: &Repo, machine: Option<&str>) -> String {
    let path = machine.and_then(|machine| repo.path_on(machine));
    let state = repo.state.as_ref().map_or(String::new(), |state| {
        let summary = one_line(&state.summary, LONGEST);
        format!("  {} ({summary})", state.synced_at)
    });
    let passive = if repo.passive { "  passive" } else { "" };
    format!(
        "{:<24} {}{passive}{state}",
        repo.slug.as_str(),
        path.unwrap_or("not on this machine")
    )
}

fn remove(desk: &Desk, slug: &RepoSlug) -> Result<Answer, Failure> {
    let mut store = desk.open_for_change()?;
    let machine = trueup_core::repos::machine(&desk.site.settings.paths)?.unwrap_or_default();
    let by = desk.provenance(&desk.actor(&mut store)?, "repo remove");
    let was = match store.displace_repo(slug, &machine, &by) {
        Err(StoreError::Conflict(problem)) => {
            return Err(Failure::new(ErrorCase::RepoNotFound, problem));
        }
        other => other?,
    };
    let at = was.path_on(&machine).unwrap_or_default();
    let left = was.places.len().saturating_sub(1);
    let mut text = vec![format!("removed {} from {at}", was.slug)];
    if left > 0 {
        text.push(format!("it is still registered on {left} other machines"));
    }
    Ok(Answer::new(
        text,
        json!({"repo": brief(&was, Some(&machine))}),
    ))
}

/// Shows a repository: its path is that on this machine.
fn brief(repo: &Repo, machine: Option<&str>) -> Value {
    let places: Vec<Value> = repo
        .places
        .values()
        .map(|place| {
            json!({
                "host": place.host, "path": place.path, "checkouts": place.checkouts,
                "identity": place.identity,
            })
        })
        .collect();
    let state = repo.state.as_ref().map(|state| {
        json!({
            "synced_at": state.synced_at, "synced_by": state.synced_by, "digest": state.digest,
            "summary": state.summary, "redacted": state.redacted,
        })
    });
    json!({
        "slug": repo.slug,
        "path": machine.and_then(|machine| repo.path_on(machine)),
        "passive": repo.passive,
        "places": places,
        "state": state,
        "created_at": repo.created_at,
        "updated_at": repo.updated_at,
    })
}
