//! `trueup check`

mod codes;
mod github;
mod sarif;
mod sources;
mod sweep;
mod target;
mod text;

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use trueup_core::consistency::{
    CheckError, Checked, Checkout, Finding, Mover, Push, Request, check,
};
use trueup_core::deadline::Deadline;
use trueup_core::files::path_to_text;
use trueup_core::model::Session;
use trueup_core::reconcile::{Code, Divergence, Severity};
use trueup_core::store::sqlite::SqliteStore;

use crate::args::{CheckArgs, Format};
use crate::desk::Desk;
use crate::failure::{Failure, REFUSED, UNABLE};
use crate::report::Answer;

/// How long the writes of one repository may take: thousands of them the first time.
const WRITES: Duration = Duration::from_mins(5);

/// A repository that was looked at, or was to be.
struct Looked {
    /// Its name, as far as it is known.
    repo: String,
    root: PathBuf,
    /// What came of it; absent where it could not be looked at.
    checked: Option<Checked>,
    /// Why it was passed over.
    passed: Option<String>,
}

impl Looked {
    /// Advises what is done in the repository, to a reader who stands elsewhere.
    fn advise(&mut self, desk: &Desk) {
        if self.root == desk.cwd() {
            return;
        }
        let findings = self.checked.iter_mut().flat_map(|it| &mut it.findings);
        for finding in findings {
            finding.divergence.fix.set_directory(&self.root);
        }
    }
}

pub(super) fn run(desk: &Desk, arguments: &CheckArgs) -> Result<Answer, Failure> {
    if desk.json && matches!(arguments.format, Format::Sarif | Format::Github) {
        let message = "--json and --format cannot be used together";
        return Err(Failure::usage("trueup check --help", message));
    }
    if let Some(path) = &arguments.sources {
        return sources::run(path);
    }
    match looked(desk, arguments) {
        Ok(answer) => Ok(answer),
        // Whoever reads findings alone must see that there was no check.
        Err(mut failure) if failure.exit() == UNABLE => {
            let finding = codes::failed("trueup", &failure.message, failure.code());
            failure.divergences.push(finding.divergence);
            Err(failure)
        }
        Err(failure) => Err(failure),
    }
}

fn looked(desk: &Desk, arguments: &CheckArgs) -> Result<Answer, Failure> {
    if arguments.all {
        return sweep::run(desk, arguments);
    }
    let mut store = open(desk, arguments)?;
    let (request, session) = request(desk, &mut store, arguments)?;
    let targets = target::of(desk, &mut store, &arguments.targets)?;
    let is_only = targets.len() == 1;
    let mut all = Vec::with_capacity(targets.len());
    for target in targets {
        store.set_deadline(Deadline::after(WRITES.max(desk.patience())));
        let checked = check(&mut store, &target, &request, &desk.site.settings.paths);
        let checked = match checked {
            Err(error) if is_only => return Err(error.into()),
            // The others are looked at all the same.
            Err(error) => failed(&target, &error),
            Ok(checked) => checked,
        };
        let mut looked = Looked {
            repo: checked.repo.clone(),
            root: target.root,
            checked: Some(checked),
            passed: None,
        };
        looked.advise(desk);
        all.push(looked);
    }
    let mut warnings = Vec::new();
    if let Some(session) = session {
        desk.after_change(&mut store, &session.id, &mut warnings)?;
    }
    let mut answer = answer(desk, arguments, &all);
    answer.warnings.extend(warnings);
    Ok(answer)
}

/// What is known of a repository that could not be checked.
fn failed(target: &Checkout, error: &CheckError) -> Checked {
    let slug = target.slug.as_ref().map(ToString::to_string);
    let name = slug.unwrap_or_else(|| path_to_text(&target.root));
    let code = match error {
        CheckError::Store(error) => error.code(),
        CheckError::Io(_) => "io",
    };
    Checked {
        findings: vec![codes::failed(&name, &error.to_string(), code)],
        mended: vec![false],
        repo: name,
        ..Checked::default()
    }
}

fn open(desk: &Desk, arguments: &CheckArgs) -> Result<SqliteStore, Failure> {
    if arguments.fix {
        desk.open_for_change()
    } else {
        desk.open()
    }
}

/// Says what is asked for, and for which session: what was edited by hand in its cache is
/// pushed before anything of it changes.
fn request(
    desk: &Desk,
    store: &mut SqliteStore,
    arguments: &CheckArgs,
) -> Result<(Request, Option<Session>), Failure> {
    let mut session = None;
    if arguments.fix
        && let Some(found) = desk.mover(store)?
    {
        session = Some(desk.before_change(store, found)?);
    }
    let mover = Mover {
        session: session.as_ref().map(|session| session.id.clone()),
        actor: desk.actor(store)?,
    };
    let request = Request {
        fix: arguments.fix,
        writeback: !arguments.no_writeback,
        pull: arguments.pull,
        push: match (arguments.push, arguments.no_push) {
            (true, _) => Push::All,
            (false, true) => Push::Never,
            (false, false) => Push::Own,
        },
        mover,
    };
    Ok((request, session))
}

/// Puts together what was found.
fn answer(desk: &Desk, arguments: &CheckArgs, all: &[Looked]) -> Answer {
    let several = all.len() > 1;
    let findings = all.iter().flat_map(|looked| shown(looked, several));
    let findings: Vec<(Finding, bool)> = findings.collect();
    // What is mended is no state of the repository that others need to see.
    let remaining = || {
        let left = findings.iter().filter(|(_, mended)| !mended);
        left.map(|(finding, _)| finding)
    };
    let left = all.iter().flat_map(left);
    let least = if arguments.strict {
        Severity::Warning
    } else {
        Severity::Error
    };
    let mut exit = 0;
    for divergence in left {
        if divergence.code == Code::C00 {
            exit = UNABLE;
        } else if divergence.severity >= least && exit == 0 {
            exit = REFUSED;
        }
    }
    let data = json!({"repos": all.iter().map(brief).collect::<Vec<_>>()});
    let (text, tints) = match arguments.format {
        Format::Text | Format::Json => text::lines(all, arguments.fix),
        Format::Sarif => (sarif::lines(remaining()), Vec::new()),
        Format::Github => (github::lines(remaining()), Vec::new()),
    };
    // What was passed over or refused is part of the text.
    let warnings = if matches!(arguments.format, Format::Text) && !desk.json {
        Vec::new()
    } else {
        all.iter().flat_map(notes).collect()
    };
    let divergences = findings.into_iter();
    let divergences = divergences.map(|(finding, _)| finding.divergence);
    Answer {
        exit,
        divergences: divergences.collect(),
        warnings,
        tints,
        is_for_runner: arguments.format == Format::Github,
        ..Answer::new(text, data)
    }
}

/// Returns the findings of a repository, and which are mended. Of several, each says whose it
/// is.
fn shown(looked: &Looked, several: bool) -> Vec<(Finding, bool)> {
    let checked = looked.checked.iter();
    let findings = checked.flat_map(|it| it.findings.iter().cloned().zip(it.mended.clone()));
    let mut findings: Vec<(Finding, bool)> = findings.collect();
    if several {
        let root = path_to_text(&looked.root);
        for (finding, _) in &mut findings {
            if finding.path.is_some() {
                let message = &finding.divergence.message;
                finding.divergence.message = format!("{root}/{message}");
                finding.path = finding.path.as_ref().map(|path| format!("{root}/{path}"));
            }
        }
    }
    findings
}

/// Returns what is left of the findings.
fn left(looked: &Looked) -> impl Iterator<Item = &Divergence> {
    looked.checked.iter().flat_map(|checked| {
        let all = checked.findings.iter().zip(&checked.mended);
        all.filter(|(_, mended)| !**mended)
            .map(|(finding, _)| &finding.divergence)
    })
}

/// Returns what was refused or tried in vain.
fn notes(looked: &Looked) -> Vec<String> {
    let notes = looked.checked.iter().flat_map(|checked| &checked.notes);
    notes
        .map(|note| format!("{}: {note}", looked.repo))
        .collect()
}

fn brief(looked: &Looked) -> Value {
    let checked = looked.checked.as_ref();
    let skipped = checked.map_or(&[][..], |checked| &checked.skipped);
    let skipped: Vec<&str> = skipped
        .iter()
        .chain(&looked.passed)
        .map(String::as_str)
        .collect();
    let mut mended: Vec<&str> = checked.map_or_else(Vec::new, |checked| {
        let all = checked.findings.iter().zip(&checked.mended);
        all.filter(|(_, mended)| **mended)
            .map(|(finding, _)| finding.divergence.code.as_str())
            .collect()
    });
    mended.sort_unstable();
    mended.dedup();
    json!({
        "repo": looked.repo,
        "path": path_to_text(&looked.root),
        "files": checked.map_or(0, |checked| checked.files),
        "written": checked.map_or(&[][..], |checked| &checked.written),
        "commit": checked.and_then(|checked| checked.commit.as_ref()),
        "pushed": checked.is_some_and(|checked| checked.pushed),
        "skipped": (!skipped.is_empty()).then(|| skipped.join("; ")),
        "mended": mended,
    })
}
