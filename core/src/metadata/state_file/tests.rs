//! Locked changes of a metadata file, and concurrent ones.

use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::metadata::JsonLiteral;

struct Project(TempDir);

impl Project {
    fn create() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn state_file(&self) -> MetadataFile {
        MetadataFile::new(self.0.path(), &"77c90e61".parse().unwrap())
    }

    fn write_file(&self, text: &str) {
        let file = self.state_file();
        fs::create_dir_all(file.path().parent().unwrap()).unwrap();
        fs::write(file.path(), text).unwrap();
    }

    fn set_field(&self, key: &str, value: &str) -> Result<(), MetadataError> {
        let lock = self.0.path().join("locks/l");
        let change = LockedChange { lock: &lock, patience: Duration::from_mins(1) };
        self.state_file().update(change, |document| {
            let mut document =
                document.unwrap_or_else(|| JsonDocument::new(self.state_file().id()));
            document.set_field(key, &JsonLiteral::from_plain_text(value));
            Ok((Some(document), ()))
        })
    }

    fn read_text(&self) -> String {
        fs::read_to_string(self.state_file().path()).unwrap()
    }
}

#[test]
fn a_missing_file_is_made_with_its_directories_and_is_private() {
    let project = Project::create();
    assert_eq!(project.state_file().read().unwrap(), None);
    project.set_field("branch_name", "b").unwrap();
    assert_eq!(
        project.read_text(),
        "{\n  \"adw_id\": \"77c90e61\",\n  \"branch_name\": \"b\"\n}\n"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode =
            || fs::metadata(project.state_file().path()).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(), 0o600);
        fs::set_permissions(project.state_file().path(), fs::Permissions::from_mode(0o664))
            .unwrap();
        project.set_field("branch_name", "c").unwrap();
        assert_eq!(mode(), 0o664);
    }
}

#[test]
fn a_file_that_does_not_parse_stays_byte_for_byte() {
    let project = Project::create();
    project.write_file("{\"a\": 1,");
    let error = project.set_field("b", "x").unwrap_err();
    assert!(matches!(error, MetadataError::Unparsable { .. }), "{error}");
    assert!(error.to_string().contains("adw_state.json:1:8: "), "{error}");
    assert_eq!(project.read_text(), "{\"a\": 1,");
}

#[test]
fn a_file_too_large_is_not_read() {
    let project = Project::create();
    project.write_file("");
    let file = fs::File::options().write(true).open(project.state_file().path()).unwrap();
    file.set_len(MAX_METADATA_BYTES + 1).unwrap();
    assert!(matches!(project.state_file().read(), Err(MetadataError::Io { .. })));
}

#[cfg(unix)]
#[test]
fn no_symlink_on_the_way_is_followed() {
    for (link, to) in [
        ("agents", "elsewhere"),
        ("agents/77c90e61", "elsewhere/77c90e61"),
        ("agents/77c90e61/adw_state.json", "elsewhere/77c90e61/adw_state.json"),
    ] {
        let project = Project::create();
        let root = project.0.path();
        fs::create_dir_all(root.join("elsewhere/77c90e61")).unwrap();
        let victim = root.join("elsewhere/77c90e61/adw_state.json");
        fs::write(&victim, "{}").unwrap();
        fs::create_dir_all(root.join(link).parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(root.join(to), root.join(link)).unwrap();
        let read = project.state_file().read();
        assert!(matches!(read, Err(MetadataError::Symlink { .. })), "{link}");
        let written = project.set_field("a", "x");
        assert!(matches!(written, Err(MetadataError::Symlink { .. })), "{link}");
        assert_eq!(fs::read(&victim).unwrap(), b"{}");
    }
}

#[test]
fn an_edit_saved_without_the_lock_is_kept() {
    let project = Project::create();
    project.write_file("{\"adw_id\": \"77c90e61\"}");
    let lock = project.0.path().join("locks/l");
    let change = LockedChange { lock: &lock, patience: Duration::from_mins(1) };
    let mut asked = 0;
    let done: Result<(), MetadataError> = project.state_file().update(change, |document| {
        asked += 1;
        if asked == 1 {
            project.write_file("{\"adw_id\": \"77c90e61\", \"theirs\": 1}");
        }
        let mut document = document.unwrap();
        document.set_field("ours", &JsonLiteral::from_json_or_text("2"));
        Ok((Some(document), ()))
    });
    done.unwrap();
    assert_eq!(asked, 2);
    assert_eq!(project.read_text(), "{\"adw_id\": \"77c90e61\", \"theirs\": 1, \"ours\": 2}");
}

#[test]
fn concurrent_changes_lose_nothing() {
    let project = Project::create();
    thread::scope(|scope| {
        for n in 0..16 {
            let project = &project;
            scope.spawn(move || project.set_field(&format!("k{n}"), "v").unwrap());
        }
    });
    let document = project.state_file().read().unwrap().unwrap();
    assert_eq!(document.keys().count(), 17);
    assert_eq!(fs::read_dir(project.0.path().join("agents/77c90e61")).unwrap().count(), 1);
}

#[test]
fn directories_with_a_file_are_listed_and_others_are_not() {
    let project = Project::create();
    assert_eq!(list_metadata_files(project.0.path()).unwrap(), MetadataListing::default());
    for name in ["b", "a", "not an id"] {
        let dir = project.0.path().join("agents").join(name);
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("adw_state.json"), "{}").unwrap();
    }
    fs::create_dir(project.0.path().join("agents/empty")).unwrap();
    fs::write(project.0.path().join("agents/port_allocations.json"), "{}").unwrap();
    let listed = list_metadata_files(project.0.path()).unwrap();
    let ids: Vec<&str> = listed.ids.iter().map(AdwId::as_str).collect();
    assert_eq!(ids, ["a", "b"]);
    assert_eq!(listed.invalid_names, ["not an id"]);
}

#[test]
fn a_plan_is_found_in_the_project_or_in_the_worktree() {
    let project = Project::create();
    let root = project.0.path();
    fs::create_dir_all(root.join("trees/t/specs")).unwrap();
    fs::write(root.join("trees/t/specs/p.md"), "plan").unwrap();
    for plan in ["trees/t/specs/p.md", "specs/p.md"] {
        let state = AdwState {
            worktree_path: Some("trees/t".to_owned()),
            plan_file: Some(plan.to_owned()),
            ..AdwState::default()
        };
        let found = PathsOnDisk { has_worktree: true, plan_bytes: Some(4) };
        assert_eq!(project.state_file().check_paths(&state), found, "{plan}");
    }
    assert_eq!(project.state_file().check_paths(&AdwState::default()), PathsOnDisk::default());
}
