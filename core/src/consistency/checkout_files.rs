//! Reading the workplans of a checkout.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::workplan_file::{ParseProblem, WorkplanFile};
use crate::fs::{is_symlink, read_bytes};
use crate::text::{path_from_text, path_to_text};
use crate::workplan::{TextPosition, is_workplan_path, parse_workplan};

/// The folder of workplans, and that of those put away.
const WORKPLAN_FOLDERS: [&str; 2] = ["workplans", "workplans/archived"];

/// Largest file read, in bytes. Real ones have some ten kilobytes.
pub(super) const MAX_WORKPLAN_BYTES: u64 = 4 * 1024 * 1024;

/// Largest file of a plan read, in bytes.
pub(super) const MAX_PLAN_BYTES: u64 = 16 * 1024 * 1024;

/// Most threads that read; more only wait for each other.
const MAX_READER_THREADS: usize = 8;

/// The workplans of a checkout.
#[derive(Debug, Default)]
pub(super) struct CheckoutFiles {
    pub(super) has_folder: bool,
    /// How many there are.
    pub(super) count: usize,
    pub(super) workplans: Vec<WorkplanFile>,
    pub(super) problems: Vec<(String, ParseProblem)>,
}

/// Lists the workplans of a checkout, by path from its root.
pub(super) fn list_workplan_paths(root: &Path) -> io::Result<Option<Vec<String>>> {
    let mut paths = Vec::new();
    for (number, folder) in WORKPLAN_FOLDERS.into_iter().enumerate() {
        let place = root.join(folder);
        // A link in a repository would lead writes out of it.
        if is_symlink(&place) {
            return Err(with_path(
                &place,
                &io::Error::other("a symlink, which is not followed"),
            ));
        }
        let entries = match fs::read_dir(&place) {
            Err(error) if error.kind() == ErrorKind::NotFound && number == 0 => return Ok(None),
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            other => other.map_err(|error| with_path(&place, &error))?,
        };
        for entry in entries {
            let entry = entry.map_err(|error| with_path(&place, &error))?;
            let path = path_to_text(&Path::new(folder).join(entry.file_name()));
            // A folder's name may end like a file's.
            let is_folder = || entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_workplan_path(&path) && !is_folder() {
                paths.push(path);
            }
        }
    }
    paths.sort();
    Ok(Some(paths))
}

/// Says why a file cannot be read. Git and the database are given names as text, so one that is
/// none is left alone.
fn describe_read_error(path: &str, error: &io::Error) -> String {
    if path_from_text(path) == Path::new(path) {
        error.to_string()
    } else {
        "file name is not UTF-8; rename it".to_owned()
    }
}

fn with_path(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// What a file came to.
type ReadWorkplan = (Option<WorkplanFile>, Vec<ParseProblem>);

/// Reads files, in as many threads as there are processors.
pub(super) fn read_workplans(root: &Path, paths: Option<&[String]>) -> CheckoutFiles {
    let Some(paths) = paths else {
        return CheckoutFiles::default();
    };
    let next = AtomicUsize::new(0);
    let work = || {
        let mut found = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(path) = paths.get(number) else {
                return found;
            };
            found.push((number, read_workplan(root, path)));
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    // A thread costs more than a few files do.
    let threads = threads
        .min(MAX_READER_THREADS)
        .min(paths.len().div_ceil(16))
        .max(1);
    let mut all: Vec<ReadWorkplan> = Vec::new();
    all.resize_with(paths.len(), ReadWorkplan::default);
    let mut put = |found: Vec<(usize, ReadWorkplan)>| {
        for (number, read) in found {
            if let Some(place) = all.get_mut(number) {
                *place = read;
            }
        }
    };
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        put(work());
        for other in others {
            match other.join() {
                Ok(found) => put(found),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    let mut files = CheckoutFiles {
        has_folder: true,
        count: paths.len(),
        workplans: Vec::with_capacity(paths.len()),
        ..CheckoutFiles::default()
    };
    for ((sheet, troubles), path) in all.into_iter().zip(paths) {
        files.workplans.extend(sheet);
        let troubles = troubles.into_iter();
        files
            .problems
            .extend(troubles.map(|trouble| (path.clone(), trouble)));
    }
    files
}

/// Returns the name that the first of the workplans gives its repository, so that the database
/// can be asked while the others are read. It is the name all of them are searched for.
pub(super) fn read_repo_name(root: &Path, paths: &[String]) -> Option<String> {
    let (sheet, _) = read_workplan(root, paths.first()?);
    sheet?.repo_slug()
}

/// Reads a file. One that cannot be read is a trouble of that file, and the others are read.
pub(super) fn read_workplan(root: &Path, path: &str) -> ReadWorkplan {
    let bytes = match read_bytes(&root.join(path), MAX_WORKPLAN_BYTES, false) {
        Ok(bytes) => bytes,
        Err(error) => {
            return (
                None,
                vec![whole_file_problem(
                    path,
                    format!("cannot be read: {}", describe_read_error(path, &error)),
                )],
            );
        }
    };
    match parse_workplan(&bytes) {
        Ok(workplan) => WorkplanFile::from_workplan(path, &workplan),
        Err(problem) => (
            None,
            vec![ParseProblem::new(problem.place, path, problem.text)],
        ),
    }
}

fn whole_file_problem(path: &str, text: String) -> ParseProblem {
    ParseProblem::new(TextPosition { line: 1, column: 1 }, path, text)
}

/// Returns the permission bits a file has.
#[cfg(unix)]
pub(super) fn file_mode(path: &Path) -> u32 {
    use std::os::unix::fs::MetadataExt as _;
    let data = fs::symlink_metadata(path);
    data.map_or(crate::fs::PRIVATE_MODE, |data| data.mode() & 0o777)
}

#[cfg(not(unix))]
pub(super) fn file_mode(_path: &Path) -> u32 {
    crate::fs::PRIVATE_MODE
}
