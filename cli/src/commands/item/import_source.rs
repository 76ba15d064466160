//! The files of a tracker: finding, reading and recognising them.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
use trueup_core::fs::read_bytes;
use trueup_core::plan::trackers::{SourceFile, TrackerFormat};
use trueup_core::text::path_to_text;

use super::import_problem::{find_encoding_problem, find_syntax_problem};
use super::tracker_place::name_tracker_place;
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, ImportCase};

/// The name of stdin.
const STREAM: &str = "-";

/// The mark that some editors put before UTF-8.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// The most that is read of a file, in bytes.
const MAX_FILE_BYTES: u64 = 256 * 1024 * 1024;

/// The most files of a folder. A folder with more is something else.
const MAX_FILES: usize = 100_000;

/// Where trackers keep their records, below the folder that a user knows.
const KNOWN_PLACES: [&str; 8] = [
    ".beads/issues.jsonl",
    "issues.jsonl",
    ".taskmaster/tasks/tasks.json",
    "tasks/tasks.json",
    "tasks.json",
    "backlog/tasks",
    ".backlog/tasks",
    "tasks",
];

/// Folders of Backlog.md beside its tasks.
pub(crate) const BACKLOG_SIBLINGS: [&str; 4] =
    ["completed", "archive/tasks", "archive/drafts", "drafts"];

/// The file in which Backlog.md keeps its statuses.
pub(crate) const BACKLOG_CONFIG: &str = "config.yml";

/// Files that were read.
pub(crate) struct ImportSource {
    pub(crate) path: PathBuf,
    /// The path as the user gave it.
    pub(crate) name: String,
    pub(crate) format: TrackerFormat,
    /// Each with its name in messages.
    files: Vec<(String, Vec<u8>)>,
}

impl ImportSource {
    pub(crate) fn as_files(&self) -> Vec<SourceFile<'_>> {
        self.files.iter().map(|(path, bytes)| SourceFile { path, bytes }).collect()
    }

    /// Names the file as items know it; stdin has no name.
    pub(super) fn name_place(&self) -> Option<String> {
        (!is_stream(&self.path)).then(|| name_tracker_place(&self.path, self.format))
    }

    pub(crate) fn path_of(&self, file: usize) -> &str {
        self.files.get(file).map_or(self.name.as_str(), |(path, _)| path)
    }
}

/// Tells whether a path stands for stdin.
pub(super) fn is_stream(path: &Path) -> bool {
    path == Path::new(STREAM)
}

/// Leaves out the mark that some editors put before UTF-8.
pub(crate) fn without_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(BOM).unwrap_or(bytes)
}

/// Reads the files of a tracker. Its format is recognised unless it is given.
pub(crate) fn read_source(
    context: &CommandContext,
    file: &Path,
    format: Option<TrackerFormat>,
) -> CommandResult<ImportSource> {
    let name = path_to_text(file);
    let (path, files) = if is_stream(file) {
        (file.to_owned(), vec![("stdin".to_owned(), read_stdin()?)])
    } else {
        let path = resolve_place(&context.cwd().join(file));
        let mut files = read_files(&path).map_err(|error| unreadable_error(&path, &error))?;
        shorten_names(&mut files, context.cwd());
        (path, files)
    };
    if let Some(problem) = files.iter().find_map(|(path, bytes)| find_encoding_problem(path, bytes))
    {
        return Err(CommandError::new(ImportCase::ImportUnreadable, problem));
    }
    let Some(format) = format.or_else(|| recognise(&files)) else {
        let problem = files.iter().find_map(|(path, bytes)| find_syntax_problem(path, bytes));
        let problem =
            problem.unwrap_or_else(|| format!("{name}: not recognised as the file of a tracker"));
        return Err(CommandError::new(ImportCase::FormatUnknown, problem));
    };
    Ok(ImportSource { path, name, format, files })
}

/// Names files from the working directory, where they are below it.
fn shorten_names(files: &mut [(String, Vec<u8>)], cwd: &Path) {
    for (name, _) in files {
        if let Ok(short) = Path::new(name.as_str()).strip_prefix(cwd) {
            *name = path_to_text(short);
        }
    }
}

fn unreadable_error(path: &Path, error: &std::io::Error) -> CommandError {
    let problem = match error.kind() {
        std::io::ErrorKind::FileTooLarge => {
            format!("larger than {} MiB", MAX_FILE_BYTES / 1024 / 1024)
        }
        _ => error.to_string(),
    };
    let message = format!("{}: {problem}", path.display());
    CommandError::new(ImportCase::ImportUnreadable, message)
}

fn read_stdin() -> CommandResult<Vec<u8>> {
    let mut bytes = Vec::new();
    std::io::stdin().lock().take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MAX_FILE_BYTES {
        let error = std::io::Error::from(std::io::ErrorKind::FileTooLarge);
        return Err(unreadable_error(Path::new("stdin"), &error));
    }
    Ok(bytes)
}

/// Finds the records below a folder that a user names for them, such as the repository.
fn resolve_place(path: &Path) -> PathBuf {
    if !path.is_dir() {
        return path.to_owned();
    }
    let places = KNOWN_PLACES.iter().map(|place| path.join(place));
    let mut places = places.filter(|place| place.exists());
    places.next().unwrap_or_else(|| path.to_owned())
}

fn read_files(path: &Path) -> std::io::Result<Vec<(String, Vec<u8>)>> {
    if !path.is_dir() {
        let bytes = read_bytes(path, MAX_FILE_BYTES, true)?;
        // What its status means stands in the configuration of its folder.
        let config = find_config(path).filter(|_| may_be_task(path, &bytes));
        let mut files = vec![(path_to_text(path), bytes)];
        if let Some(config) = config {
            let bytes = read_bytes(&config, MAX_FILE_BYTES, true)?;
            files.push((path_to_text(&config), bytes));
        }
        return Ok(files);
    }
    let mut paths = list_records(path)?;
    if path.file_name().is_some_and(|name| name == "tasks")
        && let Some(root) = path.parent()
        && (paths.iter().any(|path| has_extension(path, "md"))
            || root.join(BACKLOG_CONFIG).is_file())
    {
        for sibling in BACKLOG_SIBLINGS.map(|sibling| root.join(sibling)) {
            if sibling.is_dir() {
                paths.extend(list_records(&sibling)?);
            }
        }
        paths.extend(Some(root.join(BACKLOG_CONFIG)).filter(|config| config.is_file()));
    }
    let mut left = MAX_FILE_BYTES;
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        let bytes = read_bytes(&path, left, true)?;
        left -= u64::try_from(bytes.len()).unwrap_or(left).min(left);
        files.push((path_to_text(&path), bytes));
    }
    Ok(files)
}

/// Finds the configuration of Backlog.md for one of its files, which lie up to two folders below it.
fn find_config(file: &Path) -> Option<PathBuf> {
    let folders = file.ancestors().skip(2).take(2);
    let mut configs = folders.map(|folder| folder.join(BACKLOG_CONFIG));
    configs.find(|config| config.is_file())
}

fn has_extension(path: &Path, wanted: &str) -> bool {
    path.extension().is_some_and(|end| end.eq_ignore_ascii_case(wanted))
}

/// Lists the files of a folder that may be records, by name.
fn list_records(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder)?.take(MAX_FILES) {
        let path = entry?.path();
        let may_be_record = has_extension(&path, "md") || has_extension(&path, "json");
        if may_be_record && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Recognises the format by the content.
fn recognise(files: &[(String, Vec<u8>)]) -> Option<TrackerFormat> {
    // Beside tasks of Backlog.md there may be anything.
    if files.iter().any(|(path, bytes)| may_be_task(Path::new(path), bytes)) {
        return Some(TrackerFormat::Backlog);
    }
    let (path, bytes) = files.first()?;
    if has_extension(Path::new(path), "md") {
        return None;
    }
    let bytes = without_bom(bytes);
    if files.len() > 1 {
        return Some(TrackerFormat::ClientTasks);
    }
    match serde_json::from_slice::<Value>(bytes) {
        Ok(Value::Array(_)) => Some(TrackerFormat::Beads),
        Ok(Value::Object(fields)) if is_task_file(&fields) => Some(TrackerFormat::TaskMaster),
        Ok(Value::Object(fields)) if fields.contains_key("subject") => {
            Some(TrackerFormat::ClientTasks)
        }
        _ => recognise_lines(bytes),
    }
}

/// Tells whether a file has the front matter that a task of Backlog.md begins with.
fn may_be_task(path: &Path, bytes: &[u8]) -> bool {
    has_extension(path, "md") && without_bom(bytes).starts_with(b"---")
}

fn is_task_file(fields: &serde_json::Map<String, Value>) -> bool {
    let is_list = |value: &Value| value.get("tasks").is_some_and(Value::is_array);
    fields.get("tasks").is_some_and(Value::is_array) || fields.values().any(is_list)
}

/// Recognises one object a line by the first one that parses.
fn recognise_lines(bytes: &[u8]) -> Option<TrackerFormat> {
    let lines = bytes.split(|byte| *byte == b'\n').take(1_000);
    let mut objects = lines.filter_map(|line| match serde_json::from_slice(line) {
        Ok(Value::Object(fields)) => Some(fields),
        _ => None,
    });
    objects.find_map(|fields| {
        let has = |key| fields.contains_key(key);
        if has("type") && (has("version") || has("key") || has("id")) && !has("issue_type") {
            Some(TrackerFormat::JsonLines)
        } else if has("id") && (has("title") || has("status")) || has("_type") {
            Some(TrackerFormat::Beads)
        } else {
            None
        }
    })
}
