//! Command lines that hand work on, and those that only speak of it.

use super::{CommandPatterns, may_become_handoff, script_hands_off};

#[track_caller]
fn assert_all(patterns: &[&str], cases: &[(&str, bool)]) {
    let patterns: Vec<String> = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
    let patterns = CommandPatterns::new(&patterns);
    for (command, expected) in cases {
        assert_eq!(script_hands_off(command, &patterns), *expected, "{command}");
    }
}

#[test]
fn trueups_own_is_always_one() {
    assert_all(
        &[],
        &[
            ("trueup handoff create PLAN-TO-EXEC", true),
            ("cd x && NOTE=1 trueup  handoff create", true),
            ("trueup handoff", true),
            ("trueup handoff createlist", true),
            ("trueup handoff --json create X", true),
            ("trueup --json --session s handoff create X", true),
            ("trueup --project=/x handoff create X", true),
            ("/opt/bin/trueup handoff create", true),
            ("~/bin/trueup handoff create", true),
            ("\"trueup\" 'handoff' create", true),
            ("true'up' hand\"off\" create", true),
            ("\\trueup handoff create", true),
            ("trueup \\\n  handoff \\\n  create X", true),
            ("sudo -u me trueup handoff create X", true),
            ("env -i A=b trueup handoff create X", true),
            ("env -S 'trueup handoff create X'", true),
            ("timeout 5 nohup time command exec trueup handoff create X", true),
            ("(trueup handoff create X)", true),
            ("{ trueup handoff create X; }", true),
            ("if true; then trueup handoff create X; fi", true),
            ("f() { trueup handoff create X; }; f", true),
            ("x=$(trueup handoff create X)", true),
            ("echo \"done: $(trueup handoff create X)\"", true),
            ("echo `trueup handoff create X`", true),
            ("cat <(trueup handoff create X)", true),
            ("true | trueup handoff create X > log 2>&1 &", true),
            ("echo a # trueup handoff\ntrueup handoff create X", true),
            ("trueup handoff list && trueup handoff create X", true),
            ("sh -c 'trueup handoff create X'", true),
            ("bash -lc \"trueup handoff create X\"", true),
            ("bash -o pipefail -c 'trueup handoff create X' name", true),
            ("bash -c \"sh -c 'trueup handoff create X'\"", true),
            ("docker exec c sh -c 'trueup handoff create X'", true),
            ("eval \"trueup handoff create X\"", true),
            ("eval trueup 'handoff create' X", true),
            ("eval \"$(echo 'trueup handoff create X')\"", true),
            ("xargs trueup handoff create < list", true),
            ("echo 'handoff create X' | xargs trueup", true),
            ("echo 'create X' | xargs -n1 trueup handoff", true),
            ("printf '%s' 'trueup handoff create X' | sh", true),
            ("echo 'trueup handoff create X' | tee log | bash -s", true),
            ("sh <<E\ntrueup handoff create X\nE", true),
            ("cat <<'E' | sh\ntrueup handoff create X\nE", true),
            ("sh <<< 'trueup handoff create X'", true),
            ("source <(echo 'trueup handoff create X')", true),
            ("C='trueup handoff create X'; eval \"$C\"", true),
            ("C='trueup handoff create X'; $C", true),
            ("su me -c 'trueup handoff create X'", true),
            ("(trueup handoff list)", false),
            ("trueup handoff list", false),
            ("trueup handoff --json list", false),
            ("trueup --session s handoff list", false),
            ("trueup status", false),
            ("echo 'trueup handoff create X'", false),
            ("echo \"trueup handoff create X\" > note", false),
            ("git commit -m 'trueup handoff create X'", false),
            ("# trueup handoff create X", false),
            ("cat > note <<E\ntrueup handoff create X\nE", false),
            ("", false),
        ],
    );
}

#[test]
fn the_default_pattern_looks_at_words() {
    assert_all(
        &["*handoff*"],
        &[
            ("make handoff", true),
            ("make 'handoff'", true),
            ("npm run HandOff", true),
            ("npm run \"handoff\"", true),
            ("sh handoff.sh PLAN-TO-EXEC", true),
            ("bash 'scripts/handoff.sh'", true),
            ("\"./handoff.sh\" now", true),
            ("cd . && NOTE=1 sh handoff.sh", true),
            ("bash -c 'make handoff'", true),
            ("trueup handoff show h-1; sh handoff.sh", true),
            ("git commit -m \"docs: handoff notes\"", false),
            ("git commit -m 'handoff'", false),
            ("git commit --message=\"handoff notes\" && git push", false),
            ("git log --grep='handoff'", false),
            ("grep -rn \"handoff\" docs | head", false),
            ("echo \"handoff\"", false),
            (
                "gh pr create --title \"handoff\" --body \"$(cat <<'EOF'\nhandoff notes\nEOF\n)\"",
                false,
            ),
            ("git commit -F - <<'EOF'\ndocs: handoff notes\nEOF", false),
            ("ls # handoff", false),
            ("x=handoff; trueup $x create X", true),
            ("trueup {handoff,create,X}", true),
            ("trueup $(echo handoff) create X", true),
            ("trueup \"$WHAT\" list", false),
            ("bash -c 'eval \"$0\"' 'trueup handoff create X'", true),
            ("bash -c '\"$@\"' sh trueup handoff create X", true),
            (". /dev/stdin <<< \"trueup handoff create X\"", true),
            ("trap 'trueup handoff create X' EXIT", true),
            ("alias h='trueup handoff create X'; h", true),
            ("trueup handoff create --help", false),
            ("trueup handoff help", false),
            ("trueup handoff accept h-1 --session s", false),
            ("cd x; trueup handoff reject h-1 --reason no", false),
            ("trueup handoff list", false),
            ("trueup status", false),
            ("git switch feat/SD-1-handoff", false),
            ("git checkout -q -b feat/handoff", false),
            ("trueup claim handoff-notes", false),
            ("trueup set --task \"write the handoff notes\"", false),
            ("git switch x && make handoff", true),
            ("echo hello", false),
        ],
    );
}

#[test]
fn written_patterns_match_commands_and_lines() {
    assert_all(
        &["make ship*", "a?b*c", "trueup queue complete*", "cd * && go*"],
        &[
            ("make ship-it now", true),
            ("cd x && make ship", true),
            ("sudo make ship", true),
            ("A=1 make ship", true),
            ("make shop", false),
            ("echo 'make ship'", false),
            ("sh -c 'make ship'", true),
            ("axbxc", true),
            ("trueup queue complete 3", true),
            ("trueup queue list", false),
            ("cd x && go on", true),
        ],
    );
}

#[test]
fn a_command_that_was_cut() {
    let patterns = CommandPatterns::new(&["*handoff*".to_owned(), "make ship*".to_owned()]);
    for (command, expected) in [
        ("trueup ha", true),
        ("sh hand", true),
        ("tru", true),
        ("make s", true),
        ("make handoff", true),
        ("cargo build ", false),
        ("ls -la", false),
        ("", false),
    ] {
        assert_eq!(may_become_handoff(command, &patterns), expected, "{command}");
    }
}

#[test]
fn shells_within_shells_end() {
    let patterns = CommandPatterns::new(&[]);
    let mut command = "trueup handoff create X".to_owned();
    for _ in 0..6 {
        command = format!("sh -c {}", trueup_core::text::quote_for_shell(&command));
        assert!(script_hands_off(&command, &patterns), "{command}");
    }
    let deep = format!("{}trueup handoff create X{}", "$(".repeat(5_000), ")".repeat(5_000));
    assert!(script_hands_off(&deep, &patterns));
    assert!(!script_hands_off(&"$(echo ".repeat(5_000), &patterns));
    assert!(script_hands_off(&format!("{}handoff", "x ".repeat(200_000)), &patterns));
    let many = "echo 'a' | sh; ".repeat(2_000);
    assert!(!script_hands_off(&many, &patterns));
}
