//! Front matters: the laws of whole files, for input that is a front matter's lines; and a key
//! says the same there as in a block of a task.

use trueup_core::workplan::{Key, parse_workplan};

/// A fence longer than input closes by chance.
const FENCE: &str = "~~~~~~~~~~~~";

/// Checks the lines of a front matter.
pub fn check(lines: &[u8]) {
    let front = [b"---\n", lines, b"\n---\n"].concat();
    crate::workplan::check(&front);
    let block = [FENCE.as_bytes(), b"task\n", lines, b"\n", FENCE.as_bytes()].concat();
    let file = [&front[..], &block].concat();
    crate::workplan::check(&file);
    let Ok(plan) = parse_workplan(&file) else {
        return;
    };
    let [task] = &plan.tasks[..] else {
        return;
    };
    // Lines that end the front matter or the block are another file.
    if plan.front.span() != (0..front.len()) || task.span() != (front.len()..file.len()) {
        return;
    }
    for key in [Key::Id, Key::Title, Key::Status] {
        let texts = [plan.front.get(key), task.get(key)].map(|value| value.map(|v| &*v.text));
        assert_eq!(texts[0], texts[1], "{key:?}");
    }
    let lists = [plan.front.depends_on(), task.depends_on()];
    let lists = lists.map(|list| list.iter().map(|id| &*id.text).collect::<Vec<_>>());
    assert_eq!(lists[0], lists[1]);
}
