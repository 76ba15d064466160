//! What can be told of an installation whose record is lost: what is trueup's by its name and by where
//! it leads.

use std::env;
use std::fs;
use std::path::PathBuf;

use crate::artifacts;
use crate::documents;
use crate::error::Result;
use crate::layout::Layout;
use crate::manifest::{Link, Manifest};
use crate::report::{Report, RowState};
use crate::user_files;
use crate::verify;

/// Puts together what the record would say. Pages and completions are trueup's if the program writes
/// the same ones.
pub(crate) fn assume_manifest(layout: &Layout) -> Manifest {
    let documents = verify::find_trueup(&layout.stage)
        .zip(layout.documents.as_ref())
        .map(|(program, places)| documents::find_written(&program, places))
        .unwrap_or_default();
    Manifest {
        stage: layout.stage.clone(),
        links: find_links(layout),
        registered: !user_files::list_naming(layout).is_empty(),
        documents,
        ..Manifest::default()
    }
}

/// Finds the links to the staged commands: in the directory for them, and on PATH.
fn find_links(layout: &Layout) -> Vec<Link> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut dirs: Vec<PathBuf> = layout.link_dir.iter().cloned().collect();
    dirs.extend(env::split_paths(&path).filter(|dir| dir.is_absolute()));
    let mut links: Vec<Link> = Vec::new();
    for dir in dirs {
        for name in artifacts::COMMAND_BINARIES {
            let link = Link { at: dir.join(name), to: layout.binary_path(name) };
            let is_ours = fs::read_link(&link.at).is_ok_and(|to| to == link.to);
            if is_ours && !links.contains(&link) {
                links.push(link);
            }
        }
    }
    links
}

/// Names what has the name of a page or of completions of trueup, and is not known to be trueup's.
pub(crate) fn report_doubtful(layout: &Layout, report: &mut Report) {
    let Some(places) = &layout.documents else { return };
    let doubtful = documents::list_by_name(places);
    let Some(first) = doubtful.first() else { return };
    let more = match doubtful.len() - 1 {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let detail = format!(
        "{}{more} kept: there is no record, and this trueup writes other ones",
        layout.shorten(first)
    );
    let hint = "look at them; remove those that are trueup's";
    report.add_row_with_hint("manual", RowState::Skipped, detail, hint);
}

/// Says which files of the client still name the plugin. Returns whether none does.
pub(crate) fn report_still_named(layout: &Layout, report: &mut Report) -> bool {
    let naming = user_files::list_naming(layout);
    for path in &naming {
        let detail = format!("{} still names the plugin", layout.shorten(path));
        let hint = format!(
            "claude plugin uninstall {}\nclaude plugin marketplace remove {}",
            artifacts::PLUGIN_ID,
            artifacts::PLUGIN_NAME
        );
        report.add_row_with_hint("Claude Code", RowState::Missing, detail, hint);
    }
    naming.is_empty()
}

/// Deals with a record that could not be read: a purge removes it, else it is kept aside.
pub(crate) fn put_record_away(layout: &Layout, report: &mut Report) -> Result<()> {
    if let Some(aside) = Manifest::set_broken_aside(&layout.manifest)? {
        let detail = format!("could not be read; it is now {}", layout.shorten(&aside));
        report.add_row("record", RowState::Skipped, detail);
    }
    Ok(())
}
