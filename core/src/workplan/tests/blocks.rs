//! Which blocks are found, their headings, and what hides them.

use super::*;

/// Asserts the ids of the blocks that are found in a text.
#[track_caller]
fn assert_ids(text: &str, expected: &[&str]) {
    let plan = parse_body_text(text);
    assert_eq!(task_ids(&plan), expected, "{text:?}: {:?}", problem_lines(&plan.problems));
}

#[test]
fn a_fence_opens_a_block_by_the_rules_of_markdown() {
    for (opening, closing, is_block) in [
        ("```task", "```", true),
        ("~~~task", "~~~", true),
        ("``` task", "```", true),
        ("```\ttask \t", "```", true),
        ("`````task", "`````", true),
        ("```task and more", "```", true),
        ("~~~task `a` ~~~", "~~~", true),
        ("   ```task", "```", true),
        ("``task", "``", false),
        ("~~task", "~~", false),
        ("```tasks", "```", false),
        ("```Task", "```", false),
        ("```task-x", "```", false),
        ("```a task", "```", false),
        ("```task\u{a0}x", "```", false),
        ("```", "```", false),
        ("```task `x`", "", false),
        ("    ```task", "    ```", false),
        ("\t```task", "\t```", false),
        (" \t```task", " \t```", false),
        ("> ```task", "> ```", false),
        ("text ```task", "", false),
        ("\\```task", "", false),
    ] {
        let text = format!("{opening}\nid: T01\nstatus: todo\n{closing}\n");
        let expected: &[&str] = if is_block { &["T01"] } else { &[] };
        assert_ids(&text, expected);
        assert_ids(&text.replace('\n', "\r\n"), expected);
        // It hides nothing below that is not part of it.
        let more = format!("{text}\n{}", BLOCK.replace("T01", "T02"));
        let expected: &[&str] = if is_block { &["T01", "T02"] } else { &["T02"] };
        assert_ids(&more, expected);
    }
}

#[test]
fn a_fence_closes_a_block_by_the_rules_of_markdown() {
    for (opening, closing, closes) in [
        ("```task", "```", true),
        ("```task", "`````", true),
        ("```task", "   ```", true),
        ("```task", "``` \t", true),
        ("   ```task", "```", true),
        ("~~~task", "~~~~", true),
        ("````task", "```", false),
        ("```task", "~~~", false),
        ("~~~task", "```", false),
        ("```task", "    ```", false),
        ("```task", "\t```", false),
        ("```task", "``` x", false),
        ("```task", "```\u{a0}", false),
        ("```task", "``", false),
        ("```task", "> ```", false),
    ] {
        for end in ["\n", "\r\n", ""] {
            let text = format!("{FRONT}{opening}\nid: T01\nstatus: todo\n{closing}{end}");
            let plan = parse_text(&text);
            assert_eq!(plan.tasks.len(), usize::from(closes), "{text:?}");
            if closes {
                assert_problems(&plan, &[]);
            } else {
                assert_problems(&plan, &[(5, "unclosed")]);
            }
        }
    }
}

#[test]
fn what_stands_within_code_or_a_comment_is_text() {
    for hidden in [
        format!("````\n{BLOCK}````"),
        format!("````markdown\n# No heading\n{BLOCK}````"),
        format!("~~~\n{BLOCK}~~~"),
        format!("~~~ `x` ~~~\n{BLOCK}~~~"),
        format!("   ````\n{BLOCK}  `````"),
        "```\n# No heading\n````x\n~~~\n```".to_owned(),
        format!("<!--\n{BLOCK}-->"),
        format!("  <!-- # No heading\n# Nor this\n{BLOCK} until here --> and on"),
        format!("prose\n<!--\n{BLOCK}\n\n-->"),
        format!("- ````\n  {}  ````", BLOCK.replace('\n', "\n  ")),
        format!("1. - ~~~x\n     {}     ~~~", BLOCK.replace('\n', "\n     ")),
        BLOCK.replace('\n', "\n    ").replacen("```", "    ```", 1),
    ] {
        let plan = parse_body_text(&format!("# Above\n{hidden}\n{BLOCK}"));
        assert_eq!(task_ids(&plan), ["T01"], "{hidden}: {:?}", problem_lines(&plan.problems));
        assert_eq!(plan.tasks[0].title(), Some("Above"), "{hidden}");
        assert_problems(&plan, &[]);
    }
}

#[test]
fn what_only_looks_like_a_comment_hides_nothing() {
    for text in [
        "<!-- whole -->\n",
        "<!-->\n",
        "<!--->\n",
        "<!- no -->\n",
        "    <!--\n",
        "prose <!--\n",
        "<! --\n",
        "> <!--\n",
    ] {
        assert_ids(&format!("{text}{BLOCK}"), &["T01"]);
    }
}

#[test]
fn code_in_a_list_ends_with_its_item() {
    for (list, rest) in [
        ("- ```sh\n  echo\n  ```\n", ""),
        ("- ```sh\n  echo\n     ```\n", ""),
        ("1. ```sh\n   echo\n\n   ```\n", ""),
        ("* a\n* ~~~\n  b\n  ~~~\n", ""),
        ("- ```sh\n  echo\n\n", "below\n"),
        ("- ```sh\n  # echo\n", "- item\n"),
        ("-\t```sh\n\techo\n\t```\n", ""),
        ("-\t~~~\n    echo\n    ````\n    ~~~\n", ""),
        ("1. - ```sh\n     echo\n\n     ```\n", ""),
        ("-      ```task\n", ""),
        ("1. a\n\n   - ```sh\n     # echo\n       ```\n", ""),
        ("- a\n\n  ```sh\n  echo\n  ```\n", ""),
    ] {
        let plan = parse_body_text(&format!("# Above\n{list}{rest}\n{BLOCK}"));
        assert_eq!(task_ids(&plan), ["T01"], "{list:?}");
        assert_eq!(plan.tasks[0].title(), Some("Above"), "{list:?}");
        assert_problems(&plan, &[]);
    }
    // A closing fence is indented by up to three columns more than the text of the item.
    let within = BLOCK.replace('\n', "\n  ");
    let plan = parse_body_text(&format!("- ```sh\n  echo\n     ```\n  {within}"));
    assert_eq!(task_ids(&plan), ["T01"]);
    // Lines at the column of the item text are in its code, also when a tab leads there.
    for list in ["-\t~~~\n", "-  \t~~~\n", "1. ~~~\n", "- - ~~~\n"] {
        let hidden = BLOCK.replace('\n', "\n    ");
        let plan = parse_body_text(&format!("{list}    {hidden}\n    ~~~\n{BLOCK}"));
        assert_eq!(task_ids(&plan), ["T01"], "{list:?}");
    }
}

#[test]
fn a_block_that_begins_an_item_of_a_list_is_named() {
    let plan = parse_body_text(&format!("- ```task\n  id: T00\n  status: todo\n  ```\n{BLOCK}"));
    assert_eq!(task_ids(&plan), ["T01"]);
    assert_problems(&plan, &[(5, "list")]);
}

#[test]
fn what_has_no_end_is_named_if_it_costs_a_block() {
    let open = BLOCK.trim_end_matches("```\n");
    for (text, problems) in [
        (open.to_owned(), &[(5, "unclosed block; it is not read")][..]),
        (format!("```sh\n{open}"), &[(5, "line 6")]),
        (format!("````\n\n{BLOCK}"), &[(5, "line 7")]),
        (format!("<!--\n{BLOCK}"), &[(5, "line 6")]),
        ("```sh\nprose\n``` task\u{a0}\n".to_owned(), &[]),
        ("<!--\nprose\n".to_owned(), &[]),
        (format!("{open}# Next\n~~~task\n"), &[(5, "line 9")]),
    ] {
        let plan = parse_body_text(&text);
        assert_eq!(task_ids(&plan), Vec::<&str>::new(), "{text}");
        assert_problems(&plan, problems);
    }
}

#[test]
fn a_block_that_lacks_its_fence_costs_the_next_one_and_no_more() {
    let open = BLOCK.trim_end_matches("```\n");
    let third = BLOCK.replace("T01", "T03");
    let plan = parse_body_text(&format!("{open}\n## Next\n\n{BLOCK}\n{third}"));
    assert_eq!(task_ids(&plan), ["T03"]);
    assert_problems(&plan, &[(5, "line 11")]);
}

#[test]
fn the_nearest_heading_is_the_title() {
    for (above, title) in [
        ("# One", Some("One")),
        ("###### Six ######", Some("Six")),
        ("   ## Indented\t##  ", Some("Indented")),
        ("##\tTab", Some("Tab")),
        ("# One\n\nprose\n\n- list\n", Some("One")),
        ("# One\n### T01 — Två # hash#", Some("T01 — Två # hash#")),
        ("# C#", Some("C#")),
        ("# C #", Some("C")),
        ("## \n", None),
        ("# One\n## ##\n", None),
        ("Above\n===", Some("Above")),
        ("Above\n--  ", Some("Above")),
        ("Above\n   -", Some("Above")),
        ("Two\n  lines\n---", Some("Two lines")),
        ("Goes on\n    here\n---", Some("Goes on here")),
        ("14. no list\n===", None),
        ("prose\n14. no list\n===", Some("prose 14. no list")),
        ("# One\n\n---\n", Some("One")),
        ("# One\n***\n- - -\n", Some("One")),
        ("# One\n- item\n---\n", Some("One")),
        ("# One\n- item\nlazy\n---\n", Some("One")),
        ("# One\n> quote\n---\n", Some("One")),
        ("# One\n> # Quoted\n", Some("One")),
        ("# One\n* * *\ntext", Some("One")),
        ("# One\n#Two\n####### Seven\n    # Code\n\t# Code", Some("One")),
        ("# One\n    code\n---\n", Some("One")),
        ("# One\nprose\n=== =\n", Some("One")),
        ("# One\nprose\n    ---\n", Some("One")),
        ("# One\n\\# Two\n", Some("One")),
        ("# One\n- # In a list\n", Some("One")),
        ("# One\n1234567890. x\n===", Some("1234567890. x")),
        ("-x\n===", Some("-x")),
        ("**\n===", Some("**")),
        ("Para\n*\n===", Some("Para *")),
        ("# One\nprose\n- item\n---\n", Some("One")),
        ("# One\nprose\n1) item\n---\n", Some("One")),
        ("# One\n***\n===\n", Some("One")),
        ("no heading\n", None),
    ] {
        for end in ["\n", "\r\n"] {
            let text = format!("{above}\n\n{BLOCK}").replace('\n', end);
            let plan = parse_body_text(&text);
            assert_eq!(plan.tasks[0].title(), title, "{text:?}");
        }
    }
    let own = parse_body_text("# Above\n```task\nid: a\nstatus: b\ntitle: 'Its own'\n```\n");
    assert_eq!(own.tasks[0].title(), Some("Its own"));
    let parsed = parse_body_text("# Above\n```task\nid: a\nstatus: b\ntitle: ~\n```\n");
    assert_eq!(parsed.tasks[0].title(), Some("Above"));
}

#[test]
fn the_description_goes_on_to_the_next_heading_or_block() {
    for (below, description) in [
        ("", ""),
        ("\n\n  \t\n", ""),
        ("\nOne.\n\nTwo.  \n\n# Next", "One.\n\nTwo."),
        ("  One\n```task\n", "One"),
        ("One\n~~~task\nid: T02\nstatus: todo\n~~~\nOther", "One"),
        ("One\n\nNext\n---\n", "One"),
        ("One\n\n---\n\n## Next", "One\n\n---"),
        ("One\n```sh\n# no heading\n```\nTwo\n## Next", "One\n```sh\n# no heading\n```\nTwo"),
        ("One\n````\n```task\n````\n", "One\n````\n```task\n````"),
        ("One\n<!--\n# no\n-->\n# Next\nmore", "One\n<!--\n# no\n-->"),
        ("> # quoted\n", "> # quoted"),
    ] {
        let text = format!("{FRONT}{BLOCK}{below}");
        let plan = parse_text(&text);
        assert_eq!(text.get(plan.tasks[0].description()), Some(description), "{text}");
        let crlf = text.replace('\n', "\r\n");
        let other = parse_text(&crlf);
        let described = crlf.get(other.tasks[0].description()).unwrap();
        assert_eq!(described.replace("\r\n", "\n"), description);
        assert_eq!(
            other.tasks[0].description_digest(),
            plan.tasks[0].description_digest(),
            "{text}"
        );
    }
}

#[test]
fn a_digest_tells_descriptions_apart() {
    let digest =
        |below: &str| parse_body_text(&format!("{BLOCK}{below}")).tasks[0].description_digest();
    assert_eq!(digest("\n\nOne\nTwo\n\n"), digest("One\r\nTwo"));
    assert_ne!(digest("One\nTwo"), digest("One\rTwo"));
    assert_ne!(digest("One\nTwo"), digest("One Two"));
    assert_ne!(digest("One\rTwo"), digest("OneTwo"));
    assert_ne!(digest("One"), digest(""));
    // Digests are stored, so they must not differ between processes.
    assert_eq!(digest("One\r\nTwo"), 0xffbf_6f9b_5d77_ae98);
}

#[test]
fn what_would_be_code_elsewhere_is_a_line_of_a_block() {
    let plan = parse_body_text("```task\nid: T01\nstatus: todo\nx: |\n    ```task\n```\n");
    assert_eq!(task_ids(&plan), ["T01"]);
    assert_problems(&plan, &[]);
}

#[test]
fn a_block_is_where_it_stands() {
    let text = format!("{FRONT}# A\n  ~~~task\nid: T01\nstatus: todo\n ~~~\nrest");
    let task = &parse_text(&text).tasks[0];
    assert_eq!((task.place.line, task.place.column), (6, 3));
    let block = "  ~~~task\nid: T01\nstatus: todo\n ~~~\n";
    assert_eq!(text.get(task.span()), Some(block));
}

#[test]
fn a_block_without_an_id_or_a_status_is_a_problem_and_is_there() {
    for (lines, problems) in [
        ("", &[(5, "no id"), (5, "no status")][..]),
        ("id: T01\n", &[(5, "no status")]),
        ("status: todo\n", &[(5, "no id")]),
        ("id: ''\nstatus: ~\n", &[(5, "no id"), (5, "no status")]),
        ("id: [a]\nstatus: {}\n", &[(5, "no id"), (5, "no status")]),
        ("id:T01\nstatus: todo\n", &[(5, "no id"), (6, "expected `key: value`")]),
        ("id: a\nstatus: b\npriority high\nand more\n", &[(8, "expected `key: value`")]),
        // The closing bracket of a list over several lines is not reported.
        ("id: a\nstatus: b\ndepends_on: [\n  c,\n]\n# text\n", &[(8, "its list cannot be read")]),
        ("id: a\nstatus: b\nid: c\n", &[(8, "duplicate key \"id\"")]),
        ("id: a\nx: 1\nstatus: b\nx: 2\n", &[(9, "duplicate key \"x\"")]),
        ("id: a\n'id': c\nstatus: b\n", &[(7, "duplicate key \"id\"")]),
        (
            "id: a\nstatus: b\ndepends_on: c\ndepends-on: d\n",
            &[(9, "duplicate key \"depends-on\"")],
        ),
    ] {
        let plan = parse_body_text(&format!("```task\n{lines}```\n"));
        assert_eq!(plan.tasks.len(), 1);
        assert_problems(&plan, problems);
    }
    let plan = parse_body_text("```task\nid: a\nstatus: b\nid: c\nstatus: d\n```\n");
    assert_eq!(task_ids(&plan), ["a"]);
    assert_eq!(plan.tasks[0].status().map(|s| &*s.text), Some("b"));
}
