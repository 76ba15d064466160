//! Names, numbers and dependencies as they are asked for.

use crate::model::phase::{PhaseName, PhasePlanError, plan_phases};

fn render_plan(names: &str, depends: &[&str]) -> Result<String, PhasePlanError> {
    let names: Vec<PhaseName> = names.split(',').map(|name| name.parse().unwrap()).collect();
    let depends: Vec<String> = depends.iter().map(|text| (*text).to_owned()).collect();
    let lines = plan_phases(&names, &depends)?.into_iter().map(|phase| {
        let on: Vec<String> = phase.depends_on.iter().map(u32::to_string).collect();
        format!("{} {}<{}", phase.number, phase.name, on.join(","))
    });
    Ok(lines.collect::<Vec<_>>().join("; "))
}

#[test]
fn each_phase_depends_on_the_one_before_by_default() {
    for (names, depends, expected) in [
        ("plan,build,test", &[][..], "1 plan<; 2 build<1; 3 test<2"),
        ("plan", &[], "1 plan<"),
        (
            "plan,validate,build,lint,test",
            &["4=1,3;5=4"],
            "1 plan<; 2 validate<1; 3 build<2; 4 lint<1,3; 5 test<4",
        ),
        ("plan,lint,test", &[" 3 = 1 ", "2="], "1 plan<; 2 lint<; 3 test<1"),
        ("plan,build,test", &["3=2,1,2;"], "1 plan<; 2 build<1; 3 test<1,2"),
        // What it depends on comes first, whatever its number.
        ("ship,plan", &["1=2;2="], "2 plan<; 1 ship<2"),
    ] {
        assert_eq!(render_plan(names, depends).as_deref(), Ok(expected), "{names} {depends:?}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    for (depends, expected) in [
        ("3", "\"3\" is not NUMBER=NUMBER"),
        ("x=1", "\"x=1\" is not"),
        ("2=1,plan", "is not NUMBER"),
        ("2=1;2=3", "phase 2 are given twice"),
        ("2=9", "phase 9 does not exist; the phases are 1 to 4"),
        ("9=1", "phase 9 does not exist"),
        ("2=0", "phase 0 does not exist"),
        ("3=3", "circular dependency of phases: 3 -> 3"),
        ("1=4", "circular dependency of phases: 1 -> 4 -> 3 -> 2 -> 1"),
        ("2=4;3=1", "circular dependency of phases: 2 -> 4 -> 3"),
    ] {
        let answer = render_plan("plan,build,test,ship", &[depends]);
        match answer {
            Err(error) => assert!(error.to_string().contains(expected), "{depends}: {error}"),
            // The last one is no circle: 3 no longer depends on 2.
            Ok(text) => assert_eq!(
                (depends, text.as_str()),
                ("2=4;3=1", "1 plan<; 3 test<1; 4 ship<3; 2 build<4")
            ),
        }
    }
}

#[test]
fn usual_phases_keep_their_names_and_come_first() {
    assert_eq!(" Build ".parse(), Ok(PhaseName::Build));
    assert!(PhaseName::USUAL.is_sorted());
    let own: PhaseName = "a".parse().unwrap();
    for name in PhaseName::USUAL {
        assert_eq!(name.as_str().parse(), Ok(name.clone()));
        assert_eq!(serde_json::to_value(&name).unwrap(), name.as_str());
        assert!(name < own, "{name}");
    }
}

#[test]
fn a_name_of_a_phase_is_a_word() {
    let pattern = regex_lite::Regex::new(PhaseName::PATTERN).unwrap();
    let longest = "a".repeat(32);
    for name in ["design", "security-review", "x", "q2", "a--", "plan-2", &longest] {
        let parsed: PhaseName = name.parse().unwrap();
        assert_eq!((parsed.as_str(), parsed.to_string().as_str()), (name, name));
        assert_eq!(format!(" {name} ").parse(), Ok(parsed.clone()));
        assert!(matches!(parsed, PhaseName::Own(_)), "{name}");
        let text = serde_json::to_string(&parsed).unwrap();
        assert_eq!(serde_json::from_str::<PhaseName>(&text).unwrap(), parsed);
        assert!(pattern.is_match(name), "{name}");
    }
    let too_long = "a".repeat(33);
    for name in ["", "Design", "2fa", "-x", "a b", "a_b", "a.b", "größe", "a\nb", "a,b", &too_long]
    {
        let error = name.parse::<PhaseName>().unwrap_err().to_string();
        assert!(error.contains("at most 32 small letters, digits and dashes"), "{error}");
        let text = serde_json::to_string(name).unwrap();
        assert!(serde_json::from_str::<PhaseName>(&text).is_err(), "{name}");
        assert!(!pattern.is_match(name), "{name}");
    }
}

#[test]
fn an_own_name_with_one_typing_error_is_told_from_a_usual_one() {
    for (name, expected) in [
        ("biuld", Some(PhaseName::Build)),
        ("lints", Some(PhaseName::Lint)),
        ("build", None),
        ("design", None),
        ("test-2", None),
    ] {
        assert_eq!(name.parse::<PhaseName>().unwrap().find_intended(), expected, "{name}");
    }
}
