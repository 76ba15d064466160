//! What edits change, and what they leave.

use super::super::{ByteEdit, apply_edits};
use super::*;

fn applied(text: &str, edit: Option<ByteEdit>) -> String {
    String::from_utf8(apply_edits(text.as_bytes(), edit.into_iter().collect())).unwrap()
}

#[test]
fn a_status_changes_and_every_other_byte_stays() {
    for (before, word, after) in [
        ("status: todo", "done", "status: done"),
        ("status:   todo\t # why", "in_progress", "status:   in_progress\t # why"),
        ("status: 'todo'# x", "done", "status: 'todo'# x"),
        ("status: 'todo' # x", "done", "status: 'done' # x"),
        ("\"status\" : \"todo\"  ", "done", "\"status\" : \"done\"  "),
        ("status: todo", "two words", "status: \"two words\""),
        ("status: todo", "null", "status: \"null\""),
        ("status: todo", "", "status: \"\""),
        ("status: \"todo\"", "a\"\\\n\u{7f}", "status: \"a\\\"\\\\\\n\\x7f\""),
        ("status: 'todo'", "it's", "status: 'it''s'"),
        ("status: 'todo'", "a\nb", "status: \"a\\nb\""),
        ("status: \"to\\u0064o\"", "todo", "status: \"to\\u0064o\""),
        ("status:", "done", "status: done"),
        ("status: # why", "done", "status: done # why"),
        ("status: ~", "done", "status: done"),
        ("status: {}", "done", "status: {}"),
        ("state: todo", "done", "state: todo"),
        ("status: todo\nstatus: wait", "done", "status: done\nstatus: wait"),
    ] {
        for end in ["\n", "\r\n"] {
            let file = |lines: &str| {
                format!("\u{feff}{FRONT}# A\n  ~~~task\n  id: a\n  {lines}\n  ~~~\nrest")
                    .replace('\n', end)
            };
            let text = file(&before.replace('\n', "\n  "));
            let edit = parse_text(&text).tasks[0].build_status_edit(word);
            assert_eq!(applied(&text, edit), file(&after.replace('\n', "\n  ")), "{before:?}");
        }
    }
}

#[test]
fn a_link_is_written_where_nothing_stands() {
    for (before, after) in [
        ("state_hub_task_id: \"\"", "state_hub_task_id: \"u-1\""),
        ("state_hub_task_id: '' # c", "state_hub_task_id: \"u-1\" # c"),
        ("state_hub_task_id: ~", "state_hub_task_id: \"u-1\""),
        ("state_hub_task_id:  null  ", "state_hub_task_id:  \"u-1\"  "),
        ("state_hub_task_id:", "state_hub_task_id: \"u-1\""),
        ("state_hub_task_id:   # c", "state_hub_task_id: \"u-1\"   # c"),
        ("state_hub_task_id: \"\"\nx: y", "state_hub_task_id: \"u-1\"\nx: y"),
        ("x: y", "x: y\nstate_hub_task_id: \"u-1\""),
        ("x: y\n\n# c", "x: y\nstate_hub_task_id: \"u-1\"\n\n# c"),
        (
            "depends_on:\n- a\n\n- b\n# c",
            "depends_on:\n- a\n\n- b\nstate_hub_task_id: \"u-1\"\n# c",
        ),
        ("x: |\n  y: z\njunk", "x: |\n  y: z\nstate_hub_task_id: \"u-1\"\njunk"),
        ("state_hub_task_id: u-0", "state_hub_task_id: u-0"),
        ("state_hub_task_id: [u-0]", "state_hub_task_id: [u-0]"),
        ("state_hub_task_id: \"u-0", "state_hub_task_id: \"u-0"),
        ("state_hub_task_id:\n  - u-0", "state_hub_task_id:\n  - u-0"),
    ] {
        for (end, indent) in [("\n", ""), ("\r\n", "  "), ("\n", "\t")] {
            let file = |lines: &str| {
                let block = format!("id: a\nstatus: b\n{lines}\n");
                let lines = block.lines().map(|line| format!("{indent}{line}\n"));
                let block: String = lines.collect();
                format!("{FRONT}# A\n```task\n{block}```").replace('\n', end)
            };
            let text = file(before).replace(&format!("\n{indent}{end}"), &format!("\n{end}"));
            let edit = parse_text(&text).tasks[0].build_link_edit(text.as_bytes(), "u-1");
            let expected = file(after).replace(&format!("\n{indent}{end}"), &format!("\n{end}"));
            assert_eq!(applied(&text, edit), expected, "{before:?}");
        }
    }
    for (before, after) in [
        ("```task\n```", "```task\nstate_hub_task_id: \"u-1\"\n```"),
        ("  ~~~task\r\n~~~", "  ~~~task\r\n  state_hub_task_id: \"u-1\"\r\n~~~"),
        ("```task\n  junk\n```", "```task\n  junk\n  state_hub_task_id: \"u-1\"\n```"),
    ] {
        let text = format!("{FRONT}{before}");
        let edit = parse_text(&text).tasks[0].build_link_edit(text.as_bytes(), "u-1");
        assert_eq!(applied(&text, edit), format!("{FRONT}{after}"));
    }
}

#[test]
fn a_workplan_is_linked_in_its_last_line() {
    for (before, after) in [
        ("---\n---\n", "---\nstate_hub_workstream_id: \"u-1\"\n---\n"),
        (
            "\u{feff}---\r\nid: x\r\n# c\r\n---",
            "\u{feff}---\r\nid: x\r\n# c\r\nstate_hub_workstream_id: \"u-1\"\r\n---",
        ),
        (
            "---\n  id: x\n  depends_on:\n    - y\n---\n",
            "---\n  id: x\n  depends_on:\n    - y\n  state_hub_workstream_id: \"u-1\"\n---\n",
        ),
        (
            "---\n  id: x\njunk\n---\n",
            "---\n  id: x\njunk\nstate_hub_workstream_id: \"u-1\"\n---\n",
        ),
        (
            "---\nstate_hub_workstream_id: '' # c\nid: x\n---\n",
            "---\nstate_hub_workstream_id: \"u-1\" # c\nid: x\n---\n",
        ),
        ("---\nstate_hub_workstream_id: u-0\n---\n", "---\nstate_hub_workstream_id: u-0\n---\n"),
    ] {
        let edit = parse_text(before).front.build_link_edit(before.as_bytes(), "u-1");
        assert_eq!(applied(before, edit), after);
        assert!(parse_text(after).front.build_link_edit(after.as_bytes(), "u-2").is_none());
    }
}

#[test]
fn edits_are_applied_in_the_order_of_bytes() {
    let edit =
        |start: usize, end: usize, text: &str| ByteEdit { span: start..end, text: text.to_owned() };
    for (edits, after) in [
        (vec![], "abcdef"),
        (vec![edit(4, 5, "E"), edit(0, 1, "A")], "AbcdEf"),
        (vec![edit(1, 3, "X"), edit(3, 3, "Y"), edit(1, 1, "Z")], "aZXYdef"),
        (vec![edit(2, 2, "1"), edit(2, 2, "2")], "ab12cdef"),
        (vec![edit(1, 4, "X"), edit(2, 5, "Y"), edit(5, 6, "Z")], "aXeZ"),
        (vec![edit(6, 6, "!"), edit(6, 7, "?"), edit(9, 9, "?")], "abcdef!"),
        (vec![edit(0, 6, "")], ""),
    ] {
        assert_eq!(apply_edits(b"abcdef", edits.clone()), after.as_bytes(), "{edits:?}");
    }
    assert_eq!(apply_edits(b"\xff\x00", vec![]), b"\xff\x00");
}
