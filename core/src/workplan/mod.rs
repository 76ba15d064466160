//! The syntax of workplan files: Markdown with a front matter and `task` blocks, parsed to values
//! with their byte ranges, and edits of those bytes.
//!
//! Parsing does not judge values: which statuses and ids are valid is decided by `consistency`.
//!
//! Invariants:
//! - Parsing is pure, never panics, and takes time proportional to the size of the file.
//! - A block that is not used is named in the problems, with its line.
//! - An edit changes the bytes of one value or adds one line; every other byte stays.

mod body;
mod edit;
mod front_matter;
mod heading;
mod id_list;
mod key;
mod list_item;
mod mapping;
mod merge_conflict;
mod position;
mod scalar;
mod task_block;
#[cfg(test)]
mod tests;
mod value;
mod vocabulary;
mod workplan_path;

pub use edit::{ByteEdit, apply_edits};
pub use front_matter::FrontMatter;
pub use key::Key;
pub use merge_conflict::{CONFLICT_PROBLEM, find_conflict};
pub use position::{Problem, TextPosition};
pub use scalar::Scalar;
pub use task_block::TaskBlock;
pub use vocabulary::StatusVocabulary;
pub use workplan_path::{
    MAX_PACKAGE_DEPTH, find_workplan_folder, is_package_folder, is_workplan_folder,
    is_workplan_path,
};

/// A parsed file. It holds short values and their byte ranges, but no copy of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workplan {
    /// The front matter, between two lines of `---`.
    pub front: FrontMatter,
    /// The `task` blocks, in the order of the file.
    pub tasks: Vec<TaskBlock>,
    /// What could not be parsed, in the order of lines.
    pub problems: Vec<Problem>,
    /// The words that the file uses for statuses.
    pub vocabulary: StatusVocabulary,
}

/// Parses a file.
///
/// # Errors
///
/// When the bytes are not UTF-8, when the front matter is missing or has no end, and when the
/// file is larger than 4 GiB.
pub fn parse_workplan(bytes: &[u8]) -> Result<Workplan, Problem> {
    // Positions are counted in 32 bits, which halves the memory that thousands of files take.
    if u32::try_from(bytes.len()).is_err() {
        return Err(Problem::new(TextPosition::START, "the file is larger than 4 GiB"));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let sound = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let sound = std::str::from_utf8(sound).unwrap_or_default();
        Problem::new(position::end_of_text(sound), "not UTF-8")
    })?;
    let mut problems = Vec::new();
    let (front, rest) = front_matter::parse_front_matter(text, &mut problems)?;
    let tasks = body::parse_body(text, rest, &mut problems);
    // A block without an end is reported at the end of the file.
    problems.sort_by_key(|problem| problem.place);
    let vocabulary = StatusVocabulary::detect(&front, &tasks);
    Ok(Workplan { front, tasks, problems, vocabulary })
}
