//! `trueup plan validate`: plan files are checked against themselves and the database, and
//! summaries fixed.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::{Value, json};
use support::home::{Home, skip_over_postgres};

use crate::fixture::{codes, create_database, data, envelope, keys, object, refused, trueup};
use crate::state_snapshot::StateSnapshot;

/// A status file with wrong counts, and everything that must survive: a byte order mark, line ends,
/// odd numbers and keys.
const STATUS: &str = "\u{feff}{\r\n  \"_comment\": \"caf\\u00e9\",\r\n  \"planPath\": \"fix.md\",\r\n  \
    \"summary\": {\"percentage\": 5.190, \"totalTasks\": 77, \"completed\":  77, \"pending\": 2,\r\n    \
    \"failed\": 0.0, \"skipped\": 1, \"in_progress\": 0},\r\n  \"tasks\": [\r\n\
    {\"id\": \"1.1\", \"description\": \"a\", \"status\": \"completed\", \"duration\": 1e400},\r\n\
    {\"id\": \"1.2\", \"description\": \"b\", \"status\": \"done\"},\r\n\
    {\"id\": \"1.3\", \"description\": \"c\", \"status\": \"completed\"},\r\n\
    {\"id\": \"1.4\", \"description\": \"d\", \"status\": \"completed\"},\r\n\
    {\"id\": \"1.5\", \"description\": \"e\"},\r\n\
    {\"id\": \"1.6\", \"description\": \"f\", \"status\": \"pending\"},\r\n\
    {\"id\": \"1.7\", \"description\": \"g\", \"status\": \"skipped\"}\r\n]}";

const PLAN: &str = "# Fix

## Phase 1: Setup
- [ ] 1.1 Write
- [x] 1.2 Test
- [ ] 1.3 Ship
- [ ] 1.4 Show
";

fn corrected_summary() -> String {
    STATUS
        .replace("\"totalTasks\": 77", "\"totalTasks\": 7")
        .replace("\"completed\":  77", "\"completed\":  4")
}

fn write(home: &Home, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = home.project_dir().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    path
}

/// A scratch with a database and, in a directory of its own, [`STATUS`].
fn scratch() -> (Home, PathBuf) {
    let home = Home::new();
    create_database(&home);
    let path = write(&home, "out/status.json", STATUS);
    (home, path)
}

/// A scratch with [`PLAN`] imported as `fix`.
fn home_with_plan() -> Home {
    let home = Home::new();
    create_database(&home);
    write(&home, "fix.md", PLAN);
    data(&home, &["plan", "import", "fix.md"]);
    home
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn read_with_time(path: &Path) -> (Vec<u8>, SystemTime) {
    let data = fs::metadata(path).unwrap();
    (fs::read(path).unwrap(), data.modified().unwrap())
}

fn messages(object: &Value) -> Vec<&str> {
    let found = object["divergences"].as_array().unwrap();
    found.iter().map(|d| d["message"].as_str().unwrap()).collect()
}

/// Asserts that there is one finding with this text.
#[track_caller]
fn assert_finding(object: &Value, code: &str, words: &[&str]) {
    let found = object["divergences"].as_array().unwrap();
    let says = |d: &&Value| {
        let message = d["message"].as_str().unwrap();
        d["code"] == code && words.iter().all(|word| message.contains(word))
    };
    assert_eq!(found.iter().filter(says).count(), 1, "{words:?}: {object}");
}

#[test]
fn a_wrong_summary_is_reported_and_reading_writes_nothing() {
    let (home, path) = scratch();
    let before = (StateSnapshot::take(&home), read_with_time(&path));
    let answer = trueup(&home, &["plan", "validate", "out/status.json"]);
    assert_eq!(answer.code, Some(1), "{answer:?}");
    assert!(answer.stdout.contains("summary.completed was 77, should be 4\n"), "{answer:?}");
    let object = object(&home, 1, &["plan", "validate", "out/status.json"]);
    assert_eq!(codes(&object), ["F-02", "F-02"]);
    assert_finding(
        &object,
        "F-02",
        &["out/status.json:4:", "summary.totalTasks was 77, should be 7"],
    );
    let finding = &object["divergences"][1];
    assert_eq!(finding["severity"], "error");
    assert_eq!((&finding["expected"], &finding["found"]), (&json!("4"), &json!("77")));
    assert_eq!(finding["fix"], "trueup plan validate out/status.json --fix");

    assert_eq!(keys(&object["data"]), ["backup", "fixed", "path", "plan", "summary"]);
    let data = &object["data"];
    assert_eq!(data["plan"], Value::Null);
    assert_eq!(data["path"], path.to_str().unwrap());
    assert_eq!((&data["fixed"], &data["backup"]), (&json!([]), &Value::Null));
    assert_eq!(data["summary"]["found"]["completed"], 77);
    assert_eq!(
        data["summary"]["counted"],
        json!({"totalTasks": 7, "completed": 4, "pending": 2, "in_progress": 0, "failed": 0,
            "skipped": 1})
    );
    assert_eq!((StateSnapshot::take(&home), read_with_time(&path)), before);
    assert_eq!(names(path.parent().unwrap()), ["status.json"]);
}

#[test]
fn a_fix_writes_the_wrong_numbers_alone_and_keeps_what_was() {
    let (home, path) = scratch();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    }
    let fixed = object(&home, 0, &["plan", "validate", "out/status.json", "--fix"]);
    assert_eq!(codes(&fixed), [""; 0]);
    let data = &fixed["data"];
    assert_eq!(
        data["fixed"],
        json!([{"field": "totalTasks", "was": 77, "now": 7},
            {"field": "completed", "was": 77, "now": 4}])
    );
    assert_eq!(data["summary"]["found"]["totalTasks"], 77);
    assert_eq!(fs::read_to_string(&path).unwrap(), corrected_summary());
    let backup = Path::new(data["backup"].as_str().unwrap());
    assert_eq!(backup.parent(), path.parent());
    let name = backup.file_name().unwrap().to_str().unwrap();
    let time = name.strip_prefix("status.json.bak-").unwrap();
    assert!(time.starts_with("20") && time.ends_with('Z'), "{name}");
    assert_eq!(fs::read_to_string(backup).unwrap(), STATUS);
    assert_eq!(names(path.parent().unwrap()), ["status.json", name]);
    #[cfg(unix)]
    for file in [&path, backup] {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640, "{}", file.display());
    }

    // Nothing is left to fix, and nothing is written.
    let before = read_with_time(&path);
    let again = object(&home, 0, &["plan", "validate", "out/status.json", "--fix"]);
    assert_eq!((&again["data"]["fixed"], &again["data"]["backup"]), (&json!([]), &Value::Null));
    assert_eq!(read_with_time(&path), before);
    assert_eq!(names(path.parent().unwrap()).len(), 2);
    object(&home, 0, &["plan", "validate", "out/status.json", "--strict"]);
}

#[test]
fn a_fix_says_what_it_changed_and_where_the_backup_is() {
    let (home, path) = scratch();
    let answer = trueup(&home, &["plan", "validate", "out/status.json", "--fix"]).ok();
    let dir = names(path.parent().unwrap());
    for words in [
        "summary.totalTasks: 77 -> 7\n",
        "summary.completed: 77 -> 4\n",
        &format!("{}\n", dir[1]),
        "out/status.json: 7 tasks, 0 findings\n",
    ] {
        assert!(answer.stdout.contains(words), "{words}: {answer:?}");
    }
}

#[test]
fn a_file_is_checked_and_fixed_without_any_database() {
    if skip_over_postgres("the file is missing") {
        return;
    }
    let home = Home::new();
    let path = write(&home, "status.json", STATUS);
    let arguments = ["plan", "validate", "status.json"];
    assert_eq!(codes(&object(&home, 1, &arguments)), ["F-02", "F-02"]);
    data(&home, &[&arguments[..], &["--fix"]].concat());
    assert_eq!(fs::read_to_string(&path).unwrap(), corrected_summary());
    assert!(!home.trueup_home().join("trueup.db").exists());
    write(&home, "fix.md", PLAN);
    let object = object(&home, 0, &["plan", "validate", "fix.md"]);
    assert_eq!(messages(&object), ["fix.md: this plan was never imported"]);
    let arguments = ["plan", "validate", "fix", "--json"];
    let answer = home.prepare_run("trueup").args(arguments).wait();
    assert_eq!(envelope(&answer, 3)["error"]["code"], "store_missing");
}

#[test]
fn what_is_odd_in_a_status_file_is_a_warning_and_stays() {
    let (home, _) = scratch();
    let text = "{\"summary\": {\"totalTasks\": 3, \"completed\": \"77\", \"completed\": \"4\",\n\
        \"pending\": 2, \"in_progress\": 0, \"failed\": 0}, \"tasks\": [\n\
        {\"id\": \"1.1\", \"description\": \"a\"},\n\
        {\"id\": \"1.1\", \"description\": \"b\"},\n\
        {\"id\": \"1.2\", \"description\": \"c\", \"status\": \"almost\"}]}";
    let path = write(&home, "odd.json", text);
    let arguments = ["plan", "validate", "odd.json", "--fix"];
    let found = object(&home, 0, &arguments);
    assert!(codes(&found).iter().all(|code| *code == "F-02"));
    for words in [
        &["odd.json:1:", "summary.completed is not a number"][..],
        &["summary.completed occurs twice"],
        &["summary.skipped is missing, should be 0"],
        &["odd.json:4:1: duplicate id 1.1"],
        &["odd.json:5:1: ", "almost", "in_progress"],
    ] {
        assert_finding(&found, "F-02", words);
    }
    assert_eq!(messages(&found).len(), 5);
    object(&home, 1, &[&arguments[..], &["--strict"]].concat());
    assert_eq!(fs::read_to_string(&path).unwrap(), text);

    write(&home, "none.json", "{\"tasks\": []}");
    let report = object(&home, 0, &["plan", "validate", "none.json", "--fix"]);
    assert_eq!(messages(&report), ["none.json: summary is missing"]);
    assert_eq!(report["data"]["summary"]["found"], Value::Null);
}

#[test]
fn what_cannot_be_read_is_exit_3_and_stays() {
    let (home, _) = scratch();
    for (name, bytes) in [
        ("cut.json", &b"{\"tasks\": ["[..]),
        ("empty.json", b""),
        ("other.json", b"{\"summary\": {\"completed\": 77}}"),
        ("bytes.md", b"\xff"),
    ] {
        let path = write(&home, &format!("bad/{name}"), bytes);
        let before = read_with_time(&path);
        for more in [&[][..], &["--fix"]] {
            let name = format!("bad/{name}");
            let arguments = [&["plan", "validate", &name][..], more].concat();
            let object = object(&home, 3, &arguments);
            assert_eq!(object["error"]["code"], "plan_unreadable", "{object}");
            let message = object["error"]["message"].as_str().unwrap();
            assert!(message.contains(&name), "{message}");
            assert_eq!(read_with_time(&path), before);
        }
    }
    assert_eq!(names(&home.project_dir().join("bad")).len(), 4);
    for name in ["none.json", "none.md", "docs/none"] {
        let object = object(&home, 3, &["plan", "validate", name]);
        assert_eq!(object["error"]["code"], "plan_unreadable", "{object}");
    }
    refused(&home, "plan_not_found", &["plan", "validate", "nobody"]);
}

#[test]
fn a_byte_that_is_no_text_hides_nothing_and_stays() {
    let (home, _) = scratch();
    let file = |total: &[u8]| {
        let tasks = b"{\"tasks\": [{\"id\": \"1.1\", \"description\": \"a \xff\"}],\n\"summary\": ";
        let rest = b", \"completed\": 0, \"pending\": 1, \"in_progress\": 0, \"failed\": 0, \"skipped\": 0}}";
        [&tasks[..], b"{\"totalTasks\": ", total, rest].concat()
    };
    let path = write(&home, "bytes.json", file(b"77"));
    let arguments = ["plan", "validate", "bytes.json"];
    let found = object(&home, 1, &arguments);
    assert_finding(&found, "F-02", &["was 77, should be 1"]);
    data(&home, &[&arguments[..], &["--fix"]].concat());
    assert_eq!(fs::read(&path).unwrap(), file(b"1"), "byte for byte");
    assert_eq!(codes(&object(&home, 0, &arguments)), [""; 0]);
}

#[test]
fn checkboxes_are_compared_with_the_database_in_both_directions() {
    let home = home_with_plan();
    let well = object(&home, 0, &["plan", "validate", "fix", "--strict"]);
    assert_eq!(codes(&well), [""; 0]);
    assert_eq!(well["data"]["plan"], "fix");
    assert_eq!(well["data"]["summary"], Value::Null);

    data(&home, &["plan", "complete", "1.1"]);
    data(&home, &["plan", "skip", "1.3", "--reason", "later"]);
    data(&home, &["plan", "start", "1.4"]);
    let text = PLAN
        .replace("- [ ] 1.3", "- [x] 1.3")
        .replace("- [ ] 1.4", "- [x] 1.4")
        .replace(" Test\n", " Test\n- [x] 1.5 New\n- [ ] odd\n");
    let path = write(&home, "fix.md", &text);
    let before = (StateSnapshot::take(&home), read_with_time(&path));
    // By its id, its file, the environment, and as the only one.
    let by_id = object(&home, 0, &["plan", "validate", "fix"]);
    assert_finding(
        &by_id,
        "C-15",
        &["fix.md:4:4: ", "1.1", "[ ]", "completed", "the database is ahead"],
    );
    assert_finding(&by_id, "C-10", &["fix.md:9:4: ", "1.4", "[x]", "in_progress", "ahead"]);
    assert_finding(&by_id, "C-10", &["fix.md:8:4: ", "1.3", "skipped", "keeps"]);
    assert_finding(&by_id, "F-02", &["fix.md:6:4: ", "1.5", "never imported"]);
    assert_finding(&by_id, "F-02", &["fix.md:7:4: ", "never imported"]);
    assert_finding(&by_id, "F-02", &["fix.md: ", "no id"]);
    assert_eq!(messages(&by_id).len(), 6);
    let warnings = by_id["divergences"].as_array().unwrap();
    assert!(warnings.iter().all(|d| d["severity"] == "warning"));
    let by_file = object(&home, 0, &["plan", "validate", "--plan", "fix.md"]);
    assert_eq!(by_file["data"], by_id["data"]);
    assert_eq!(codes(&by_file), codes(&by_id));
    let by_default = object(&home, 0, &["plan", "validate"]);
    assert_eq!(by_default["divergences"], by_id["divergences"]);
    let run = home.prepare_run("trueup").env("TRUEUP_PLAN", "fix");
    let named = run.args(["plan", "validate", "--strict", "--json"]).wait();
    assert_eq!(envelope(&named, 1)["divergences"], by_id["divergences"]);
    assert_eq!((StateSnapshot::take(&home), read_with_time(&path)), before);

    // The command that a finding names ends it.
    let fix = by_file["divergences"].as_array().unwrap();
    let ahead = fix.iter().find(|d| d["subject"] == "1.4").unwrap();
    let fix = ahead["fix"].as_str();
    assert_eq!(fix, Some("trueup plan import fix.md"));
    data(&home, &["plan", "import", "fix.md"]);
    let after = object(&home, 0, &["plan", "validate", "fix"]);
    assert_eq!(codes(&after), ["F-02", "C-15", "C-10"]);
}

#[test]
fn what_file_and_database_have_alone_and_wait_for_in_vain_is_told() {
    let home = home_with_plan();
    write(&home, "fix.md", PLAN.replace("- [ ] 1.3 Ship\n", ""));
    home.execute_sql("UPDATE plan_tasks SET depends_on = '[\"8.8\"]' WHERE id = '1.1'", []);
    let found = object(&home, 1, &["plan", "validate"]);
    assert_finding(&found, "F-02", &["1.3", "not in the file"]);
    assert_finding(&found, "F-02", &["fix/1.1 depends on 8.8"]);
    assert_eq!(codes(&found).len(), 2);

    // They are told as well where the file is gone, which is no small thing.
    fs::remove_file(home.project_dir().join("fix.md")).unwrap();
    let gone = object(&home, 3, &["plan", "validate", "fix"]);
    assert_eq!(gone["error"]["code"], "plan_unreadable");
    assert_finding(&gone, "F-02", &["fix/1.1 depends on 8.8"]);
}

#[test]
fn a_status_file_is_of_the_plan_that_it_names() {
    let home = home_with_plan();
    write(&home, "out/status.json", STATUS.replace("fix.md", "../fix.md"));
    let path = write(&home, "status.json", STATUS);
    let object = object(&home, 1, &["plan", "validate", path.to_str().unwrap()]);
    assert_eq!(object["data"]["plan"], "fix");
    assert_eq!(object["divergences"][0]["subject"], "fix");
}

#[cfg(unix)]
#[test]
fn a_link_is_followed_and_stays_one() {
    let (home, path) = scratch();
    let link = home.project_dir().join("link.json");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    data(&home, &["plan", "validate", "link.json", "--fix"]);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&path).unwrap(), corrected_summary());
    assert_eq!(names(path.parent().unwrap()).len(), 2);
}
