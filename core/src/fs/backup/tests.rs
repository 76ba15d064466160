//! Backups: their names, their number, and concurrent ones.

use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use super::*;

/// A directory with a file `f`.
struct Scratch(TempDir);

impl Scratch {
    fn new(text: &str) -> Self {
        let scratch = Self(tempfile::tempdir().unwrap());
        fs::create_dir(scratch.0.path().join("in")).unwrap();
        fs::write(scratch.file(), text).unwrap();
        scratch
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("in/f")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.file()).unwrap()
    }

    /// The other files in the directory with their content.
    fn others(&self) -> Vec<(String, String)> {
        let entries = fs::read_dir(self.0.path().join("in")).unwrap();
        let mut others: Vec<_> = entries
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.file_name() != "f")
            .map(|entry| {
                let name = entry.file_name().into_string().unwrap();
                (name, fs::read_to_string(entry.path()).unwrap())
            })
            .collect();
        others.sort();
        others
    }

    fn change(
        &self,
        mut decide: impl FnMut(&str) -> Option<String>,
    ) -> Result<((), Option<PathBuf>), ChangeError> {
        let lock = self.0.path().join("locks/l");
        let change = LockedChange { lock: &lock, patience: Duration::from_mins(1) };
        change_with_backup(&self.file(), 100, change, "20260202T030405006Z", |old| {
            let new = decide(std::str::from_utf8(old).unwrap());
            Ok((new.map(String::into_bytes), ()))
        })
    }
}

const NAME: &str = "f.bak-20260202T030405006Z";

#[test]
fn a_backup_of_the_old_text_is_kept_beside_the_file() {
    let scratch = Scratch::new("one");
    let ((), backup) = scratch.change(|_| Some("two".to_owned())).unwrap();
    assert_eq!(backup, Some(scratch.file().with_file_name(NAME)));
    assert_eq!(scratch.text(), "two");
    scratch.change(|_| Some("three".to_owned())).unwrap();
    let kept = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    assert_eq!(scratch.others(), [kept(NAME, "one"), kept(&format!("{NAME}-2"), "two")]);
}

#[test]
fn a_file_that_is_left_alone_has_no_backup() {
    for new in [None, Some("one".to_owned())] {
        let scratch = Scratch::new("one");
        let ((), backup) = scratch.change(|_| new.clone()).unwrap();
        assert_eq!((backup, scratch.others()), (None, vec![]));
    }
}

#[test]
fn an_edit_saved_meanwhile_is_backed_up_and_changed() {
    let scratch = Scratch::new("one");
    let mut asked = 0;
    let changed = scratch.change(|old| {
        asked += 1;
        if asked == 1 {
            fs::write(scratch.file(), "theirs").unwrap();
        }
        Some(format!("{old}!"))
    });
    changed.unwrap();
    assert_eq!(scratch.text(), "theirs!");
    assert_eq!(scratch.others(), [(NAME.to_owned(), "theirs".to_owned())]);
}

#[test]
fn a_file_that_keeps_changing_is_given_up() {
    let scratch = Scratch::new("0");
    let mut asked = 0;
    let changed = scratch.change(|_| {
        asked += 1;
        fs::write(scratch.file(), format!("{asked}")).unwrap();
        Some("ours".to_owned())
    });
    assert!(matches!(changed, Err(ChangeError::KeepsChanging { .. })));
    assert_eq!(scratch.text(), format!("{asked}"));
    assert_eq!(scratch.others(), []);
}

#[test]
fn an_unreadable_file_is_not_changed() {
    let scratch = Scratch::new(&"x".repeat(101));
    assert!(matches!(scratch.change(|_| Some("y".to_owned())), Err(ChangeError::Io { .. })));
    fs::remove_file(scratch.file()).unwrap();
    assert!(matches!(scratch.change(|_| Some("y".to_owned())), Err(ChangeError::Io { .. })));
    assert_eq!(scratch.others(), []);
}

#[test]
fn concurrent_changes_lose_nothing() {
    let scratch = Scratch::new("");
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| scratch.change(|old| Some(format!("{old}x"))).unwrap());
        }
    });
    assert_eq!(scratch.text(), "x".repeat(8));
    let kept = scratch.others();
    let mut kept: Vec<usize> = kept.iter().map(|(_, text)| text.len()).collect();
    kept.sort_unstable();
    assert_eq!(kept, (0..8).collect::<Vec<_>>(), "every state has its backup");
}

#[cfg(unix)]
#[test]
fn file_and_backup_have_the_mode_of_the_file() {
    use std::os::unix::fs::PermissionsExt as _;
    for mode in [0o600, 0o664] {
        let scratch = Scratch::new("one");
        let file = scratch.file();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        scratch.change(|_| Some("two".to_owned())).unwrap();
        for path in [&file, &file.with_file_name(NAME)] {
            let found = fs::metadata(path).unwrap().permissions().mode();
            assert_eq!(found & 0o777, mode, "{path:?}");
        }
    }
}
