//! Which files are opened, and with which permissions.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;

use super::*;

const LIMIT: u64 = 1_024;

type Writer = fn(&Path) -> io::Result<()>;

/// Every function here that writes.
const WRITERS: [(&str, Writer); 4] = [
    ("open_to_append", |path| open_to_append(path)?.write_all(b"x")),
    ("open_to_update", |path| open_to_update(path)?.write_all(b"x")),
    ("write_own", |path| write_private(path, b"x").map(drop)),
    ("append_to_theirs", |path| append_to_foreign(path, b"x", 0o644)),
];

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn only_small_regular_files_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let (file, link) = (dir.path().join("f"), dir.path().join("l"));
    fs::write(&file, "text").unwrap();
    symlink(&file, &link).unwrap();
    assert_eq!(read_text(&file, 4, false).unwrap(), "text");
    assert_eq!(read_text(&link, 4, true).unwrap(), "text");
    assert!(read_text(&link, 4, false).is_err());
    assert!(read_text(&file, 3, false).is_err());
    assert!(read_text(Path::new("/dev/zero"), 9, true).is_err());
    let missing = read_text(&dir.path().join("none"), 9, true).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
}

/// What can be in place of a file: a pipe without a reader, one with a reader, a device, a link to
/// each of these, and a link to a file.
fn stand_ins(dir: &Path) -> Vec<PathBuf> {
    let named = |name: &str| dir.join(name);
    let fifo = named("fifo");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    fs::write(named("victim"), "theirs").unwrap();
    symlink(named("victim"), named("link")).unwrap();
    symlink(&fifo, named("to-fifo")).unwrap();
    symlink("/dev/zero", named("to-device")).unwrap();
    symlink(named("absent"), named("dangling")).unwrap();
    fs::create_dir(named("dir")).unwrap();
    ["fifo", "link", "to-fifo", "to-device", "dangling", "dir"].map(named).into()
}

#[test]
fn only_regular_files_are_written_and_none_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let places = stand_ins(dir.path());
    for (name, write) in WRITERS {
        for place in &places {
            assert!(write(place).is_err(), "{name} wrote {}", place.display());
        }
    }
    // A pipe that has a reader takes what is written.
    let reader = OpenOptions::new().read(true).write(true).open(&places[0]).unwrap();
    for (name, write) in WRITERS {
        assert!(write(&places[0]).is_err(), "{name}");
    }
    drop(reader);
    assert_eq!(fs::read(dir.path().join("victim")).unwrap(), b"theirs");
    assert!(!dir.path().join("absent").exists());
    for place in places {
        let read = read_bytes(&place, LIMIT, false);
        assert!(read.is_err(), "{}", place.display());
    }
}

#[test]
fn a_file_of_our_own_is_closed_to_others_also_when_it_was_open() {
    let dir = tempfile::tempdir().unwrap();
    for (name, write) in WRITERS {
        let path = dir.path().join(name);
        write(&path).unwrap();
        let is_theirs = name == "append_to_theirs";
        assert_eq!(mode(&path), if is_theirs { 0o644 } else { PRIVATE_MODE }, "{name}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        write(&path).unwrap();
        assert_eq!(mode(&path), if is_theirs { 0o666 } else { PRIVATE_MODE }, "{name}");
    }
}

#[test]
fn a_directory_of_our_own_is_closed_and_one_that_was_there_is_left_to_its_owner() {
    let dir = tempfile::tempdir().unwrap();
    let (ours, theirs) = (dir.path().join("a/b"), dir.path().join("c"));
    create_private_dir(&ours).unwrap();
    assert_eq!((mode(&ours), mode(ours.parent().unwrap())), (0o700, 0o700));
    fs::create_dir(&theirs).unwrap();
    fs::set_permissions(&theirs, fs::Permissions::from_mode(0o755)).unwrap();
    create_private_dir(&theirs).unwrap();
    assert_eq!(mode(&theirs), 0o755);
    ensure_private_dir(&theirs).unwrap();
    assert_eq!(mode(&theirs), 0o700);
    let link = dir.path().join("link");
    symlink(&ours, &link).unwrap();
    ensure_private_dir(&link).unwrap();
    write_private(&link.join("new/file"), b"x").unwrap();
    assert_eq!(fs::read(ours.join("new/file")).unwrap(), b"x");
}

#[test]
fn a_longer_file_is_replaced_completely() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    write_private(&path, b"longer").unwrap();
    write_private(&path, b"x").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"x");
}
