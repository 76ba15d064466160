//! Manual pages and completions: written by the staged `trueup` itself, put where the user's `man`
//! and shells look.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::artifacts;
use crate::dirs;
use crate::error::{Error, IoResultExt, Result};
use crate::files;
use crate::layout::{Layout, find_on_path};
use crate::manifest::{Document, Manifest, replace_file, sha256_hex};
use crate::process;
use crate::report::{Report, RowState};

const WRITE_TIMEOUT: Duration = Duration::from_mins(1);

/// The documents by the path where each belongs.
type DocumentTexts = BTreeMap<PathBuf, Vec<u8>>;

/// Permission bits of a document.
const DOCUMENT_MODE: u32 = 0o644;

/// Where the user's `man` and shells look.
#[derive(Debug)]
pub(crate) struct DocumentDirs {
    /// The user's data directory, `~/.local/share`.
    pub(crate) data: PathBuf,
    /// The user's configuration directory, `~/.config`.
    pub(crate) config: PathBuf,
}

/// A shell whose completions are installed where the shell itself is.
struct Shell {
    name: &'static str,
    is_below_config: bool,
    file: &'static str,
}

impl Shell {
    /// Returns where its completions of trueup go.
    fn find_place(&self, places: &DocumentDirs) -> PathBuf {
        let root = if self.is_below_config { &places.config } else { &places.data };
        root.join(self.file)
    }
}

/// Where pages go, below the user's data directory.
const MAN_DIR: &str = "man/man1";

const SHELLS: [Shell; 3] = [
    Shell { name: "bash", is_below_config: false, file: "bash-completion/completions/trueup" },
    Shell { name: "zsh", is_below_config: false, file: "zsh/site-functions/_trueup" },
    Shell { name: "fish", is_below_config: true, file: "fish/completions/trueup.fish" },
];

/// Installs the manual pages and the completions of the shells that are there. A failure is a row of
/// the report: nothing else depends on them.
pub(crate) fn install_documents(
    layout: &Layout,
    places: &DocumentDirs,
    manifest: &mut Manifest,
    report: &mut Report,
) -> Result<()> {
    let program = layout.binary_path(artifacts::PLUGIN_NAME);
    match collect_documents(&program, places, |shell| find_on_path(shell.name).is_some()) {
        Ok((documents, shells)) => {
            let before = manifest.documents.clone();
            let foreign = record_documents(&documents, manifest);
            // Recorded first: if this is killed half way, an uninstallation knows what to remove.
            manifest.write(&layout.manifest)?;
            if let Err(error) = place_documents(&documents, &before, manifest) {
                report.add_failure("manual", &error);
                return Ok(());
            }
            for path in foreign {
                let detail = format!("{} is not trueup's; kept", layout.shorten(&path));
                report.add_row("manual", RowState::Skipped, detail);
            }
            let is_same = manifest.documents == before;
            let state = if is_same { RowState::Same } else { RowState::Done };
            let detail = match shells.as_slice() {
                [] => "man trueup".to_owned(),
                shells => format!("man trueup; completions for {}", shells.join(", ")),
            };
            report.add_row("manual", state, detail);
        }
        Err(error) => {
            report.add_row("manual", RowState::Skipped, format!("not installed: {error}"));
        }
    }
    Ok(())
}

/// Lists the documents that are there and that the program writes the same.
pub(crate) fn find_written(program: &Path, places: &DocumentDirs) -> Vec<Document> {
    let Ok((texts, _)) = collect_documents(program, places, |_| true) else { return Vec::new() };
    let is_there =
        |(path, text): &(PathBuf, Vec<u8>)| files::read_file(path).is_ok_and(|it| it == *text);
    let written = texts.into_iter().filter(is_there);
    written.map(|(path, text)| Document { path, sha256: sha256_hex(&text) }).collect()
}

/// Lists the files that have the name of a document of trueup.
pub(crate) fn list_by_name(places: &DocumentDirs) -> Vec<PathBuf> {
    let pages = fs::read_dir(places.data.join(MAN_DIR)).into_iter().flatten().flatten();
    let is_page = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.strip_prefix(artifacts::PLUGIN_NAME)
            .is_some_and(|rest| rest.starts_with(['.', '-']) && rest.ends_with(".1"))
    };
    let mut found: Vec<PathBuf> = pages.map(|entry| entry.path()).filter(is_page).collect();
    found.sort();
    found.extend(SHELLS.iter().map(|shell| shell.find_place(places)).filter(|it| it.exists()));
    found
}

/// Lets the program write its documents, and returns each with the path where it belongs, and the
/// names of the shells.
fn collect_documents(
    program: &Path,
    places: &DocumentDirs,
    is_wanted: impl Fn(&&Shell) -> bool,
) -> Result<(DocumentTexts, Vec<&'static str>)> {
    let scratch =
        tempfile::tempdir().with_action("create a directory in", &std::env::temp_dir())?;
    let pages = scratch.path().join("man");
    for program in [program, &program.with_file_name(artifacts::HUB)] {
        run_quietly(program, &["man".as_ref(), "--out".as_ref(), pages.as_os_str()])?;
    }
    let mut documents = DocumentTexts::new();
    for entry in fs::read_dir(&pages).with_action("read", &pages)? {
        let path = entry.with_action("read", &pages)?.path();
        let text = files::read_file(&path).with_action("read", &path)?;
        let name = path.file_name().unwrap_or_default();
        documents.insert(places.data.join(MAN_DIR).join(name), text);
    }
    let shells = SHELLS.iter().filter(is_wanted);
    let mut names = Vec::new();
    for shell in shells {
        let script = run_quietly(program, &["completions".as_ref(), shell.name.as_ref()])?;
        documents.insert(shell.find_place(places), script.into_bytes());
        names.push(shell.name);
    }
    Ok((documents, names))
}

/// Records the documents and the directories that they need. Returns the paths of files of others,
/// which are kept.
fn record_documents(documents: &DocumentTexts, manifest: &mut Manifest) -> Vec<PathBuf> {
    let known = std::mem::take(&mut manifest.documents);
    let mut foreign = Vec::new();
    for (path, text) in documents {
        let sha256 = sha256_hex(text);
        let present = files::read_file(path).ok().map(|bytes| sha256_hex(&bytes));
        let is_own = |digest: &String| {
            *digest == sha256 || known.iter().any(|old| old.path == *path && old.sha256 == *digest)
        };
        if present.as_ref().is_none_or(is_own) {
            manifest.documents.push(Document { path: path.clone(), sha256 });
            manifest.add_created_dirs(dirs::list_missing(path.parent().unwrap_or(path)));
        } else {
            foreign.push(path.clone());
        }
    }
    foreign
}

/// Puts the recorded documents in place; one of before that is no longer written is removed.
fn place_documents(
    documents: &DocumentTexts,
    before: &[Document],
    manifest: &Manifest,
) -> Result<()> {
    for Document { path, sha256 } in &manifest.documents {
        let is_there = files::read_file(path).is_ok_and(|bytes| sha256_hex(&bytes) == *sha256);
        if let Some(text) = documents.get(path).filter(|_| !is_there) {
            dirs::create_dirs(path.parent().unwrap_or(Path::new("/")))?;
            replace_file(path, DOCUMENT_MODE, text)?;
        }
    }
    for old in before.iter().filter(|old| !documents.contains_key(&old.path)) {
        remove_document(old)?;
    }
    Ok(())
}

/// Counts the documents of an installation in each directory.
pub(crate) fn count_by_dir(manifest: &Manifest) -> BTreeMap<&Path, usize> {
    let dirs = manifest.documents.iter().filter_map(|document| document.path.parent());
    dirs.fold(BTreeMap::new(), |mut counts, dir| {
        *counts.entry(dir).or_default() += 1;
        counts
    })
}

/// Removes the documents of an installation that nobody changed since; returns how many.
pub(crate) fn remove_documents(manifest: &Manifest) -> Result<usize> {
    let mut removed = 0;
    for document in &manifest.documents {
        removed += usize::from(remove_document(document)?);
        // What a killed installation was writing.
        for draft in document.path.parent().into_iter().flat_map(list_drafts) {
            dirs::remove_all(&draft)?;
        }
    }
    Ok(removed)
}

fn list_drafts(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let is_draft = |entry: &fs::DirEntry| {
        entry.file_name().to_string_lossy().starts_with(artifacts::DRAFT_PREFIX)
    };
    entries.filter(is_draft).map(|entry| entry.path()).collect()
}

fn remove_document(document: &Document) -> Result<bool> {
    let is_own =
        files::read_file(&document.path).is_ok_and(|bytes| sha256_hex(&bytes) == document.sha256);
    if is_own { dirs::remove_all(&document.path) } else { Ok(false) }
}

/// Runs a command of the program and returns what it printed.
fn run_quietly(program: &Path, arguments: &[&std::ffi::OsStr]) -> Result<String> {
    let mut command = Command::new(program);
    command.args(arguments);
    let ended =
        process::run_bounded(&mut command, b"", WRITE_TIMEOUT).with_action("run", program)?;
    if ended.status.success() {
        return Ok(ended.stdout);
    }
    Err(Error::Tool {
        what: program.display().to_string(),
        detail: ended.first_error_line(),
        hint: "run it again after an upgrade".to_owned(),
    })
}
