//! Where this process runs: the machine, the boot and the pid namespace in which its pids are
//! valid.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use super::read_text;

/// Where systems keep the machine id that was drawn at installation.
const MACHINE_IDS: [&str; 2] = ["/etc/machine-id", "/var/lib/dbus/machine-id"];

/// The content of such a file before the first boot.
const UNINITIALIZED_ID: &str = "uninitialized";

/// Longest machine or boot id, in bytes.
const MAX_ID_BYTES: u64 = 128;

/// Largest `/proc/self/status` that is read, in bytes.
const MAX_STATUS_BYTES: u64 = 64 * 1024;

/// Where a process runs. A part is `None` if the system does not tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostPlace {
    /// The machine id.
    pub(crate) machine: Option<String>,
    /// The boot id.
    pub(crate) boot: Option<String>,
    /// The pid and time namespaces.
    pub(crate) namespace: Option<String>,
}

/// Returns where this process runs; read once, because a process does not move.
pub(crate) fn host_place() -> &'static HostPlace {
    static HERE: OnceLock<HostPlace> = OnceLock::new();
    HERE.get_or_init(|| {
        let boot = read_trimmed_line(Path::new("/proc/sys/kernel/random/boot_id"));
        HostPlace { machine: read_machine_id(boot.as_deref()), boot, namespace: read_namespace() }
    })
}

/// Reads the machine id. A container image has none; the kernel's boot id does as well, since two
/// machines never draw the same.
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

/// Reads the pid namespace, and the time namespace by which process starts are counted. `None` if
/// `/proc` shows the pids of another namespace, whose processes are not ours.
fn read_namespace() -> Option<String> {
    let pid = read_link_text("/proc/self/ns/pid")?;
    let status = read_text(Path::new("/proc/self/status"), MAX_STATUS_BYTES, true).ok()?;
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

/// Returns whether `/proc` shows the pids that this process itself sees. `self/status` lists one
/// pid per namespace, from that of `/proc` down to the process's own.
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
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("id");
        for (text, expected) in [("  abc\n", Some("abc")), ("", None), (" \n", None)] {
            fs::write(&path, text).unwrap();
            assert_eq!(read_trimmed_line(&path).as_deref(), expected, "{text:?}");
        }
        fs::write(&path, "x".repeat(100_000)).unwrap();
        assert_eq!(read_trimmed_line(&path), None, "no name is as long");
        assert_eq!(read_trimmed_line(&dir.path().join("absent")), None);
    }
}
