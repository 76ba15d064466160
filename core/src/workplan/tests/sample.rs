//! A realistic workplan, with code of every kind in its descriptions, and an example of a block
//! inside a code block.

use super::super::{StatusVocabulary, apply_edits};
use super::*;

const SAMPLE: &str = r#"---
id: SHOP-WP-0031
type: workplan
title: "Stock levels — one count for two warehouses"
domain: logistics
repo: shop
status: active
owner: ana
topic_slug: stock
created: "2026-03-21"
updated: "2026-03-24"   # by hand
planning_priority: high
depends_on:
  - SHOP-WP-0029
  - "SHOP-WP-0030"
state_hub_workstream_id: "32de6210-ce1e-4cba-ad1f-fdeba462030d"
---

# Stock levels — one count for two warehouses

## Problem

The counts assume one warehouse. A task is noted like this:

````markdown
### T09 — An example
```task
id: SHOP-WP-0031-T09
status: todo
```
````

1. Counting runs **remotely**
2. The local copy is stale, so `todo → in_progress` runs backwards

<!-- An older idea:
```task
id: SHOP-WP-0031-T08
status: todo
```
-->

## Tasks

### T01 — No count goes backwards ###

```task
id: SHOP-WP-0031-T01
status: done
priority: high
state_hub_task_id: "34a76f4c-ad3f-4780-ad62-1e788ceca224"
```

Counts only rise.

**Order:**

```python
# Not a heading
ORDER = {"todo": 0, "in_progress": 1}
```

Gate: `make test` passes.

---

### T02 — Ask before counting

~~~task
id: SHOP-WP-0031-T02
status: in_progress
priority: medium
assignee: "@bo"
needs_human: true
intervention_note: "Wait for
  the new scanner"
depends_on: [SHOP-WP-0031-T01]
state_hub_task_id: ""
~~~

**Detection:**

```bash
# fetch what is there
git -C . fetch --quiet 2>/dev/null
```

- Only lines inside a ` ```task ... ``` ` block change
- ```
  a fence in a list
  ```

> ```bash
> # in a quote
> ```

T03 — Write it back
-------------------

```task
id: SHOP-WP-0031-T03
status: todo
priority: low
```
"#;

#[test]
fn a_real_workplan_is_read_as_it_stands() {
    let plan = parse_text(SAMPLE);
    assert_problems(&plan, &[]);
    assert_eq!(plan.vocabulary, StatusVocabulary::Classic);
    let front = &plan.front;
    assert_eq!(front.id().map(|v| &*v.text), Some("SHOP-WP-0031"));
    assert_eq!(front.repo().map(|v| &*v.text), Some("shop"));
    let title = "Stock levels — one count for two warehouses";
    assert_eq!(front.title().map(|v| &*v.text), Some(title));
    assert_eq!(front.get(Key::Updated).map(|v| &*v.text), Some("2026-03-24"));
    assert_eq!(scalar_texts(front.depends_on()), ["SHOP-WP-0029", "SHOP-WP-0030"]);
    let ends = ["T01", "T02", "T03"].map(|end| format!("SHOP-WP-0031-{end}"));
    assert_eq!(task_ids(&plan), ends);
    let titles: Vec<_> = plan.tasks.iter().filter_map(TaskBlock::title).collect();
    assert_eq!(
        titles,
        ["T01 — No count goes backwards", "T02 — Ask before counting", "T03 — Write it back"]
    );
    let second = &plan.tasks[1];
    assert_eq!((second.place.line, second.place.column), (69, 1));
    let note = second.get(Key::InterventionNote).map(|note| &*note.text);
    assert_eq!(note, Some("Wait for the new scanner"));
    assert_eq!(scalar_texts(second.depends_on()), ["SHOP-WP-0031-T01"]);
    assert!(second.link().is_none() && plan.tasks[0].link().is_some());
    let described = |task: &TaskBlock| SAMPLE.get(task.description()).unwrap();
    let first = described(&plan.tasks[0]);
    assert!(first.starts_with("Counts only rise.\n\n**Order:**\n\n```python\n# Not a heading"));
    assert!(first.ends_with("passes.\n\n---"), "{first}");
    assert!(described(second).ends_with("> # in a quote\n> ```"));
    assert_eq!(described(&plan.tasks[2]), "");
}

#[test]
fn a_real_workplan_is_written_back_in_its_own_lines() {
    for end in ["\n", "\r\n"] {
        let text = SAMPLE.replace('\n', end);
        let plan = parse_text(&text);
        let [first, second, third] = plan.tasks.as_slice() else {
            panic!("{:?}", task_ids(&plan));
        };
        let file = text.as_bytes();
        let edits = [
            third.build_link_edit(file, "u-3"),
            second.build_status_edit("done"),
            second.build_link_edit(file, "u-2"),
            first.build_link_edit(file, "u-1"),
            first.build_status_edit("done"),
            plan.front.build_link_edit(file, "u-0"),
        ];
        assert_eq!(edits.iter().flatten().count(), 3);
        let after = apply_edits(file, edits.into_iter().flatten().collect());
        let expected = SAMPLE
            .replace("state_hub_task_id: \"\"", "state_hub_task_id: \"u-2\"")
            .replace("status: in_progress", "status: done")
            .replace("priority: low\n", "priority: low\nstate_hub_task_id: \"u-3\"\n");
        assert_eq!(String::from_utf8(after).unwrap(), expected.replace('\n', end));
    }
}
