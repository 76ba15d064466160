//! Which process listens on a port, as far as this user may know. On a system without `/proc` the
//! answer is only that some process does.

use std::fs;
use std::path::Path;

use crate::fs::read_text;
use crate::text::one_line;

/// Largest table of the kernel that is read, in bytes.
const MAX_TABLE_BYTES: u64 = 16 * 1024 * 1024;

/// Longest process name shown, in characters.
const MAX_NAME_CHARS: usize = 40;

/// The state of a listening socket in `/proc/net/tcp`.
const LISTEN_STATE: &str = "0A";

/// Describes which process listens on a port.
pub(super) fn describe_listener(port: u16) -> String {
    let sockets: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| read_text(Path::new(table), MAX_TABLE_BYTES, true).ok())
        .flat_map(|table| find_listening_sockets(&table, port))
        .collect();
    find_socket_owner(&sockets).map_or_else(
        || "in use by another process".to_owned(),
        |(pid, name)| format!("in use by process {pid} ({})", one_line(&name, MAX_NAME_CHARS)),
    )
}

/// Finds the sockets that listen on a port, by the links that their processes have.
fn find_listening_sockets(table: &str, port: u16) -> Vec<String> {
    let end = format!(":{port:04X}");
    table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut fields = line.split_ascii_whitespace();
            let local = fields.nth(1)?;
            let state = fields.nth(1)?;
            let inode = fields.nth(5)?;
            let listens = local.ends_with(&end) && state == LISTEN_STATE;
            listens.then(|| format!("socket:[{inode}]"))
        })
        .collect()
}

/// Finds the process that has one of the sockets open. Processes of other users cannot be examined.
fn find_socket_owner(sockets: &[String]) -> Option<(u32, String)> {
    if sockets.is_empty() {
        return None;
    }
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    for pid in numbers {
        let held = fs::read_dir(format!("/proc/{pid}/fd"));
        let holds = held.into_iter().flatten().flatten().any(|entry| {
            fs::read_link(entry.path())
                .is_ok_and(|link| sockets.iter().any(|socket| link.as_os_str() == &**socket))
        });
        if holds {
            let name = read_text(Path::new(&format!("/proc/{pid}/comm")), MAX_TABLE_BYTES, true);
            let name = name.unwrap_or_default();
            return Some((pid, name.trim().to_owned()));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listeners_of_the_port_are_found() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:238C 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 100 0 0 10 0
   1: 0100007F:238C 0100007F:9999 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1 0 100 0 0 10 0
   2: 00000000:238D 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4713 1 0 100 0 0 10 0
";
        assert_eq!(find_listening_sockets(table, 9100), ["socket:[4711]"]);
        assert_eq!(find_listening_sockets(table, 9101), ["socket:[4713]"]);
        assert_eq!(find_listening_sockets(table, 9102), Vec::<String>::new());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_is_named() {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let expected = format!("in use by process {} (", std::process::id());
        assert!(describe_listener(port).starts_with(&expected), "{}", describe_listener(port));
        drop(listener);
        assert_eq!(describe_listener(port), "in use by another process");
    }
}
