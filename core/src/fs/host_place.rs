//! Where this process runs: the machine, the boot and the pid namespace in which its pids are
//! valid.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use super::read_text;

/// Where systems keep the name that was drawn for a machine at its installation.
const MACHINE_IDS: [&str; 2] = ["/etc/machine-id", "/var/lib/dbus/machine-id"];

/// What such a file says before the first boot has drawn a name.
const UNINITIALIZED_ID: &str = "uninitialized";

/// Most bytes that a name of a machine or a boot has.
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
        HostPlace {
            machine: read_machine_id(boot.as_deref()),
            boot,
            namespace: read_namespace(),
        }
    })
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
