//! Finds the client's process where the client does not name it.

use std::path::Path;

use super::proc_stat;
use crate::bounds::{ANCESTORS, COMMAND_LINE};
use crate::fs::read_bytes;
use crate::hook::{CLIENTS, Client};

/// An ancestor of this process.
struct Ancestor {
    pid: u32,
    parent: u32,
    client: Option<&'static Client>,
}

/// Walks up from this process to that of a client; `None` if there is none or it cannot be seen. Not
/// every client names its process to its hooks.
pub fn find_nearest_client() -> Option<(u32, &'static Client)> {
    #[cfg(unix)]
    let parent = std::os::unix::process::parent_id();
    #[cfg(not(unix))]
    let parent = 0;
    walk_to_client(parent, read_ancestor)
}

/// Returns whether the client runs under a pid.
pub(super) fn is_client_running(pid: u32) -> bool {
    read_ancestor(pid).is_some_and(|process| process.client.is_some())
}

fn read_ancestor(pid: u32) -> Option<Ancestor> {
    let text = proc_stat::read_stat(pid).ok()?;
    let name = proc_stat::find_process_name(&text)?;
    Some(Ancestor {
        pid,
        parent: proc_stat::parse_stat(&text)?.parent,
        client: identify_client(name, || read_command_line(pid)),
    })
}

fn read_command_line(pid: u32) -> Vec<u8> {
    let path = format!("/proc/{pid}/cmdline");
    read_bytes(Path::new(&path), COMMAND_LINE.most, true).unwrap_or_default()
}

/// Identifies the client that a process is: by its name, or because an interpreter runs the client's
/// script. Only the command lines of interpreters are read.
fn identify_client(name: &[u8], command_line: impl FnOnce() -> Vec<u8>) -> Option<&'static Client> {
    let is_one_of = |names: &[&str], name: &[u8]| names.iter().any(|it| it.as_bytes() == name);
    match name {
        b"node" | b"bun" => {
            let line = command_line();
            let script = line.split(|byte| *byte == 0).nth(1).unwrap_or_default();
            let runs = |client: &&Client| {
                script.split(|byte| *byte == b'/').any(|part| is_one_of(client.script_names, part))
            };
            CLIENTS.into_iter().find(runs)
        }
        _ => CLIENTS.into_iter().find(|client| is_one_of(client.process_names, name)),
    }
}

/// Finds the nearest ancestor that is a client.
fn walk_to_client(
    first: u32,
    read: impl Fn(u32) -> Option<Ancestor>,
) -> Option<(u32, &'static Client)> {
    let mut pid = first;
    for _ in 0..ANCESTORS.len() {
        if pid == 0 {
            return None;
        }
        let ancestor = read(pid)?;
        if let Some(client) = ancestor.client {
            return Some((ancestor.pid, client));
        }
        pid = ancestor.parent;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(names: &[&str]) -> Option<u32> {
        // The first parent is 100; each next is its parent.
        let read = |pid: u32| {
            let name = names.get(usize::try_from(pid).unwrap() - 100)?;
            let client = identify_client(name.as_bytes(), Vec::new);
            Some(Ancestor { pid, parent: pid + 1, client })
        };
        walk_to_client(100, read).map(|(pid, _)| pid)
    }

    #[test]
    fn the_nearest_process_of_the_client_is_found() {
        for (names, found) in [
            (vec!["claude", "bash", "init"], Some(100)),
            (vec!["sh", "claude", "bash"], Some(101)),
            (vec!["sh", "node", "claude", "bash"], Some(102)),
            (vec!["sh", "claude", "sh", "claude"], Some(101)),
            (vec!["sh", "node", "bash"], None),
            (vec!["sh", "codex", "node", "sh", "claude"], Some(101)),
            (vec!["claude-like", "codex-like", "nodejs"], None),
            (vec![], None),
        ] {
            assert_eq!(chain(&names), found, "{names:?}");
        }
    }

    #[test]
    fn an_interpreter_is_the_client_when_it_runs_its_script() {
        for (line, client) in [
            ("node\0/usr/lib/node_modules/@anthropic-ai/claude-code/cli.js\0-p", true),
            ("node\0/home/u/.local/bin/claude\0", true),
            ("node\0server.js\0claude", false),
            ("node\0/home/claudette/server.js", false),
            ("node", false),
            ("", false),
        ] {
            for (name, known) in [("node", true), ("bun", true), ("python3", false)] {
                let found = identify_client(name.as_bytes(), || line.as_bytes().to_vec());
                assert_eq!(found.is_some(), client && known, "{name} {line:?}");
            }
        }
    }

    #[test]
    fn the_way_up_ends() {
        let deep: Vec<&str> =
            std::iter::repeat_n("sh", ANCESTORS.len()).chain(["claude"]).collect();
        assert_eq!(chain(&deep), None);
        // A cycle, as a table that changes while it is read may contain.
        let circle = |pid: u32| Some(Ancestor { pid, parent: pid, client: None });
        assert_eq!(walk_to_client(100, circle).map(|(pid, _)| pid), None);
    }
}
