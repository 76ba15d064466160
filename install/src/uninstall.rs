//! Undoes an installation.

use std::fs;
use std::path::Path;

use crate::args::Args;
use crate::artifacts;
use crate::client::Client;
use crate::codex::{self, CodexOutcome};
use crate::dirs;
use crate::documents;
use crate::drafts;
use crate::error::{Error, IoResultExt, Result};
use crate::files;
use crate::layout::{Layout, find_on_path};
use crate::link;
use crate::manifest::Manifest;
use crate::origin::Origin;
use crate::report::{Report, RowState};
use crate::stage;
use crate::unrecorded;
use crate::user_files::{self, ClientSnapshot};
use crate::verify::{self, ForeignDatabase};

/// Uninstalls. The database stays unless `--purge` is given.
pub(crate) fn run_uninstall(args: &Args, layout: &Layout, report: &mut Report) -> Result<()> {
    let turn = files::lock_installation(&layout.home);
    let stored = Manifest::read(&layout.manifest)?;
    let has_record = stored.is_some();
    let mut manifest = stored.unwrap_or_else(|| unrecorded::assume_manifest(layout));
    if args.dry_run {
        describe_removal(args, layout, &manifest, report);
        return Ok(());
    }
    if args.purge {
        check_purge(layout, &manifest.origin)?;
        verify::check_nothing_waits(layout, &manifest.stage)?;
    }
    // Asked while the database and the program that knows it are still there.
    let foreign = args.purge.then(|| verify::find_foreign_database(layout, &manifest.stage));
    verify::run_leftovers(layout, &manifest, args.repositories, report)?;
    let is_clean = !manifest.registered || unregister_plugin(args, layout, &mut manifest, report)?;
    let is_clean = unregister_codex(layout, &manifest, report) && is_clean;
    let is_clean = (has_record || unrecorded::report_still_named(layout, report)) && is_clean;
    remove_links(layout, &manifest, report);
    let documents = documents::remove_documents(&manifest)?;
    if documents > 0 {
        report.add_row("manual", RowState::Done, format!("{documents} files removed"));
    }
    if !has_record {
        unrecorded::report_doubtful(layout, report);
        unrecorded::put_record_away(layout, report)?;
    }
    remove_stage(layout, &manifest, report)?;
    if turn.is_some() {
        drafts::remove_dead(layout, &manifest.stage, report)?;
    }
    if is_clean {
        dirs::remove_all(&layout.manifest)?;
    } else if has_record {
        let record_path = layout.shorten(&layout.manifest);
        let hint = "resolve the problems above and uninstall again";
        report.add_row_with_hint("record", RowState::Skipped, format!("{record_path} kept"), hint);
    }
    for dir in &layout.disposable_dirs {
        if dirs::remove_all(dir)? {
            report.add_row("data", RowState::Done, format!("{} removed", layout.shorten(dir)));
        }
    }
    if args.purge {
        purge_data(layout, is_clean, report)?;
        report_foreign_database(layout, foreign.flatten().as_ref(), report);
    }
    let mut created_dirs = manifest.created_dirs.clone();
    created_dirs.push(manifest.stage.clone());
    // A directory given with --prefix stays if the user created it, empty or not.
    created_dirs.retain(|dir| !layout.has_prefix || manifest.created_dirs.contains(dir));
    dirs::remove_empty(&created_dirs);
    if !args.purge && layout.data.is_dir() {
        let detail = format!("{} kept with the database", layout.shorten(&layout.data));
        report.add_row("data", RowState::Skipped, detail);
    }
    Ok(())
}

/// Prints what an uninstallation would do.
fn describe_removal(args: &Args, layout: &Layout, manifest: &Manifest, report: &Report) {
    report.print_text("Steps:");
    if manifest.registered {
        report.print_item("- remove the plugin and its marketplace from Claude Code");
    }
    for file in &manifest.user_files {
        report.print_item(&format!("- restore {}", layout.shorten(&file.path)));
    }
    if manifest.codex.is_some() {
        let file = codex::registered_file(layout, manifest);
        report.print_item(&format!("- remove the hooks from {}", layout.shorten(&file)));
    }
    if args.repositories {
        report.print_item("- remove what lies in repositories; `trueup leftovers` lists it");
    }
    for (dir, count) in documents::count_by_dir(manifest) {
        let files = if count == 1 { "file" } else { "files" };
        let shown = layout.shorten(dir);
        report.print_item(&format!("- remove {count} {files} of trueup in {shown}"));
    }
    for link in &manifest.links {
        report.print_item(&format!("- remove the link {}", layout.shorten(&link.at)));
    }
    for path in drafts::list_dead(layout, &manifest.stage) {
        report.print_item(&format!("- remove {}", layout.shorten(&path)));
    }
    report.print_item(&format!("- remove the plugin at {}", layout.shorten(&manifest.stage)));
    if args.purge {
        let shown = layout.shorten(&layout.data);
        report.print_item(&format!("- remove trueup's files in {shown}, with a database there"));
        if let Some(dir) = &layout.settings {
            report.print_item(&format!("- remove trueup's files in {}", layout.shorten(dir)));
        }
        match verify::find_foreign_database(layout, &manifest.stage) {
            None => {}
            Some(ForeignDatabase::File(path)) => {
                let shown = layout.shorten(&path);
                report.print_item(&format!("- keep the database {shown}: it lies elsewhere"));
            }
            Some(ForeignDatabase::Server(url)) => {
                report.print_item(&format!("- keep the database {url}"));
            }
        }
    }
    report.print_text("Nothing was changed.");
}

/// Removes the plugin from Claude Code and restores its files. Returns whether nothing is left to
/// do.
fn unregister_plugin(
    args: &Args,
    layout: &Layout,
    manifest: &mut Manifest,
    report: &mut Report,
) -> Result<bool> {
    user_files::record_interrupted(manifest, &ClientSnapshot::capture(layout)?);
    // Read before the client writes: afterwards its changes could not be told from the user's.
    let untouched = user_files::list_untouched(manifest)?;
    let mut is_clean = true;
    let program = find_on_path("claude").filter(|_| !args.no_claude);
    if program.is_some() {
        report.print_progress("removing the plugin from Claude Code");
    }
    match program {
        Some(program) => match Client::new(&program, layout).unregister_plugin(&manifest.stage) {
            Ok(done) if done.is_empty() => {
                report.add_row("Claude Code", RowState::Same, "no longer has the plugin");
            }
            Ok(done) => report.add_row("Claude Code", RowState::Done, done.join(", ")),
            Err(error) => {
                is_clean = false;
                report.add_failure("Claude Code", &error);
            }
        },
        None => {
            report.add_row(
                "Claude Code",
                RowState::Skipped,
                "not run; what the record has of its files is restored",
            );
        }
    }
    let restored = user_files::restore_files(manifest, &untouched)?;
    user_files::remove_leftovers(manifest, layout)?;
    for path in &restored.restored {
        let detail = format!("{} restored byte for byte", layout.shorten(path));
        report.add_row("restored", RowState::Done, detail);
    }
    for path in &restored.removed {
        let detail = format!("{} removed: it did not exist before", layout.shorten(path));
        report.add_row("restored", RowState::Done, detail);
    }
    for path in &restored.kept {
        let detail = format!("{} was changed since; the changes are kept", layout.shorten(path));
        report.add_row("kept", RowState::Skipped, detail);
    }
    for path in &restored.entangled {
        is_clean = false;
        report.add_row_with_hint(
            "restored",
            RowState::Missing,
            format!("{} was changed since and still contains the plugin", layout.shorten(path)),
            format!("claude plugin uninstall {}", artifacts::PLUGIN_ID),
        );
    }
    Ok(is_clean)
}

/// Takes the hooks out of Codex's file. Returns whether nothing is left to do.
fn unregister_codex(layout: &Layout, manifest: &Manifest, report: &mut Report) -> bool {
    let shown = layout.shorten(&codex::registered_file(layout, manifest));
    match codex::unregister_hooks(layout, manifest) {
        Ok(CodexOutcome::Unchanged) => {}
        Ok(CodexOutcome::Written) => {
            let detail = format!("hooks removed from {shown}; what others changed is kept");
            report.add_row("Codex", RowState::Done, detail);
        }
        Ok(CodexOutcome::Restored) => {
            report.add_row("Codex", RowState::Done, format!("{shown} is as it was before"));
        }
        Err(error) => {
            report.add_failure("Codex", &error);
            return false;
        }
    }
    true
}

fn remove_stage(layout: &Layout, manifest: &Manifest, report: &mut Report) -> Result<()> {
    let stage = layout.shorten(&manifest.stage);
    if stage::remove_plugin(&manifest.stage)? {
        report.add_row("plugin", RowState::Done, format!("{stage} removed"));
    } else {
        report.add_row("plugin", RowState::Same, format!("none at {stage}"));
    }
    Ok(())
}

fn remove_links(layout: &Layout, manifest: &Manifest, report: &mut Report) {
    for link in &manifest.links {
        match link::remove_link(link) {
            Ok(true) => {
                report.add_row(
                    "command",
                    RowState::Done,
                    format!("{} removed", layout.shorten(&link.at)),
                );
            }
            Ok(false) => {}
            Err(error) => report.add_failure("command", &error),
        }
    }
}

/// Removes trueup's files from the data directory and the directory of the settings. What a user keeps
/// there stays.
fn purge_data(layout: &Layout, is_clean: bool, report: &mut Report) -> Result<()> {
    for (subject, dir) in [("data", Some(&layout.data)), ("settings", layout.settings.as_ref())] {
        let Some(dir) = dir.filter(|dir| dir.is_dir()) else { continue };
        let mut kept = Vec::new();
        for entry in fs::read_dir(dir).with_action("read", dir)?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            // Without the record a second try could not restore the files of the user.
            let is_needed = !is_clean && name == artifacts::MANIFEST_FILE;
            if artifacts::is_data_name(&name) && !is_needed {
                dirs::remove_all(&entry.path())?;
            } else {
                kept.push(name);
            }
        }
        dirs::remove_empty(std::slice::from_ref(dir));
        let shown = layout.shorten(dir);
        if kept.is_empty() {
            report.add_row(subject, RowState::Done, format!("{shown} removed"));
        } else {
            let detail = format!("{shown} kept: it contains {}", kept.join(", "));
            report.add_row(subject, RowState::Skipped, detail);
        }
    }
    Ok(())
}

/// Names a database that lies elsewhere: the settings that name it are gone.
fn report_foreign_database(
    layout: &Layout,
    foreign: Option<&ForeignDatabase>,
    report: &mut Report,
) {
    match foreign {
        None => {}
        Some(ForeignDatabase::File(path)) => {
            let shown = layout.shorten(path);
            let detail = format!("{shown} kept: it is not in the data directory");
            let hint = format!("to remove it too: rm {shown} {shown}-* {shown}.*");
            report.add_row_with_hint("database", RowState::Skipped, detail, hint);
        }
        Some(ForeignDatabase::Server(url)) => {
            report.add_row("database", RowState::Skipped, format!("{url} kept"));
        }
    }
}

/// Refuses to remove a data directory that contains the home directory or a repository.
fn check_purge(layout: &Layout, origin: &Origin) -> Result<()> {
    let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let data = real(&layout.data);
    let holds_more = real(&layout.home).starts_with(&data)
        || matches!(origin, Origin::Source { dir } if real(dir).starts_with(&data))
        || data.join(".git").exists();
    if layout.has_prefix && layout.data.join(artifacts::MANIFEST_FILE).is_file() {
        return Err(Error::Refused {
            path: layout.data.clone(),
            why: "is used by another installation too, so --purge does not remove it".to_owned(),
            hint: "omit --purge, or uninstall the other one first".to_owned(),
        });
    }
    if holds_more {
        return Err(Error::Refused {
            path: layout.data.clone(),
            why: "contains more than trueup's data, so --purge does not remove it".to_owned(),
            hint: "omit --purge and delete the database manually".to_owned(),
        });
    }
    Ok(())
}
