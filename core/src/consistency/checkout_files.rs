//! Reads the workplans of a checkout.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::parse_problem::ParseProblem;
use super::workplan_file::WorkplanFile;
use crate::fs::read_bytes;
use crate::text::path_from_text;
use crate::workplan::TextPosition;

/// Largest workplan read, in bytes. Typical ones have some ten kilobytes.
const MAX_WORKPLAN_BYTES: u64 = 4 * 1024 * 1024;

/// Largest file of a plan read, in bytes; no file that is edited is larger.
pub(super) const MAX_PLAN_BYTES: u64 = 16 * 1024 * 1024;

/// Most threads that read files; more of them only wait for each other.
const MAX_READER_THREADS: usize = 8;

/// A file that was read: the workplan, unless its id or status is missing, and its problems.
pub(super) type ReadWorkplan = (Option<WorkplanFile>, Vec<ParseProblem>);

/// The workplans of a checkout.
#[derive(Debug, Default)]
pub(super) struct CheckoutFiles {
    pub(super) has_dir: bool,
    /// How many files there are, readable or not.
    pub(super) count: usize,
    pub(super) workplans: Vec<WorkplanFile>,
    pub(super) problems: Vec<(String, ParseProblem)>,
}

/// Reads and parses workplans.
#[derive(Debug, Clone, Copy)]
pub(super) struct FileReader<'a> {
    pub(super) root: &'a Path,
    /// Whether the bytes and the syntax of each file are kept for fixes. A check that only reads
    /// does without: thousands of files take as much memory again.
    pub(super) keep_sources: bool,
}

impl FileReader<'_> {
    /// Reads files in several threads. `first` is the first of them, if it was read already.
    pub(super) fn read_workplans(
        self,
        paths: Option<&[String]>,
        first: Option<ReadWorkplan>,
    ) -> CheckoutFiles {
        let Some(paths) = paths else {
            return CheckoutFiles::default();
        };
        let next = AtomicUsize::new(usize::from(first.is_some()));
        let work = || {
            let mut read = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(path) = paths.get(number) else {
                    return read;
                };
                read.push((number, self.read_workplan(path)));
            }
        };
        let threads = thread::available_parallelism().map_or(1, usize::from);
        // Starting a thread costs more than reading a few files.
        let threads = threads.min(MAX_READER_THREADS).min(paths.len().div_ceil(16)).max(1);
        let mut read: Vec<(usize, ReadWorkplan)> = Vec::with_capacity(paths.len());
        read.extend(first.map(|first| (0, first)));
        thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
            read.extend(work());
            for other in others {
                match other.join() {
                    Ok(part) => read.extend(part),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
        });
        read.sort_unstable_by_key(|(number, _)| *number);
        let mut files = CheckoutFiles {
            has_dir: true,
            count: paths.len(),
            workplans: Vec::with_capacity(paths.len()),
            ..CheckoutFiles::default()
        };
        for ((_, (workplan, problems)), path) in read.into_iter().zip(paths) {
            files.workplans.extend(workplan);
            let problems = problems.into_iter().map(|problem| (path.clone(), problem));
            files.problems.extend(problems);
        }
        files
    }

    /// Reads one file. A file that cannot be read has a problem that says so.
    pub(super) fn read_workplan(self, path: &str) -> ReadWorkplan {
        match read_bytes(&self.root.join(path), MAX_WORKPLAN_BYTES, false) {
            Ok(bytes) => WorkplanFile::parse(path, bytes, self.keep_sources),
            Err(error) => {
                let reason = describe_read_error(path, &error);
                let text = format!("cannot be read: {reason}");
                (None, vec![ParseProblem::new(TextPosition::START, path, text)])
            }
        }
    }
}

/// Says why a file cannot be read. Git and the database take names as text, so a file whose name
/// is not UTF-8 is left alone.
fn describe_read_error(path: &str, error: &io::Error) -> String {
    if path_from_text(path) == Path::new(path) {
        error.to_string()
    } else {
        "file name is not UTF-8; rename it".to_owned()
    }
}
