//! Files of workplans: Markdown whose front matter and `task` blocks are facts with their
//! bytes, and edits of those bytes (seed 3).
//!
//! Invariants: reading is pure, never panics and takes time in proportion to the file; what
//! looks like a block and is not used is named in the problems, with its line; an edit changes
//! the bytes of one value or adds one line, and every other byte stays. Words are not judged
//! here: which status or id is a good one is for whoever reads them.

mod body;
mod code_fence;
mod edit;
mod front_matter;
mod heading;
mod id_list;
mod key;
mod mapping;
mod merge_conflict;
mod numbered_lines;
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
pub use workplan_path::is_workplan_path;

/// What a file says. It holds no copy of the file, only what is short, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workplan {
    /// What stands between the lines of `---`.
    pub front: FrontMatter,
    /// The blocks, in their order.
    pub tasks: Vec<TaskBlock>,
    /// What a person has to look at, in the order of lines.
    pub problems: Vec<Problem>,
    /// By which words the file calls its statuses.
    pub vocabulary: StatusVocabulary,
}

/// Reads a file.
///
/// # Errors
///
/// When the bytes are no UTF-8, when there is no front matter or it has no end, and when the
/// file is too large for its places to be counted.
pub fn parse_workplan(bytes: &[u8]) -> Result<Workplan, Problem> {
    // Places and bytes are counted in 32 bits, which halves what thousands of files take.
    if u32::try_from(bytes.len()).is_err() {
        return Err(Problem::new(
            TextPosition::START,
            "the file is larger than 4 GiB",
        ));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let sound = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let sound = std::str::from_utf8(sound).unwrap_or_default();
        Problem::new(position::end_of_text(sound), "not UTF-8")
    })?;
    let mut problems = Vec::new();
    let (front, rest) = front_matter::parse_front_matter(text, &mut problems)?;
    let tasks = body::parse_body(text, rest, &mut problems);
    // A block that has no end is known only at the end.
    problems.sort_by_key(|problem| problem.place);
    let vocabulary = StatusVocabulary::detect(&front, &tasks);
    Ok(Workplan {
        front,
        tasks,
        problems,
        vocabulary,
    })
}
