use std::collections::BTreeSet;

use super::*;
use crate::diagnostic::Code;

fn render_way(way: Way) -> String {
    Advice::from(way).to_string()
}

#[test]
fn every_code_has_a_row_and_every_row_a_code() {
    let advised: BTreeSet<Code> = Row::ALL.iter().flat_map(|row| row.codes()).copied().collect();
    let all: BTreeSet<Code> = Code::ALL.iter().copied().collect();
    assert_eq!(advised, all);
    assert!(Row::ALL.iter().all(|row| !row.codes().is_empty()));
}

#[test]
fn an_advice_is_a_command_or_ends_with_one() {
    for (way, expected) in [
        (Way::TrueUpSession, "validate-session-state --fix"),
        (
            Way::SwitchBranch { to: BranchTarget::New("feat/SD#2".to_owned()) },
            "git switch -c 'feat/SD#2'",
        ),
        (
            Way::EditWorkplan { place: FileLine::new("workplans/a b.md", 3) },
            "correct workplans/a b.md:3, then run `trueup check --fix`",
        ),
        (
            Way::FixPlanFile { path: PathBuf::from("-x\n`$(id)`") },
            r#"trueup plan validate "$(printf './-x\012\140\044\050id\051\140')" --fix"#,
        ),
    ] {
        assert_eq!(render_way(way), expected);
    }
}

#[test]
fn an_advice_for_elsewhere_says_where() {
    let mut advice = Advice::from(Way::RestoreEdit { entry: "j-1".to_owned() });
    advice.set_session(&"s-1".parse().unwrap());
    advice.set_directory(Path::new("/it's"));
    assert_eq!(
        advice.to_string(),
        r"(cd '/it'\''s' && validate-session-state --fix --session s-1 && trueup journal restore j-1 --session s-1)"
    );
    let mut advice = Advice::from(Way::EditWorkplan { place: FileLine::new("a.md", 3) });
    advice.set_directory(Path::new("/repo"));
    assert_eq!(
        advice.to_string(),
        "correct /repo/a.md:3, then run `(cd /repo && trueup check --fix)`"
    );
}
