//! Names temporary files and removes those that killed writers left behind.
//!
//! A process id alone does not identify a writer: two containers or machines may write to one
//! directory with the same pid. So the name also says where its writer runs, and the file is
//! removed only if that writer is known to be gone: in this place, or in an earlier boot of it.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::host_place::{HostPlace, host_place};

/// Most entries of a directory that a sweep looks through.
pub(crate) const MAX_SWEPT_ENTRIES: u64 = 4_096;

/// Longest file name that is part of a temporary name, in bytes; a longer one is replaced by its
/// digest, since file systems limit names.
const MAX_NAME_BYTES: usize = 180;

/// Separates the name of the file from that of its writer.
const TEMP_MARK: &str = ".tmp-";

/// Where a writer runs, as short digests: equal for all processes of one machine, boot and pid
/// namespace, and only for those.
#[derive(Debug, Clone, PartialEq, Eq)]
struct WriterPlace {
    /// The machine and the namespace.
    place: String,
    boot: String,
}

impl WriterPlace {
    /// Returns the place of this process; `None` if it cannot be told from others.
    fn current() -> Option<&'static Self> {
        static CURRENT: OnceLock<Option<WriterPlace>> = OnceLock::new();
        let current = CURRENT.get_or_init(|| {
            let HostPlace { machine, boot, namespace } = host_place();
            let (machine, boot) = (machine.as_deref()?, boot.as_deref()?);
            Some(Self {
                place: short_digest(&format!("{machine} {}", namespace.as_deref()?)),
                boot: short_digest(boot),
            })
        });
        current.as_ref()
    }
}

fn short_digest(text: &str) -> String {
    use sha2::{Digest as _, Sha256};
    crate::text::to_hex(&Sha256::digest(text)[..4])
}

/// Returns a path beside `path` that no other writer uses, wherever it runs.
pub(super) fn temp_path_for(path: &Path) -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let mut name = temp_prefix(path.file_name().unwrap_or_default());
    match WriterPlace::current() {
        Some(WriterPlace { place, boot }) => {
            let pid = std::process::id();
            name.push(format!("{place}-{boot}-{pid}-{number}"));
        }
        // Without a place nobody can tell writers apart by pid, so draw a random name.
        None => name.push(uuid::Uuid::new_v4().simple().to_string()),
    }
    path.with_file_name(name)
}

fn temp_prefix(name: &OsStr) -> OsString {
    let mut prefix = if name.len() > MAX_NAME_BYTES {
        super::sha256_hex(name.as_encoded_bytes()).into()
    } else {
        name.to_owned()
    };
    prefix.push(TEMP_MARK);
    prefix
}

/// Removes temporary files that killed writers left beside a file. Those of running processes stay,
/// and so do those whose writer cannot be judged from here.
pub(crate) fn sweep_temp_files(path: &Path) {
    let (Some(dir), Some(name), Some(here)) =
        (path.parent(), path.file_name(), WriterPlace::current())
    else {
        return;
    };
    let prefix = temp_prefix(name);
    let Ok(entries) = fs::read_dir(dir) else {
        return;
    };
    for (entry, _) in entries.flatten().zip(0..MAX_SWEPT_ENTRIES) {
        let draft = entry.file_name();
        let writer = draft.as_encoded_bytes();
        let writer = writer.strip_prefix(prefix.as_encoded_bytes());
        let writer = writer.and_then(|writer| std::str::from_utf8(writer).ok());
        let runs = |pid: u32| Path::new(&format!("/proc/{pid}")).exists();
        if writer.is_some_and(|writer| is_writer_gone(writer, here, runs)) {
            // It may be gone already.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Returns whether the writer of a temporary file is known to be gone.
fn is_writer_gone(writer: &str, here: &WriterPlace, runs: impl Fn(u32) -> bool) -> bool {
    let parts: Vec<&str> = writer.split('-').collect();
    let [place, boot, pid, number] = parts.as_slice() else {
        return false;
    };
    let (Ok(pid), Ok(_)) = (pid.parse(), number.parse::<u64>()) else {
        return false;
    };
    *place == here.place && (*boot != here.boot || !runs(pid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_is_known_to_be_gone_leaves_litter() {
        let here = WriterPlace { place: "aa".to_owned(), boot: "bb".to_owned() };
        for (writer, expected) in [
            ("aa-bb-1-0", false),
            ("aa-bb-2-0", true),
            // The machine was restarted since.
            ("aa-cc-1-0", true),
            // Another namespace or machine, whose pids mean nothing here.
            ("dd-bb-2-0", false),
            ("dd-cc-2-0", false),
            // Not the name of a temporary file, or one without a place.
            ("2", false),
            ("aa-bb-2", false),
            ("aa-bb-x-0", false),
            ("aa-bb-2-x", false),
            ("aa-bb-2-0-0", false),
            ("", false),
        ] {
            assert_eq!(is_writer_gone(writer, &here, |pid| pid == 1), expected, "{writer}");
        }
    }

    #[test]
    fn no_two_drafts_have_one_name() {
        let path = Path::new("/d/file");
        let names: std::collections::BTreeSet<PathBuf> =
            (0..9).map(|_| temp_path_for(path)).collect();
        assert_eq!(names.len(), 9);
        let long = PathBuf::from(format!("/d/{}", "x".repeat(255)));
        let name = temp_path_for(&long);
        assert!(name.file_name().unwrap().len() < 255, "{name:?}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn drafts_of_the_dead_are_removed_and_of_the_living_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("c.json");
        let live = temp_path_for(&path);
        let name = live.file_name().unwrap().to_str().unwrap();
        let dead = name.replace(&format!("-{}-", std::process::id()), "-4194399-");
        let dead = dir.path().join(dead);
        let elsewhere = dir.path().join("c.json.tmp-00000000-00000000-4194399-0");
        for path in [&live, &dead, &elsewhere] {
            fs::write(path, "x").unwrap();
        }
        sweep_temp_files(&path);
        assert!(!dead.exists() && live.exists() && elsewhere.exists());
    }
}
