//! Finds the parent of a checkbox: the last one with less indentation under the same heading.

use crate::model::PlanTaskId;

/// The tasks of which the next line may be a child, outermost first.
#[derive(Debug, Default)]
pub(super) struct Ancestors(Vec<(usize, PlanTaskId)>);

impl Ancestors {
    /// Removes all tasks, at a new heading.
    pub(super) fn forget_all(&mut self) {
        self.0.clear();
    }

    /// Returns the parent of a line that is indented by so many columns.
    pub(super) fn parent_at(&mut self, depth: usize) -> Option<PlanTaskId> {
        while self.0.last().is_some_and(|(other, _)| *other >= depth) {
            self.0.pop();
        }
        self.0.last().map(|(_, id)| id.clone())
    }

    /// Adds a task that may be the parent of lines that are indented deeper.
    pub(super) fn push_task(&mut self, depth: usize, id: PlanTaskId) {
        self.0.push((depth, id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::markdown::split_indentation;

    #[test]
    fn a_parent_is_the_last_one_that_is_less_deep() {
        let mut ancestors = Ancestors::default();
        let mut parents = Vec::new();
        for (id, line) in [("a", ""), ("b", "  "), ("c", "\t"), ("d", "  "), ("e", "")] {
            let (depth, _) = split_indentation(line);
            let parent = ancestors.parent_at(depth);
            parents.push(parent.map_or_else(String::new, |id| id.to_string()));
            ancestors.push_task(depth, id.parse().unwrap());
        }
        assert_eq!(parents, ["", "a", "b", "a", ""]);
    }
}
