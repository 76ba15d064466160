//! Links to the commands where a shell finds them.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::dirs;
use crate::error::{Error, Named, Result};
use crate::manifest::Link;
use crate::stage;

/// What became of a link.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Linked {
    /// It is new, or points to a new place; with the directories that were made for it.
    New(Vec<PathBuf>),
    /// It was right already.
    Same,
}

/// Makes a link, and refuses to replace anything that is not ours.
pub(crate) fn put(link: &Link, known: &[Link]) -> Result<Linked> {
    if let Ok(meta) = fs::symlink_metadata(&link.at) {
        match fs::read_link(&link.at) {
            Ok(to) if to == link.to => return Ok(Linked::Same),
            Ok(to) if is_ours(&link.at, &to, known) => {}
            Ok(to) => return Err(foreign(link, &format!("is a link to {}", to.display()))),
            Err(_) if meta.is_dir() => return Err(foreign(link, "is a directory")),
            Err(_) => return Err(foreign(link, "is a file")),
        }
    }
    let dir = link.at.parent().unwrap_or(Path::new("/"));
    let new = dirs::make(dir)?;
    let temporary = tempfile::Builder::new()
        .prefix(".trueup-link-")
        .make_in(dir, |path| symlink(&link.to, path))
        .named("create a link in", dir)?;
    temporary
        .into_temp_path()
        .persist(&link.at)
        .map_err(|error| error.error)
        .named("create the link", &link.at)?;
    Ok(Linked::New(new))
}

/// Removes a link if it is still the one that was made.
pub(crate) fn take_away(link: &Link) -> Result<bool> {
    if fs::read_link(&link.at).is_ok_and(|to| to == link.to) {
        dirs::remove_all(&link.at)
    } else {
        Ok(false)
    }
}

/// A link is ours when the record says so or when it leads into a staged plugin of ours.
fn is_ours(at: &Path, to: &Path, known: &[Link]) -> bool {
    let recorded = known.iter().any(|link| link.at == at && link.to == to);
    recorded
        || to
            .parent()
            .and_then(Path::parent)
            .is_some_and(stage::is_ours)
}

fn foreign(link: &Link, what: &str) -> Error {
    Error::Refused {
        path: link.at.clone(),
        why: format!("{what} that trueup did not create; kept"),
        hint: format!(
            "move it away and run this again, or use {} directly",
            link.to.display()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_link_is_replaced_or_removed() {
        let scratch = tempfile::tempdir().unwrap();
        let link = |to: &str| Link {
            at: scratch.path().join("b/trueup"),
            to: to.into(),
        };
        assert!(matches!(put(&link("/one"), &[]), Ok(Linked::New(new)) if new.len() == 1));
        assert_eq!(put(&link("/one"), &[]).unwrap(), Linked::Same);
        put(&link("/two"), &[]).unwrap_err();
        assert_eq!(
            put(&link("/two"), &[link("/one")]).unwrap(),
            Linked::New(Vec::new())
        );
        assert!(!take_away(&link("/one")).unwrap());
        assert!(take_away(&link("/two")).unwrap());
        fs::write(&link("/x").at, "mine").unwrap();
        put(&link("/two"), &[link("/two")]).unwrap_err();
        assert!(!take_away(&link("/two")).unwrap());
    }
}
