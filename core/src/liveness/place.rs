//! Where this process runs: the machine, the boot and the namespace that its numbers mean
//! something in.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use super::stat::LARGEST;
use crate::files::read_text;
use crate::model::ProcessPlace;

/// Where systems keep the name that was drawn for a machine at its installation.
const MACHINE_IDS: [&str; 2] = ["/etc/machine-id", "/var/lib/dbus/machine-id"];

/// What such a file says before the first boot has drawn a name.
const NOT_DRAWN: &str = "uninitialized";

/// Most bytes that a name of a machine or a boot has.
const LONGEST: u64 = 128;

/// Returns where this process runs. It is read once: no process moves.
pub(super) fn here() -> &'static ProcessPlace {
    static HERE: OnceLock<ProcessPlace> = OnceLock::new();
    HERE.get_or_init(|| {
        let boot = line(Path::new("/proc/sys/kernel/random/boot_id"));
        ProcessPlace {
            machine: machine(boot.as_deref()),
            boot,
            namespace: namespace(),
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
pub fn place_tag() -> Option<&'static PlaceTag> {
    static TAG: OnceLock<Option<PlaceTag>> = OnceLock::new();
    TAG.get_or_init(|| {
        let ProcessPlace {
            machine,
            boot,
            namespace,
        } = here();
        let (machine, boot) = (machine.as_deref()?, boot.as_deref()?);
        Some(PlaceTag {
            place: tag(&format!("{machine} {}", namespace.as_deref()?)),
            boot: tag(boot),
        })
    })
    .as_ref()
}

fn tag(text: &str) -> String {
    use sha2::{Digest as _, Sha256};
    crate::hex::hex(&Sha256::digest(text)[..4])
}

/// Names the parts of this place that cannot be read, so that no process can be asked.
pub fn missing_parts() -> Vec<&'static str> {
    let place = here();
    let parts = [
        ("machine id", &place.machine),
        ("boot id", &place.boot),
        ("pid namespace", &place.namespace),
    ];
    let missing = parts.into_iter().filter(|(_, part)| part.is_none());
    missing.map(|(name, _)| name).collect()
}

/// Reads the machine's name. An image of a container has none, where the kernel's own, drawn
/// at each boot, is as good: two machines never draw the same.
fn machine(boot: Option<&str>) -> Option<String> {
    let drawn = |path| line(Path::new(path)).filter(|id| id != NOT_DRAWN);
    let id = MACHINE_IDS.into_iter().find_map(drawn);
    id.or_else(|| boot.map(|boot| format!("boot {boot}")))
}

/// Reads a short line that is not empty.
fn line(path: &Path) -> Option<String> {
    let text = read_text(path, LONGEST, true).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Reads the namespace of process numbers, and that of the clock that their starts are
/// counted by. There is none where `/proc` shows the numbers of another: then a look at it
/// would be a look at somebody else's processes.
fn namespace() -> Option<String> {
    let pid = link("/proc/self/ns/pid")?;
    let status = read_text(Path::new("/proc/self/status"), LARGEST, true).ok()?;
    if !shows_own_numbers(&status) {
        return None;
    }
    // Kernels before 5.6 have one clock for all.
    let time = link("/proc/self/ns/time").unwrap_or_default();
    Some(format!("{pid} {time}").trim_end().to_owned())
}

fn link(path: &str) -> Option<String> {
    fs::read_link(path).ok()?.to_str().map(str::to_owned)
}

/// Tells whether a `/proc` whose `self/status` this is shows the numbers that the process
/// itself knows: it lists one for each namespace from its own down to the process's.
fn shows_own_numbers(status: &str) -> bool {
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
            assert_eq!(shows_own_numbers(status), own, "{status:?}");
        }
    }

    #[test]
    fn a_line_is_short_and_says_something() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("id");
        for (text, expected) in [("  abc\n", Some("abc")), ("", None), (" \n", None)] {
            fs::write(&path, text).unwrap();
            assert_eq!(line(&path).as_deref(), expected, "{text:?}");
        }
        fs::write(&path, "x".repeat(100_000)).unwrap();
        assert_eq!(line(&path), None, "no name is as long");
        assert_eq!(line(&folder.path().join("absent")), None);
    }
}
