//! Lists the descendants of a process.

use std::collections::BTreeMap;
use std::fs;

use super::proc_stat::{self, ProcStat};

/// A descendant as it was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Descendant {
    /// Its pid.
    pub pid: u32,
    /// Its start time, which tells it from a later process with the same pid.
    started: u64,
}

impl Descendant {
    /// Returns whether the same process still runs.
    pub fn is_still_running(&self) -> bool {
        read_proc_stat(self.pid).is_some_and(|stat| !stat.ended && stat.started == self.started)
    }
}

/// Lists the running processes below one, at any depth, as far as they can be seen.
pub fn list_descendants(ancestor: u32) -> Vec<Descendant> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let table = numbers.filter_map(|pid| Some((pid, read_proc_stat(pid)?))).collect();
    find_descendants(ancestor, &table)
}

fn read_proc_stat(pid: u32) -> Option<ProcStat> {
    proc_stat::parse_stat(&proc_stat::read_stat(pid).ok()?)
}

/// Finds the descendants in a table. Ended processes are skipped, and so are their children, which
/// have another parent by now.
fn find_descendants(ancestor: u32, table: &BTreeMap<u32, ProcStat>) -> Vec<Descendant> {
    let is_below = |pid: u32| {
        let mut at = pid;
        // A table that changes while it is read may contain a cycle.
        for _ in 0..table.len() {
            match table.get(&at) {
                Some(stat) if stat.parent == ancestor => return true,
                Some(stat) => at = stat.parent,
                None => return false,
            }
        }
        false
    };
    let lives = table.iter().filter(|(_, stat)| !stat.ended);
    lives
        .filter(|(pid, _)| is_below(**pid))
        .map(|(pid, stat)| Descendant { pid: *pid, started: stat.started })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_at_any_depth_are_below() {
        let row = |pid, parent, ended| {
            let stat = ProcStat { parent, started: 1, ended };
            (pid, stat)
        };
        let table = BTreeMap::from([
            row(1, 0, false),
            row(10, 1, false),
            row(11, 10, false),
            row(12, 11, false),
            row(13, 11, true),
            row(20, 1, false),
            // A cycle of reused pids.
            row(30, 31, false),
            row(31, 30, false),
        ]);
        let pids = |ancestor| -> Vec<u32> {
            find_descendants(ancestor, &table).iter().map(|r| r.pid).collect()
        };
        assert_eq!(pids(10), [11, 12]);
        assert_eq!(pids(1), [10, 11, 12, 20]);
        assert_eq!(pids(20), Vec::<u32>::new());
        assert_eq!(pids(77), Vec::<u32>::new());
    }
}
