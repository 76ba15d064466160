//! Command lines as people and agents write them.

use proptest::prelude::*;

use super::{ShellCommand, parse_commands};

/// Returns the words of every command, those of one command joined by `_`.
fn words(text: &str) -> Vec<String> {
    let joined = |command: &ShellCommand| {
        let words: Vec<&str> = command.words.iter().map(|word| &*word.text).collect();
        words.join("_")
    };
    parse_commands(text).iter().map(joined).collect()
}

#[test]
fn words_and_commands() {
    for (text, expected) in [
        ("", &[][..]),
        (" a  b\tc ", &["a_b_c"]),
        ("a b; c && d || e | f & g", &["a_b", "c", "d", "e", "f", "g"]),
        ("(a; { b; }) ; c", &["a", "{_b", "}", "c"]),
        ("a 'b c' \"d e\" f\\ g", &["a_b c_d e_f g"]),
        ("a'b'\"c\"d", &["abcd"]),
        ("a \"b \\\" c\" d", &["a_b \" c_d"]),
        ("a 'b; c' \"d && e\"", &["a_b; c_d && e"]),
        ("a # b; c\nd#e", &["a", "d#e"]),
        ("a \\\n b", &["a_b"]),
        ("a \\\r\n b\r\nc", &["a_b", "c"]),
        ("a > b 2>&1 >>c <d e", &["a_e"]),
        ("a &> b; c 2> d", &["a", "c"]),
        ("a '' b", &["a__b"]),
        ("$'a\\x62\\'c' d", &["ab'c_d"]),
        ("a \"b", &["a_b"]),
        ("a 'b", &["a_b"]),
        ("cat <<E\nx; y\nE\nb", &["cat", "b"]),
        ("cat <<-'E' | sh\n\tx\n\tE\nb", &["cat", "sh", "b"]),
    ] {
        assert_eq!(words(text), expected, "{text:?}");
    }
}

#[test]
fn what_is_carried_out_inside() {
    let inside = |text: &str| -> Vec<String> {
        let commands = parse_commands(text).into_iter();
        commands
            .flat_map(|c| c.words.into_iter().flat_map(|w| w.substitutions).chain(c.substitutions))
            .collect()
    };
    for (text, expected) in [
        ("a $(b c)", &["b c"][..]),
        ("a \"x $(b \"c)\" d) y\"", &["b \"c)\" d"]),
        ("a `b \\`c\\``", &["b `c`"]),
        ("a '$(b)'", &[]),
        ("X=$(a) b", &["a"]),
        ("a <(b) >(c)", &["b", "c"]),
        ("a $((1 + 2))", &["(1 + 2)"]),
        ("a > $(b)", &["b"]),
        ("cat <<E\n$(b) \"$(c)\"\nE", &["b", "c"]),
        ("cat <<'E'\n$(b)\nE", &[]),
    ] {
        assert_eq!(inside(text), expected, "{text:?}");
    }
}

#[test]
fn what_is_fed_and_what_pipes() {
    let fed = |text: &str| parse_commands(text).remove(0).stdin_texts;
    assert_eq!(fed("sh <<E\na b\nE\n"), ["a b\n"]);
    assert_eq!(fed("sh <<< 'a b'"), ["a b"]);
    assert_eq!(fed("<<E sh\na\nE"), ["a\n"]);
    assert_eq!(fed("sh <<E"), [""]);
    let pipes: Vec<bool> =
        parse_commands("a | b |& c || d; e").iter().map(|c| c.is_piped).collect();
    assert_eq!(pipes, [true, true, false, false, false]);
}

#[test]
fn what_stands_outside_quotes() {
    let bare: Vec<String> = parse_commands("a --x='b c' \"d\" e\\ f")
        .remove(0)
        .words
        .into_iter()
        .map(|word| word.unquoted)
        .collect();
    assert_eq!(bare, ["a", "--x=", "", "e f"]);
}

proptest! {
    /// Parsing any text ends and invents nothing.
    #[test]
    fn any_text_is_read(text in r#"[ab '"`$(){}<>|&;#=\\\n\t-]{0,60}"#) {
        for command in parse_commands(&text) {
            for word in &command.words {
                prop_assert!(word.text.len() <= text.len());
                prop_assert!(word.unquoted.len() <= word.text.len());
            }
            prop_assert!(command.stdin_texts.iter().all(|fed| fed.len() <= text.len() + 1));
        }
    }

    /// A word in single quotes is taken literally.
    #[test]
    fn a_quoted_word_is_one(word in "[a-z '\"$`;|&<>\\\\#]{1,20}") {
        let read = parse_commands(&format!("x {}", crate::text::quote_for_shell(&word)));
        prop_assert_eq!(read.len(), 1);
        prop_assert_eq!(&read[0].words[1].text, &word);
    }
}
