//! Which database was last seen at which address.
//!
//! A hook that cannot reach its database knows only the address. Its queued writes belong to the
//! database that was there, even if another one is found there later.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::bounds::DATABASE_NOTE;
use crate::fs::{
    FileReplacement, PRIVATE_MODE, create_private_dir, move_obstacle_aside, read_text,
};
use crate::model::Lineage;

/// The directory with one note per address.
#[derive(Debug, Clone)]
pub struct KnownDatabases {
    dir: PathBuf,
}

impl KnownDatabases {
    /// Uses a directory, which need not exist.
    pub const fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// Returns the lineage of the database that was last seen at an address.
    pub fn last_known_at(&self, address: &str) -> Option<Lineage> {
        read_note(&self.dir.join(address)).map(|(lineage, _)| lineage)
    }

    /// Records the database at an address, unless it is already recorded.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn record(&self, address: &str, lineage: &Lineage, name: &str) -> io::Result<()> {
        if self.last_known_at(address).as_ref() == Some(lineage) {
            return Ok(());
        }
        create_private_dir(&self.dir)?;
        let path = self.dir.join(address);
        move_obstacle_aside(&path)?;
        let name = name.replace(char::is_control, "?");
        let content = format!("{lineage}\n{name}\n");
        let replacement = FileReplacement {
            path: &path,
            content: content.as_bytes(),
            mode: PRIVATE_MODE,
            durable: true,
            exists: path.exists(),
        };
        replacement.apply(&|_| true).map(|_| ())
    }

    /// Returns the addresses at which a database was last seen.
    pub fn list_addresses(&self, lineage: &Lineage) -> Vec<String> {
        let Ok(entries) = fs::read_dir(&self.dir) else {
            return Vec::new();
        };
        let leads_there = |address: &String| self.last_known_at(address).as_ref() == Some(lineage);
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        names.filter(leads_there).collect()
    }

    /// Returns the name under which a database was last in use.
    pub fn find_name(&self, lineage: &Lineage) -> Option<String> {
        let entries = fs::read_dir(&self.dir).ok()?;
        let mut named = entries.flatten().filter_map(|entry| read_note(&entry.path()));
        named.find_map(|(found, name)| (found == *lineage).then_some(name))
    }
}

fn read_note(path: &Path) -> Option<(Lineage, String)> {
    let text = read_text(path, DATABASE_NOTE.most, false).ok()?;
    let (lineage, name) = text.split_once('\n')?;
    // A crash can leave half a line, which names nothing.
    let name = name.strip_suffix('\n')?;
    Some((Lineage(lineage.to_owned()), name.to_owned()))
}
