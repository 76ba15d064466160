//! Exports to the folder of Backlog.md.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use trueup_core::fs::{NewFile, create_shared_dir, read_bytes};
use trueup_core::plan::trackers::{
    BacklogFile, ExportedItems, SourceFile, TrackerFormat, find_removed_files, read_tracker,
    render_backlog_file,
};
use trueup_core::store::Store;
use trueup_core::text::path_to_text;

use super::counts::ExportCounts;
use super::remember::remember_files;
use super::replaced::refuse_changes;
use super::target::unwritable_error;
use super::tracker::{LoadedItems, count_items, load_items};
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, ImportCase};
use crate::commands::item::import_source::{
    BACKLOG_CONFIG, BACKLOG_SIBLINGS, ImportSource, read_source, without_bom,
};
use crate::commands::item::tracker_place::name_tracker_place;
use crate::commands::work_scope::WorkScope;

/// The most that is read of a file that may have to be written, in bytes.
const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// The folder of the tasks, beside those of drafts and completed ones.
const TASK_FOLDER: &str = "tasks";

/// Writes one file an item, in the folder that it came from. A file that is as it was is not
/// touched, and one that is something else stops the export before the first is written.
pub(super) fn write_backlog(
    context: &CommandContext,
    store: &mut dyn Store,
    scope: &WorkScope,
    name: &Path,
) -> CommandResult<(ExportCounts, Vec<String>)> {
    let root = find_root(&context.cwd().join(name));
    let LoadedItems { mut items, warnings } =
        load_items(store, scope, TrackerFormat::Backlog, Some(&root))?;
    let FolderState { known, removed } = check_folder(context, name, &root, &mut items)?;
    let mut files = Vec::new();
    let mut all = Vec::new();
    for exported in &items.items {
        let file = render_backlog_file(exported, &items);
        let path = root.join(&file.path);
        match read_bytes(&path, MAX_FILE_BYTES, true) {
            Ok(bytes) if bytes == file.text.as_bytes() => {}
            Ok(bytes) if is_something_else(&bytes, known.contains(&file.id)) => {
                let message = format!("{} exists and is not {}", path.display(), file.id);
                return Err(CommandError::new(ImportCase::ExportInTheWay, message));
            }
            // What cannot be read is not absent.
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(unwritable_error(&path, &error));
            }
            _ => files.push(file.clone()),
        }
        all.push(file);
    }
    remember_export(context, store, &root, &items, &all)?;
    create_folder(&root.join(TASK_FOLDER))?;
    for BacklogFile { path, text, .. } in files {
        let path = root.join(path);
        create_folder(path.parent().unwrap_or(&root))?;
        let write = || {
            let mut draft = NewFile::replacing(&path)?;
            draft.write_all(text.as_bytes())?;
            draft.persist()
        };
        write().map_err(|error| unwritable_error(&path, &error))?;
    }
    for path in removed {
        std::fs::remove_file(&path).map_err(|error| unwritable_error(&path, &error))?;
    }
    Ok((count_items(&items, "task"), warnings))
}

/// Tells whether a file that an export would replace is no task, or an unknown one. An empty file
/// has nothing to lose.
fn is_something_else(bytes: &[u8], is_known: bool) -> bool {
    let text = without_bom(bytes);
    !text.trim_ascii().is_empty() && (!is_known || !text.starts_with(b"---"))
}

/// Lets the items remember their files.
fn remember_export(
    context: &CommandContext,
    store: &mut dyn Store,
    root: &Path,
    items: &ExportedItems,
    files: &[BacklogFile],
) -> CommandResult<()> {
    let config = read_config(root);
    let config = config.iter().map(|(path, bytes)| SourceFile { path, bytes });
    let files =
        files.iter().map(|file| SourceFile { path: &file.path, bytes: file.text.as_bytes() });
    let files: Vec<SourceFile<'_>> = config.chain(files).collect();
    remember_files(context, store, (TrackerFormat::Backlog, &files), items, root)
}

/// Reads the file in which Backlog.md keeps its statuses.
fn read_config(root: &Path) -> Option<(String, Vec<u8>)> {
    let path = root.join(BACKLOG_CONFIG);
    Some((path_to_text(&path), read_bytes(&path, MAX_FILE_BYTES, true).ok()?))
}

/// Returns the folder of Backlog.md: the one above its tasks, or the one that is named.
fn find_root(folder: &Path) -> PathBuf {
    if folder.file_name().is_some_and(|name| name == TASK_FOLDER) {
        return folder.parent().unwrap_or(folder).to_owned();
    }
    let below = ["backlog", ".backlog"].map(|name| folder.join(name));
    let root = below.into_iter().find(|root| root.join(TASK_FOLDER).is_dir());
    root.unwrap_or_else(|| folder.to_owned())
}

/// What the folder of Backlog.md has.
struct FolderState {
    /// The ids of its tasks.
    known: BTreeSet<String>,
    /// The files of items that were removed here.
    removed: Vec<PathBuf>,
}

/// Refuses where a file of an item changed since the import.
fn check_folder(
    context: &CommandContext,
    name: &Path,
    root: &Path,
    items: &mut ExportedItems,
) -> CommandResult<FolderState> {
    let sources: Vec<ImportSource> = list_task_folders(root)
        .iter()
        .map(|folder| read_source(context, folder, Some(TrackerFormat::Backlog)))
        .collect::<CommandResult<_>>()?;
    let files: Vec<SourceFile<'_>> = sources.iter().flat_map(ImportSource::as_files).collect();
    let path_of = |file: usize| files.get(file).map_or("", |file| file.path).to_owned();
    let file = read_tracker(TrackerFormat::Backlog, &files)
        .map_err(|error| CommandError::new(ImportCase::ExportInTheWay, error.to_string()))?;
    let place = name_tracker_place(root, TrackerFormat::Backlog);
    refuse_changes((name, &place), &path_of, &file, items)?;
    let removed = find_removed_files(&file, items).into_iter();
    Ok(FolderState {
        removed: removed.map(|file| context.cwd().join(path_of(file))).collect(),
        known: file.records.into_iter().map(|record| record.id).collect(),
    })
}

/// Lists the folders to read: that of the tasks, which brings the others, or else those that are
/// there without it.
fn list_task_folders(root: &Path) -> Vec<PathBuf> {
    let tasks = root.join(TASK_FOLDER);
    let has_tasks = std::fs::read_dir(&tasks).is_ok_and(|mut entries| {
        entries.any(|entry| {
            entry.is_ok_and(|entry| entry.path().extension().is_some_and(|end| end == "md"))
        })
    });
    if has_tasks || tasks.is_dir() && root.join(BACKLOG_CONFIG).is_file() {
        return vec![tasks];
    }
    let others = BACKLOG_SIBLINGS.map(|sibling| root.join(sibling));
    others.into_iter().filter(|folder| folder.is_dir()).collect()
}

fn create_folder(folder: &Path) -> CommandResult<()> {
    let is_missing = |dir: &&Path| !dir.as_os_str().is_empty() && !dir.exists();
    let missing: Vec<&Path> = folder.ancestors().take_while(is_missing).collect();
    for dir in missing.into_iter().rev() {
        create_shared_dir(dir).map_err(|error| unwritable_error(dir, &error))?;
    }
    Ok(())
}
