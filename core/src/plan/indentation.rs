//! Which checkbox is a child of which: what is indented deeper, under the same heading.

use crate::model::PlanTaskId;

/// Width of a tab, in columns.
const TAB_WIDTH: usize = 4;

/// The tasks that the next line may be a child of, from the outermost in.
#[derive(Debug, Default)]
pub(super) struct Ancestors(Vec<(usize, PlanTaskId)>);

impl Ancestors {
    /// Forgets all: under another heading nothing is a child of what stood before.
    pub(super) fn forget_all(&mut self) {
        self.0.clear();
    }

    /// Returns whose child a line of this depth is.
    pub(super) fn parent_at(&mut self, depth: usize) -> Option<PlanTaskId> {
        while self.0.last().is_some_and(|(other, _)| *other >= depth) {
            self.0.pop();
        }
        self.0.last().map(|(_, id)| id.clone())
    }

    /// Lets a task be the parent of what is indented deeper.
    pub(super) fn push_task(&mut self, depth: usize, id: PlanTaskId) {
        self.0.push((depth, id));
    }
}

/// Returns how deep a line is indented, in columns.
pub(super) fn indent_columns(line: &str) -> usize {
    let mut columns = 0;
    for c in line.chars() {
        match c {
            ' ' => columns += 1,
            '\t' => columns += TAB_WIDTH - columns % TAB_WIDTH,
            _ => break,
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parent_is_the_last_one_that_is_less_deep() {
        let mut ancestors = Ancestors::default();
        let mut parents = Vec::new();
        for (id, line) in [("a", ""), ("b", "  "), ("c", "\t"), ("d", "  "), ("e", "")] {
            let depth = indent_columns(line);
            let parent = ancestors.parent_at(depth);
            parents.push(parent.map_or_else(String::new, |id| id.to_string()));
            ancestors.push_task(depth, id.parse().unwrap());
        }
        assert_eq!(parents, ["", "a", "b", "a", ""]);
    }
}
