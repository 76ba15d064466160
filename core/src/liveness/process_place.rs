//! Where this process runs: the machine, the boot and the namespace that its numbers mean
//! something in.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use super::proc_stat::MAX_PROC_FILE_BYTES;
use crate::files::read_text;
use crate::model::ProcessPlace;

/// Where systems keep the name that was drawn for a machine at its installation.
const MACHINE_IDS: [&str; 2] = ["/etc/machine-id", "/var/lib/dbus/machine-id"];

/// What such a file says before the first boot has drawn a name.
const UNINITIALIZED_ID: &str = "uninitialized";

/// Most bytes that a name of a machine or a boot has.
const MAX_ID_BYTES: u64 = 128;

/// Returns where this process runs. It is read once: no process moves.
pub(super) fn current_place() -> &'static ProcessPlace {
    static HERE: OnceLock<ProcessPlace> = OnceLock::new();
    HERE.get_or_init(|| {
        let boot = read_trimmed_line(Path::new("/proc/sys/kernel/random/boot_id"));
        ProcessPlace {
            machine: read_machine_id(boot.as_deref()),
            boot,
            namespace: read_namespace(),
        }
    })
}

/// Where a process runs, in a few letters: the same for all processes of one machine, boot and
/// namespace, and for no others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceTag {
    /// The machine and the namespace.
    pub place: String,
    /// The boot.
    pub boot: String,
}

/// Returns the tag of this place; of one that cannot be told from others, none.
pub fn current_place_tag() -> Option<&'static PlaceTag> {
    static TAG: OnceLock<Option<PlaceTag>> = OnceLock::new();
    TAG.get_or_init(|| {
        let ProcessPlace {
            machine,
            boot,
            namespace,
        } = current_place();
        let (machine, boot) = (machine.as_deref()?, boot.as_deref()?);
        Some(PlaceTag {
            place: short_digest(&format!("{machine} {}", namespace.as_deref()?)),
            boot: short_digest(boot),
        })
    })
    .as_ref()
}

fn short_digest(text: &str) -> String {
    use sha2::{Digest as _, Sha256};
    crate::hex::hex(&Sha256::digest(text)[..4])
}

/// Names the parts of this place that cannot be read, so that no process can be asked.
pub fn unreadable_place_parts() -> Vec<&'static str> {
    let current = current_place();
    let parts = [
        ("machine id", &current.machine),
        ("boot id", &current.boot),
        ("pid namespace", &current.namespace),
    ];
    let missing = parts.into_iter().filter(|(_, part)| part.is_none());
    missing.map(|(name, _)| name).collect()
}

/// Reads the machine's name. An image of a container has none, where the kernel's own, drawn
/// at each boot, is as good: two machines never draw the same.
fn read_machine_id(boot: Option<&str>) -> Option<String> {
    let drawn = |path| read_trimmed_line(Path::new(path)).filter(|id| id != UNINITIALIZED_ID);
    let id = MACHINE_IDS.into_iter().find_map(drawn);
    id.or_else(|| boot.map(|boot| format!("boot {boot}")))
}

/// Reads a short line that is not empty.
fn read_trimmed_line(path: &Path) -> Option<String> {
    let text = read_text(path, MAX_ID_BYTES, true).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Reads the namespace of process numbers, and that of the clock that their starts are
/// counted by. There is none where `/proc` shows the numbers of another: then a look at it
/// would be a look at somebody else's processes.
fn read_namespace() -> Option<String> {
    let pid = read_link_text("/proc/self/ns/pid")?;
    let status = read_text(Path::new("/proc/self/status"), MAX_PROC_FILE_BYTES, true).ok()?;
    if !shows_own_pids(&status) {
        return None;
    }
    // Kernels before 5.6 have one clock for all.
    let time = read_link_text("/proc/self/ns/time").unwrap_or_default();
    Some(format!("{pid} {time}").trim_end().to_owned())
}

fn read_link_text(path: &str) -> Option<String> {
    fs::read_link(path).ok()?.to_str().map(str::to_owned)
}

/// Tells whether a `/proc` whose `self/status` this is shows the numbers that the process
/// itself knows: it lists one for each namespace from its own down to the process's.
fn shows_own_pids(status: &str) -> bool {
    let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    numbers.is_some_and(|numbers| numbers.split_ascii_whitespace().count() == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proc_of_another_namespace_is_recognised() {
        for (status, own) in [
            ("Name:\tx\nNSpid:\t77\nNSpgid:\t77\n", true),
            ("Name:\tx\nNSpid:\t4711\t77\nNSpgid:\t4711\t77\n", false),
            ("Name:\tx\nNSpid:\n", false),
            ("Name:\tx\n", false),
            ("", false),
        ] {
            assert_eq!(shows_own_pids(status), own, "{status:?}");
        }
    }

    #[test]
    fn a_line_is_short_and_says_something() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("id");
        for (text, expected) in [("  abc\n", Some("abc")), ("", None), (" \n", None)] {
            fs::write(&path, text).unwrap();
            assert_eq!(read_trimmed_line(&path).as_deref(), expected, "{text:?}");
        }
        fs::write(&path, "x".repeat(100_000)).unwrap();
        assert_eq!(read_trimmed_line(&path), None, "no name is as long");
        assert_eq!(read_trimmed_line(&folder.path().join("absent")), None);
    }
}
