//! The one canonical name of a path.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Most links that are followed, as in Linux.
const MAX_LINKS: usize = 40;

/// Longest path that is resolved, in bytes; no system opens a longer one.
const MAX_PATH_BYTES: usize = 4_096;

/// A path without links, `.` and `..`. Locks, logs and marks are named after resolved paths only:
/// two spellings of one file would otherwise become two locks.
///
/// A second name by a hard link or a bind mount stays a second name; see
/// `docs/adr/0024-names-are-made-from-resolved-paths.md`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ResolvedPath(PathBuf);

impl ResolvedPath {
    /// Resolves a path. What does not exist yet gets its future name: a dangling link that of its
    /// target, a new file its resolved directory and own name.
    pub fn resolve(path: &Path) -> Self {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Self(resolve_links(&path, MAX_LINKS))
    }

    /// Wraps a path that the database engine has already resolved.
    pub(crate) const fn from_resolved(path: PathBuf) -> Self {
        Self(path)
    }

    /// Returns the resolved path.
    pub fn as_path(&self) -> &Path {
        &self.0
    }

    /// Returns the path with `ending` appended to its file name.
    pub fn with_suffix(&self, ending: &str) -> PathBuf {
        let mut name = self.0.clone().into_os_string();
        name.push(ending);
        name.into()
    }

    /// Returns the directory that contains it.
    pub fn parent_dir(&self) -> &Path {
        self.0.parent().unwrap_or_else(|| Path::new("/"))
    }
}

fn resolve_links(path: &Path, links: usize) -> PathBuf {
    if path.as_os_str().len() > MAX_PATH_BYTES {
        return path.to_owned();
    }
    match path.canonicalize() {
        Ok(real) => return real,
        // Only paths that do not exist yet are assembled here. Other errors, such as a name that is
        // too long, surface when the file is opened.
        Err(error) if error.kind() != ErrorKind::NotFound => return path.to_owned(),
        Err(_) => {}
    }
    let Some(parent) = path.parent() else {
        return path.to_owned();
    };
    let dir = resolve_links(parent, links);
    let Some(name) = path.file_name() else {
        // The path ends in `..`.
        return dir.parent().unwrap_or(&dir).to_owned();
    };
    let place = dir.join(name);
    match fs::read_link(&place) {
        Ok(target) if links > 0 => resolve_links(&dir.join(target), links - 1),
        _ => place,
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn every_name_of_a_place_is_one_name() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let at = |name: &str| root.join(name);
        fs::create_dir_all(at("real/deep")).unwrap();
        fs::write(at("real/file"), "").unwrap();
        for (target, link) in [
            ("real/file", "to-file"),
            ("real", "to-folder"),
            ("to-file", "to-link"),
            ("real/later", "dangling"),
            ("dangling", "to-dangling"),
            ("new/later", "into-nowhere"),
            ("real/deep", "deep"),
        ] {
            symlink(target, at(link)).unwrap();
        }
        symlink(at("real/absolute"), at("absolute")).unwrap();
        for (name, real) in [
            ("real/file", "real/file"),
            ("to-file", "real/file"),
            ("to-link", "real/file"),
            ("to-folder/file", "real/file"),
            ("./real/../to-folder/./file", "real/file"),
            // The kernel goes to the parent of the target, not of the link.
            ("deep/../file", "real/file"),
            ("real/later", "real/later"),
            ("dangling", "real/later"),
            ("to-dangling", "real/later"),
            ("to-folder/later", "real/later"),
            ("deep/../later", "real/later"),
            ("absolute", "real/absolute"),
            ("into-nowhere", "new/later"),
            ("new/more/later", "new/more/later"),
            ("new/../later", "later"),
            ("new/..", ""),
        ] {
            let expected = at(real).components().collect::<PathBuf>();
            assert_eq!(ResolvedPath::resolve(&at(name)).0, expected, "{name}");
        }
    }

    #[test]
    fn what_leads_nowhere_ends() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        symlink("b", at("a")).unwrap();
        symlink("a", at("b")).unwrap();
        // Each round makes the path longer.
        symlink("grows/x", at("grows")).unwrap();
        let long = format!("/{}", "x/".repeat(100_000));
        for path in [at("a"), at("grows"), PathBuf::from(long), PathBuf::from("/")] {
            assert!(ResolvedPath::resolve(&path).0.is_absolute());
        }
        assert!(ResolvedPath::resolve(Path::new("relative")).0.is_absolute());
    }
}
