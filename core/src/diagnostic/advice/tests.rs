//! How advice is rendered, and that every code has a row.

use std::collections::BTreeSet;

use super::*;
use crate::diagnostic::Code;

fn render_kind(kind: AdviceKind) -> String {
    Advice::from(kind).to_string()
}

#[test]
fn every_code_has_a_row_and_every_row_a_code() {
    let advised: BTreeSet<Code> =
        AdviceRow::ALL.iter().flat_map(|row| row.codes()).copied().collect();
    let all: BTreeSet<Code> = Code::ALL.iter().copied().collect();
    assert_eq!(advised, all);
    assert!(AdviceRow::ALL.iter().all(|row| !row.codes().is_empty()));
}

#[test]
fn an_advice_is_a_command_or_ends_with_one() {
    for (kind, expected) in [
        (AdviceKind::TrueUpSession, "validate-session-state --fix"),
        (
            AdviceKind::SwitchBranch { to: BranchTarget::New("feat/SD#2".to_owned()) },
            "git switch -c 'feat/SD#2'",
        ),
        (
            AdviceKind::EditWorkplan { place: FileLine::new("workplans/a b.md", 3) },
            "correct workplans/a b.md:3, then run `trueup check --fix`",
        ),
        (
            AdviceKind::FixPlanFile { path: PathBuf::from("-x\n`$(id)`") },
            r#"trueup plan validate "$(printf './-x\012\140\044\050id\051\140')" --fix"#,
        ),
    ] {
        assert_eq!(render_kind(kind), expected);
    }
}

#[test]
fn advice_for_another_directory_names_it() {
    let mut advice = Advice::from(AdviceKind::RestoreEdit { entry: "j-1".to_owned() });
    advice.set_session(&"s-1".parse().unwrap());
    advice.set_directory(Path::new("/it's"));
    assert_eq!(
        advice.to_string(),
        r"(cd '/it'\''s' && validate-session-state --fix --session s-1 && trueup journal restore j-1 --session s-1)"
    );
    let mut advice = Advice::from(AdviceKind::EditWorkplan { place: FileLine::new("a.md", 3) });
    advice.set_directory(Path::new("/repo"));
    assert_eq!(
        advice.to_string(),
        "correct /repo/a.md:3, then run `(cd /repo && trueup check --fix)`"
    );
}
