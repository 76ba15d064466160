//! `trueup repo`: registering, listing and removing repositories of this machine.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::json;
use trueup_core::git::Worktree;
use trueup_core::model::{Repo, RepoSlug};
use trueup_core::repos::{
    RegisterRefusal, RegisterRepoRequest, ensure_machine_name, register_repo,
};
use trueup_core::store::StoreError;
use trueup_core::text::{one_line, path_to_text};
use trueup_core::views::RepoView;

use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, FileCase, RepoCase};
use crate::output::Output;
use crate::page::{Cell, Column, Table};

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum RepoCommand {
    /// Register a repository on this machine
    ///
    /// `trueup check --all` checks registered repositories, and they share their
    /// STATE.md. Repeating the command updates the options given.
    ///
    /// Example: trueup repo add ~/src/karematch --slug karematch
    #[command(verbatim_doc_comment)]
    Add {
        /// Repository directory
        path: PathBuf,
        /// Repository name [default: the directory's name]
        #[arg(long, value_name = "S")]
        slug: Option<RepoSlug>,
        /// Do not share state with other repositories
        #[arg(long)]
        passive: bool,
        /// Share state again
        #[arg(long, conflicts_with = "passive")]
        active: bool,
    },
    /// List repositories and their directories on this machine
    ///
    /// Example: trueup repo list
    #[command(verbatim_doc_comment)]
    List,
    /// Unregister a repository from this machine; its files are kept
    ///
    /// Example: trueup repo remove karematch
    #[command(verbatim_doc_comment)]
    Remove {
        /// Repository name
        slug: RepoSlug,
    },
}

/// Longest summary of a STATE.md shown, in characters.
const MAX_SUMMARY_CHARS: usize = 100;

pub(super) fn cmd_repo(context: &CommandContext, command: RepoCommand) -> CommandResult {
    match command {
        RepoCommand::Add { path, slug, passive, active } => {
            cmd_add(context, &path, slug, (passive || active).then_some(passive))
        }
        RepoCommand::List => cmd_list(context),
        RepoCommand::Remove { slug } => cmd_remove(context, &slug),
    }
}

/// Finds the root of the repository that contains a path.
pub(super) fn find_repo_root(path: &Path) -> CommandResult<PathBuf> {
    let directory = path.canonicalize().and_then(|path| {
        if path.is_dir() { Ok(path) } else { Err(std::io::ErrorKind::NotADirectory.into()) }
    });
    let dir = directory.map_err(|error| {
        CommandError::new(FileCase::NoDirectory, format!("{}: {error}", path.display()))
    })?;
    Ok(Worktree::discover(&dir).map_or(dir, |git| git.root))
}

/// Finds the root of the git repository that contains a path.
pub(super) fn find_git_root(path: &Path) -> CommandResult<PathBuf> {
    let path = find_repo_root(path)?;
    if Worktree::discover(&path).is_none() {
        let text = format!("{} is not a git repository", path.display());
        let path = path_to_text(&path).as_str().into();
        return Err(CommandError::new(RepoCase::NoRepository { path }, text));
    }
    Ok(path)
}

/// Registers the repository that contains a path.
pub(super) fn cmd_add(
    context: &CommandContext,
    path: &Path,
    slug: Option<RepoSlug>,
    passive: Option<bool>,
) -> CommandResult {
    let path = find_git_root(path)?;
    let store = &mut *context.open_for_change()?;
    let machine = ensure_machine_name(&context.run.settings.paths)?;
    let added_path = path_to_text(&path);
    let request = RegisterRepoRequest {
        slug,
        passive,
        path,
        machine: machine.clone(),
        host: context.run.host.clone(),
        provenance: context.provenance(&context.resolve_actor(store)?, "repo add"),
    };
    let (before, after) =
        register_repo(store, request)?.map_err(|refusal| build_refusal_error(&refusal))?;
    let path_here = after.path_on(&machine).unwrap_or_default();
    let passive_suffix = |repo: &Repo| if repo.passive { " (passive)" } else { "" };
    let text = match &before {
        Some(was) if *was == after => {
            format!("{} is already registered at {path_here}{}", after.slug, passive_suffix(&after))
        }
        Some(was)
            if was.path_on(&machine) == after.path_on(&machine) && added_path != path_here =>
        {
            format!(
                "{}: added {added_path} as another checkout, in addition to {path_here}{}",
                after.slug,
                passive_suffix(&after)
            )
        }
        Some(was) => format!(
            "{}: {}{} -> {path_here}{}",
            after.slug,
            was.path_on(&machine).unwrap_or("not on this machine"),
            passive_suffix(was),
            passive_suffix(&after)
        ),
        None => format!("added {} at {path_here}{}", after.slug, passive_suffix(&after)),
    };
    Ok(Output::new(vec![text], json!({"repo": RepoView::new(&after, Some(&machine))})))
}

fn build_refusal_error(refusal: &RegisterRefusal) -> CommandError {
    let case = match refusal {
        RegisterRefusal::PathTaken { slug, .. } => RepoCase::PathTaken { slug: slug.into() },
        RegisterRefusal::NameTaken { slug, .. } => RepoCase::SlugTaken { slug: slug.into() },
        RegisterRefusal::OtherName { path, .. } => {
            RepoCase::SameRepository { path: path.as_str().into() }
        }
        RegisterRefusal::NoSlug(_) => RepoCase::NoSlug,
    };
    CommandError::new(case, refusal.to_string())
}

fn cmd_list(context: &CommandContext) -> CommandResult {
    let store = &mut *context.open_for_reading()?;
    let machine = trueup_core::repos::read_machine_name(&context.run.settings.paths)?;
    let repos = store.list_repos()?;
    let mut table = Table::new(
        [
            Column::word("REPOSITORY"),
            Column::word("SHARES"),
            Column::word("SYNCED"),
            Column::path("WHERE"),
            Column::text("STATE"),
        ],
        [],
    );
    for repo in &repos {
        table.push(repo_row(context, repo, machine.as_deref()));
        let further = machine.iter().flat_map(|machine| repo.checkouts_on(machine).skip(1));
        for path in further {
            table.push([
                repo.slug.as_str().into(),
                Cell::absent(),
                Cell::absent(),
                path.into(),
                Cell::absent(),
            ]);
        }
    }
    let views: Vec<_> = repos.iter().map(|repo| RepoView::new(repo, machine.as_deref())).collect();
    Ok(Output::table(
        table,
        "no repositories; register one with `trueup repo add PATH`",
        json!({"repos": views}),
    ))
}

fn repo_row(context: &CommandContext, repo: &Repo, machine: Option<&str>) -> [Cell; 5] {
    let path = machine.and_then(|machine| repo.path_on(machine));
    let state = repo.state.as_ref();
    let synced_at = state.map(|state| context.times.render(state.synced_at));
    [
        repo.slug.as_str().into(),
        if repo.passive { Cell::faint("passive") } else { "yes".into() },
        synced_at.map_or_else(Cell::absent, Cell::faint),
        path.map_or_else(|| Cell::faint("not on this machine"), Cell::new),
        Cell::optional(state.map(|state| one_line(&state.summary, MAX_SUMMARY_CHARS))),
    ]
}

fn cmd_remove(context: &CommandContext, slug: &RepoSlug) -> CommandResult {
    let store = &mut *context.open_for_change()?;
    let machine =
        trueup_core::repos::read_machine_name(&context.run.settings.paths)?.unwrap_or_default();
    let provenance = context.provenance(&context.resolve_actor(store)?, "repo remove");
    let removed = match store.remove_repo_place(slug, &machine, &provenance) {
        Err(StoreError::Conflict(problem)) => {
            return Err(CommandError::new(RepoCase::RepoNotFound, problem));
        }
        other => other?,
    };
    let at = removed.path_on(&machine).unwrap_or_default();
    let remaining_machines = removed.places.len().saturating_sub(1);
    let mut text = vec![format!("removed {} from {at}", removed.slug)];
    if remaining_machines > 0 {
        text.push(format!("it is still registered on {remaining_machines} other machines"));
    }
    Ok(Output::new(text, json!({"repo": RepoView::new(&removed, Some(&machine))})))
}
