//! Without `--fix` nothing is written, whatever is found.

use super::scene::{Clone, PLAN, of_code};
use support::home::skip_over_postgres;

use crate::fixture::codes;

#[test]
fn a_check_reads_alone() {
    let clone = Clone::behind_the_database();
    clone.publish("workplans/b.md", PLAN.replace("0026", "0027"));
    clone.swap("T03\nstatus: todo", "T03\nstatus: done");
    clone.someone_pushes("x", "y");
    let before = clone.state();
    for arguments in
        [&[][..], &["--strict"], &["--all"], &["--format", "sarif"], &["--format", "github"]]
    {
        let answer = clone.run(arguments);
        assert!(
            answer.code == Some(0) || arguments == ["--strict"] && answer.code == Some(1),
            "{answer:?}"
        );
        assert_eq!(clone.state(), before, "{arguments:?}");
    }
    let object = clone.object(0, &[]);
    let found = codes(&object);
    assert_eq!(found, ["C-16", "C-15", "C-10", "C-06", "C-11", "C-11", "C-11"]);
    assert_eq!(of_code(&object, "C-16")[0]["severity"], "info");
}

#[test]
fn a_check_without_a_database_makes_none() {
    if skip_over_postgres("the file is missing") {
        return;
    }
    let clone = Clone::new();
    let database = clone.home.trueup_home().join("trueup.db");
    std::fs::remove_file(&database).unwrap();
    for arguments in [&[][..], &["--fix"], &["--all"]] {
        let object = clone.object(3, arguments);
        assert_eq!(codes(&object), ["C-00"], "{object}");
        assert_eq!(object["divergences"][0]["severity"], "error");
        assert_eq!(object["error"]["code"], "store_missing");
        assert!(!database.exists());
    }
}
