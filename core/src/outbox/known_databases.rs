//! Which database was found at which address.
//!
//! A hook that cannot reach its database knows the address alone; what it must not lose belongs
//! to the database that was there, whatever is found there later.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::bounds::DATABASE_NOTE;
use crate::fs::{
    FileReplacement, PRIVATE_MODE, create_private_dir, move_obstacle_aside, read_text,
};
use crate::model::Lineage;

/// The folder with a file for each address.
#[derive(Debug, Clone)]
pub struct KnownDatabases {
    folder: PathBuf,
}

impl KnownDatabases {
    /// Takes a folder; it need not exist.
    pub const fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Returns the database found at an address the last time.
    pub fn last_known_at(&self, address: &str) -> Option<Lineage> {
        read_note(&self.folder.join(address)).map(|(lineage, _)| lineage)
    }

    /// Notes what was found at an address, unless that is known.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn record(&self, address: &str, lineage: &Lineage, name: &str) -> io::Result<()> {
        if self.last_known_at(address).as_ref() == Some(lineage) {
            return Ok(());
        }
        create_private_dir(&self.folder)?;
        let path = self.folder.join(address);
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

    /// Finds the name under which a database was last in use.
    pub fn find_name(&self, lineage: &Lineage) -> Option<String> {
        let entries = fs::read_dir(&self.folder).ok()?;
        let mut named = entries
            .flatten()
            .filter_map(|entry| read_note(&entry.path()));
        named.find_map(|(found, name)| (found == *lineage).then_some(name))
    }
}

fn read_note(path: &Path) -> Option<(Lineage, String)> {
    let text = read_text(path, DATABASE_NOTE.most, false).ok()?;
    let (lineage, name) = text.split_once('\n')?;
    // Half a line, as a crash leaves it, names nothing.
    let name = name.strip_suffix('\n')?;
    Some((Lineage(lineage.to_owned()), name.to_owned()))
}
