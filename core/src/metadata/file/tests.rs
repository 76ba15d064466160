use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::metadata::Literal;

struct Project(TempDir);

impl Project {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> MetadataFile {
        MetadataFile::new(self.0.path(), &"77c90e61".parse().unwrap())
    }

    fn write(&self, text: &str) {
        let file = self.file();
        fs::create_dir_all(file.path().parent().unwrap()).unwrap();
        fs::write(file.path(), text).unwrap();
    }

    fn set(&self, key: &str, value: &str) -> Result<(), MetadataError> {
        let lock = self.0.path().join("locks/l");
        let change = Change {
            lock: &lock,
            patience: Duration::from_mins(1),
        };
        self.file().change(change, |document| {
            let mut document = document.unwrap_or_else(|| Document::new(self.file().id()));
            document.set(key, &Literal::text(value));
            Ok((Some(document), ()))
        })
    }

    fn text(&self) -> String {
        fs::read_to_string(self.file().path()).unwrap()
    }
}

#[test]
fn a_missing_file_is_made_with_its_folders_and_is_private() {
    let project = Project::new();
    assert_eq!(project.file().read().unwrap(), None);
    project.set("branch_name", "b").unwrap();
    assert_eq!(
        project.text(),
        "{\n  \"adw_id\": \"77c90e61\",\n  \"branch_name\": \"b\"\n}\n"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = || {
            fs::metadata(project.file().path())
                .unwrap()
                .permissions()
                .mode()
                & 0o777
        };
        assert_eq!(mode(), 0o600);
        fs::set_permissions(project.file().path(), fs::Permissions::from_mode(0o664)).unwrap();
        project.set("branch_name", "c").unwrap();
        assert_eq!(mode(), 0o664);
    }
}

#[test]
fn a_file_that_does_not_parse_stays_byte_for_byte() {
    let project = Project::new();
    project.write("{\"a\": 1,");
    let error = project.set("b", "x").unwrap_err();
    assert!(matches!(error, MetadataError::Unparsable { .. }), "{error}");
    assert!(
        error.to_string().contains("adw_state.json:1:8: "),
        "{error}"
    );
    assert_eq!(project.text(), "{\"a\": 1,");
}

#[test]
fn a_file_too_large_is_not_read() {
    let project = Project::new();
    project.write("");
    let file = fs::File::options()
        .write(true)
        .open(project.file().path())
        .unwrap();
    file.set_len(LARGEST + 1).unwrap();
    assert!(matches!(
        project.file().read(),
        Err(MetadataError::Io { .. })
    ));
}

#[cfg(unix)]
#[test]
fn no_symlink_on_the_way_is_followed() {
    for (link, to) in [
        ("agents", "elsewhere"),
        ("agents/77c90e61", "elsewhere/77c90e61"),
        (
            "agents/77c90e61/adw_state.json",
            "elsewhere/77c90e61/adw_state.json",
        ),
    ] {
        let project = Project::new();
        let root = project.0.path();
        fs::create_dir_all(root.join("elsewhere/77c90e61")).unwrap();
        let victim = root.join("elsewhere/77c90e61/adw_state.json");
        fs::write(&victim, "{}").unwrap();
        fs::create_dir_all(root.join(link).parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(root.join(to), root.join(link)).unwrap();
        let read = project.file().read();
        assert!(matches!(read, Err(MetadataError::Symlink { .. })), "{link}");
        let written = project.set("a", "x");
        assert!(
            matches!(written, Err(MetadataError::Symlink { .. })),
            "{link}"
        );
        assert_eq!(fs::read(&victim).unwrap(), b"{}");
    }
}

#[test]
fn what_is_saved_without_the_lock_in_between_is_kept() {
    let project = Project::new();
    project.write("{\"adw_id\": \"77c90e61\"}");
    let lock = project.0.path().join("locks/l");
    let change = Change {
        lock: &lock,
        patience: Duration::from_mins(1),
    };
    let mut asked = 0;
    let done: Result<(), MetadataError> = project.file().change(change, |document| {
        asked += 1;
        if asked == 1 {
            project.write("{\"adw_id\": \"77c90e61\", \"theirs\": 1}");
        }
        let mut document = document.unwrap();
        document.set("ours", &Literal::of("2"));
        Ok((Some(document), ()))
    });
    done.unwrap();
    assert_eq!(asked, 2);
    assert_eq!(
        project.text(),
        "{\"adw_id\": \"77c90e61\", \"theirs\": 1, \"ours\": 2}"
    );
}

#[test]
fn threads_that_change_at_once_lose_nothing() {
    let project = Project::new();
    thread::scope(|scope| {
        for n in 0..16 {
            let project = &project;
            scope.spawn(move || project.set(&format!("k{n}"), "v").unwrap());
        }
    });
    let document = project.file().read().unwrap().unwrap();
    assert_eq!(document.keys().count(), 17);
    assert_eq!(
        fs::read_dir(project.0.path().join("agents/77c90e61"))
            .unwrap()
            .count(),
        1
    );
}

#[test]
fn folders_with_a_file_are_listed_and_others_are_not() {
    let project = Project::new();
    assert_eq!(listed(project.0.path()).unwrap(), Listed::default());
    for name in ["b", "a", "not an id"] {
        let folder = project.0.path().join("agents").join(name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("adw_state.json"), "{}").unwrap();
    }
    fs::create_dir(project.0.path().join("agents/empty")).unwrap();
    fs::write(project.0.path().join("agents/port_allocations.json"), "{}").unwrap();
    let listed = listed(project.0.path()).unwrap();
    let ids: Vec<&str> = listed.ids.iter().map(AdwId::as_str).collect();
    assert_eq!(ids, ["a", "b"]);
    assert_eq!(listed.strange, ["not an id"]);
}

#[test]
fn a_plan_is_found_in_the_project_or_in_the_worktree() {
    let project = Project::new();
    let root = project.0.path();
    fs::create_dir_all(root.join("trees/t/specs")).unwrap();
    fs::write(root.join("trees/t/specs/p.md"), "plan").unwrap();
    for plan in ["trees/t/specs/p.md", "specs/p.md"] {
        let state = State {
            worktree_path: Some("trees/t".to_owned()),
            plan_file: Some(plan.to_owned()),
            ..State::default()
        };
        let found = Found {
            worktree: true,
            plan_bytes: Some(4),
        };
        assert_eq!(project.file().look(&state), found, "{plan}");
    }
    assert_eq!(project.file().look(&State::default()), Found::default());
}
