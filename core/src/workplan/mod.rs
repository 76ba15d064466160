//! Files of workplans: Markdown whose front matter and `task` blocks are facts with their
//! bytes, and edits of those bytes (seed 3).
//!
//! Invariants: reading is pure, never panics and takes time in proportion to the file; what
//! looks like a block and is not used is named in the problems, with its line; an edit changes
//! the bytes of one value or adds one line, and every other byte stays. Words are not judged
//! here: which status or id is a good one is for whoever reads them.

mod block;
mod body;
mod conflict;
mod edit;
mod fence;
mod front;
mod heading;
mod key;
mod lines;
mod list;
mod mapping;
mod path;
mod place;
mod scalar;
#[cfg(test)]
mod tests;
mod value;
mod vocabulary;

pub use block::TaskBlock;
pub use conflict::{CONFLICT, conflict_marker};
pub use edit::{Edit, apply};
pub use front::FrontMatter;
pub use key::Key;
pub use path::is_workplan_path;
pub use place::{Place, Problem};
pub use scalar::Scalar;
pub use vocabulary::Vocabulary;

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
    pub vocabulary: Vocabulary,
}

/// Reads a file.
///
/// # Errors
///
/// When the bytes are no UTF-8, when there is no front matter or it has no end, and when the
/// file is too large for its places to be counted.
pub fn parse(bytes: &[u8]) -> Result<Workplan, Problem> {
    // Places and bytes are counted in 32 bits, which halves what thousands of files take.
    if u32::try_from(bytes.len()).is_err() {
        return Err(Problem::new(Place::START, "the file is larger than 4 GiB"));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let sound = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let sound = std::str::from_utf8(sound).unwrap_or_default();
        Problem::new(place::end_of(sound), "not UTF-8")
    })?;
    let mut problems = Vec::new();
    let (front, rest) = front::read(text, &mut problems)?;
    let tasks = body::read(text, rest, &mut problems);
    // A block that has no end is known only at the end.
    problems.sort_by_key(|problem| problem.place);
    let vocabulary = Vocabulary::of(&front, &tasks);
    Ok(Workplan {
        front,
        tasks,
        problems,
        vocabulary,
    })
}
