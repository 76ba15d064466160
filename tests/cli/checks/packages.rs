//! Workplans below the package folders of a monorepo.

use std::fs;

use serde_json::json;

use super::scene::{Clone, PLAN, of_code};
use crate::fixture::codes;

/// The path of a workplan of a package.
const API: &str = "packages/api/workplans/a.md";

/// [`PLAN`] under another id.
fn plan_of(prefix: &str) -> String {
    PLAN.replace("CUST-WP-0026", &format!("{prefix}-WP-0001"))
}

#[test]
fn workplans_of_packages_are_linked_and_written_like_those_at_the_root() {
    let clone = Clone::new();
    clone.publish(API, plan_of("API"));
    clone.publish("libs/ui/web/forms/workplans/archived/b.md", plan_of("UI"));
    let repo = clone.fix();
    assert_eq!(repo["files"], 3, "{repo}");
    let all = ["libs/ui/web/forms/workplans/archived/b.md", API, "workplans/a.md"];
    assert_eq!(repo["written"], json!(all));
    clone.done("API-WP-0001-T01");
    let repo = clone.fix();
    assert_eq!(repo["written"], json!([API]));
    assert_eq!(clone.git(&["show", "--format=", "--name-only", "HEAD"]), API);
    assert_eq!(clone.git(&["status", "--porcelain"]), "");
    assert_eq!(codes(&clone.object(0, &["--strict"])), [""; 0]);
    // From within a package, and by its path.
    for place in ["packages/api", "packages"] {
        let object = clone.object(0, &[place]);
        assert_eq!(object["data"]["repos"][0]["files"], 3, "{object}");
    }
}

#[test]
fn packages_are_found_without_a_folder_at_the_root() {
    let clone = Clone::empty();
    clone.publish(API, plan_of("API"));
    assert_eq!(clone.fix()["written"], json!([API]));
}

#[test]
fn what_git_ignores_and_what_others_wrote_is_no_workplan() {
    let clone = Clone::linked();
    clone.publish(".gitignore", "/build/\n*.tmp.md\n");
    for path in [
        "build/api/workplans/a.md",
        "packages/api/node_modules/x/workplans/a.md",
        "vendor/x/workplans/a.md",
        "target/workplans/a.md",
        "packages/api/workplans/a.tmp.md",
        "packages/api/workplans/README.md",
        "packages/api/workplans/notes/a.md",
        "packages/.cache/workplans/a.md",
        "a/b/c/d/e/workplans/a.md",
    ] {
        clone.write(path, plan_of("API"));
    }
    let nested = clone.root().join("packages/nested");
    clone.home.init_repository(&nested);
    clone.write("packages/nested/workplans/a.md", plan_of("API"));
    #[cfg(unix)]
    std::os::unix::fs::symlink("../../workplans", clone.root().join("packages/api/plans")).unwrap();
    let before = clone.state();
    let object = clone.object(0, &["--fix"]);
    assert_eq!(object["data"]["repos"][0]["files"], 1, "{object}");
    assert_eq!(clone.state(), before);
    // One that git could track is found before it is added; it is not written before.
    clone.write(API, plan_of("API"));
    let object = clone.object(0, &[]);
    assert_eq!(object["data"]["repos"][0]["files"], 2, "{object}");
    assert_eq!(of_code(&object, "C-06").len(), 1, "{object}");
    assert!(of_code(&object, "C-06").iter().all(|it| it["subject"] != "CUST-WP-0026"));
}

#[test]
fn an_id_is_unique_over_all_packages_and_the_finding_names_both_files() {
    let clone = Clone::linked();
    clone.publish(API, PLAN);
    let object = clone.object(1, &[]);
    let all = object["divergences"].as_array().unwrap();
    let messages = all.iter().filter_map(|it| it["message"].as_str());
    let mut duplicates = messages.filter(|text| text.starts_with("workplans/a.md:"));
    assert!(duplicates.any(|text| text.contains(API)), "{object}");
}

#[test]
fn changes_of_the_user_in_a_package_are_left_to_them() {
    let clone = Clone::new();
    clone.publish(API, plan_of("API"));
    clone.publish("packages/web/workplans/a.md", plan_of("WEB"));
    clone.fix();
    for key in ["API-WP-0001-T01", "WEB-WP-0001-T01"] {
        clone.done(key);
    }
    let edited = clone.text(API).replace("Never back.", "Never back!");
    clone.write(API, &edited);
    let object = clone.object(0, &["--fix"]);
    let repo = &object["data"]["repos"][0];
    assert_eq!(repo["written"], json!(["packages/web/workplans/a.md"]), "{object}");
    assert!(repo["skipped"].as_str().unwrap().contains(API), "{repo}");
    assert_eq!(clone.text(API), edited);
}

#[test]
fn a_removed_workplan_of_a_package_is_missing_unless_it_is_not_checked_out() {
    let clone = Clone::new();
    clone.publish(API, plan_of("API"));
    clone.fix();
    clone.git(&["update-index", "--skip-worktree", API]);
    fs::remove_file(clone.root().join(API)).unwrap();
    let object = clone.object(0, &[]);
    assert_eq!(codes(&object), [""; 0], "{object}");
    clone.git(&["update-index", "--no-skip-worktree", API]);
    let object = clone.object(0, &[]);
    let all = object["divergences"].as_array().unwrap();
    assert!(all.iter().any(|it| it["subject"] == "API-WP-0001"), "{object}");
}
