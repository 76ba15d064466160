//! The names of drafts, and the removal of those that killed writers left.
//!
//! A process number alone names no writer: two containers, or two machines, may write one
//! directory under the same number. So a draft says where its writer runs, too, and is removed
//! only where that one is known to be gone: in this place, or in an earlier boot of it.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::host_place::{HostPlace, host_place};

/// Most entries of a directory that a sweep looks through.
pub(crate) const MAX_SWEPT_ENTRIES: u64 = 4_096;

/// Longest name of a file that stands in the name of its draft, in bytes: longer ones would make
/// names that no file system takes.
const MAX_NAME_BYTES: usize = 180;

/// What stands between the name of a file and that of its writer.
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
            let HostPlace {
                machine,
                boot,
                namespace,
            } = host_place();
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

/// Names a draft of a file that no other writer names, wherever it runs.
pub(super) fn temp_path_for(path: &Path) -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let mut name = temp_prefix(path.file_name().unwrap_or_default());
    match WriterPlace::current() {
        Some(WriterPlace { place, boot }) => {
            let pid = std::process::id();
            name.push(format!("{place}-{boot}-{pid}-{number}"));
        }
        // Nobody will know whose it is, so nobody may have drawn the same.
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

/// Removes drafts that killed writers left beside a file; those of running processes stay, and so
/// do those of which nobody here can know.
pub(crate) fn sweep_temp_files(path: &Path) {
    let (Some(folder), Some(name), Some(here)) =
        (path.parent(), path.file_name(), WriterPlace::current())
    else {
        return;
    };
    let prefix = temp_prefix(name);
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for (entry, _) in entries.flatten().zip(0..MAX_SWEPT_ENTRIES) {
        let draft = entry.file_name();
        let writer = draft.as_encoded_bytes();
        let writer = writer.strip_prefix(prefix.as_encoded_bytes());
        let writer = writer.and_then(|writer| std::str::from_utf8(writer).ok());
        let runs = |pid: u32| Path::new(&format!("/proc/{pid}")).exists();
        if writer.is_some_and(|writer| is_writer_gone(writer, here, runs)) {
            // Gone already is as good.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Tells whether the writer of a draft is known to be gone.
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
        let here = WriterPlace {
            place: "aa".to_owned(),
            boot: "bb".to_owned(),
        };
        for (writer, expected) in [
            ("aa-bb-1-0", false),
            ("aa-bb-2-0", true),
            // The machine was started anew since.
            ("aa-cc-1-0", true),
            // Another namespace or machine: its numbers mean nothing here.
            ("dd-bb-2-0", false),
            ("dd-cc-2-0", false),
            // What is no name of a draft, or one without a place.
            ("2", false),
            ("aa-bb-2", false),
            ("aa-bb-x-0", false),
            ("aa-bb-2-x", false),
            ("aa-bb-2-0-0", false),
            ("", false),
        ] {
            assert_eq!(
                is_writer_gone(writer, &here, |pid| pid == 1),
                expected,
                "{writer}"
            );
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
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.json");
        let live = temp_path_for(&path);
        let name = live.file_name().unwrap().to_str().unwrap();
        let dead = name.replace(&format!("-{}-", std::process::id()), "-4194399-");
        let dead = folder.path().join(dead);
        let elsewhere = folder.path().join("c.json.tmp-00000000-00000000-4194399-0");
        for path in [&live, &dead, &elsewhere] {
            fs::write(path, "x").unwrap();
        }
        sweep_temp_files(&path);
        assert!(!dead.exists() && live.exists() && elsewhere.exists());
    }
}
