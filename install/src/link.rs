//! Links to the commands in a directory on PATH.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::artifacts::LINK_PREFIX;
use crate::dirs;
use crate::error::{Error, IoResultExt, Result};
use crate::manifest::Link;
use crate::stage;

/// What became of a link.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum LinkOutcome {
    /// It is new or has a new target; with the directories that were created for it.
    Created(Vec<PathBuf>),
    /// It was already right.
    Unchanged,
}

/// Creates a link. Refuses to replace anything that trueup did not create.
pub(crate) fn write_link(link: &Link, known: &[Link]) -> Result<LinkOutcome> {
    if let Ok(meta) = fs::symlink_metadata(&link.at) {
        match fs::read_link(&link.at) {
            Ok(to) if to == link.to => return Ok(LinkOutcome::Unchanged),
            Ok(to) if is_own_link(&link.at, &to, known) => {}
            Ok(to) => {
                return Err(foreign_refusal(link, &format!("is a link to {}", to.display())));
            }
            Err(_) if meta.is_dir() => return Err(foreign_refusal(link, "is a directory")),
            Err(_) => return Err(foreign_refusal(link, "is a file")),
        }
    }
    let dir = link.at.parent().unwrap_or(Path::new("/"));
    let new_dirs = dirs::create_dirs(dir)?;
    let temporary = tempfile::Builder::new()
        .prefix(LINK_PREFIX)
        .make_in(dir, |path| symlink(&link.to, path))
        .with_action("create a link in", dir)?;
    temporary
        .into_temp_path()
        .persist(&link.at)
        .map_err(|error| error.error)
        .with_action("create the link", &link.at)?;
    Ok(LinkOutcome::Created(new_dirs))
}

/// Removes a link if it still has the recorded target.
pub(crate) fn remove_link(link: &Link) -> Result<bool> {
    if fs::read_link(&link.at).is_ok_and(|to| to == link.to) {
        dirs::remove_all(&link.at)
    } else {
        Ok(false)
    }
}

/// Returns whether trueup created a link: it is recorded, or its target is in a staged plugin.
fn is_own_link(at: &Path, to: &Path, known: &[Link]) -> bool {
    let is_recorded = known.iter().any(|link| link.at == at && link.to == to);
    is_recorded || to.parent().and_then(Path::parent).is_some_and(stage::is_trueup_plugin)
}

fn foreign_refusal(link: &Link, what: &str) -> Error {
    Error::Refused {
        path: link.at.clone(),
        why: format!("{what} that trueup did not create; kept"),
        hint: format!("move it away and run this again, or use {} directly", link.to.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_link_is_replaced_or_removed() {
        let scratch = tempfile::tempdir().unwrap();
        let link = |to: &str| Link { at: scratch.path().join("b/trueup"), to: to.into() };
        assert!(
            matches!(write_link(&link("/one"), &[]), Ok(LinkOutcome::Created(new)) if new.len() == 1)
        );
        assert_eq!(write_link(&link("/one"), &[]).unwrap(), LinkOutcome::Unchanged);
        write_link(&link("/two"), &[]).unwrap_err();
        assert_eq!(
            write_link(&link("/two"), &[link("/one")]).unwrap(),
            LinkOutcome::Created(Vec::new())
        );
        assert!(!remove_link(&link("/one")).unwrap());
        assert!(remove_link(&link("/two")).unwrap());
        fs::write(&link("/x").at, "mine").unwrap();
        write_link(&link("/two"), &[link("/two")]).unwrap_err();
        assert!(!remove_link(&link("/two")).unwrap());
    }
}
