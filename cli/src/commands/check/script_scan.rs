//! `trueup check --sources`: scripts that use fields which the database owns.

use std::path::Path;

use crate::command_error::{CommandError, CommandResult, FileCase, REFUSED};
use crate::output::Output;
use serde_json::{Value as Json, json};
use trueup_core::diagnostic::{AdviceKind, Code, Divergence, FileLine};
use trueup_core::metadata::script_search::{Access, FieldUse, find_field_uses};
use trueup_core::metadata::{ScriptFile, list_files_below};
use trueup_core::text::{one_line, path_to_text, pluralize};

/// Longest line of a script shown, in characters.
const MAX_LINE_CHARS: usize = 160;

/// Finds scripts that read or write fields of a metadata file that the database owns.
pub(super) fn check_scripts(root: &Path) -> CommandResult {
    let tree = list_files_below(root).map_err(|error| {
        CommandError::new(FileCase::File, format!("{}: {error}", root.display()))
    })?;
    let (mut divergences, mut rows, mut files) = (Vec::new(), Vec::new(), 0);
    let mut warnings = tree.unreadable;
    for path in &tree.files {
        let file = path_to_text(path);
        let script = match ScriptFile::read_script(path) {
            Ok(Some(script)) => script,
            Ok(None) => continue,
            Err(error) => {
                warnings.push(format!("{file}: {error}; skipped"));
                continue;
            }
        };
        files += 1;
        for hit in find_field_uses(script.language, &script.text) {
            divergences.push(build_divergence(root, &file, &hit));
            rows.push(hit_view(&file, &hit));
        }
    }
    let mut text: Vec<String> = divergences.iter().map(|d| d.message.clone()).collect();
    text.push(format!(
        "{}, {}",
        pluralize(files, "script", "scripts"),
        pluralize(rows.len(), "finding", "findings")
    ));
    let data = json!({"repos": [], "files": files, "sources": rows});
    Ok(Output {
        exit_code: if divergences.is_empty() { 0 } else { REFUSED },
        divergences,
        warnings,
        ..Output::new(text, data)
    })
}

const fn access_verb(access: Access) -> &'static str {
    match access {
        Access::Reads => "reads",
        Access::Writes => "writes",
    }
}

fn build_divergence(root: &Path, file: &str, hit: &FieldUse) -> Divergence {
    let place = format!("{file}:{}:{}", hit.line, hit.column);
    let line = one_line(&hit.text, MAX_LINE_CHARS);
    let message = format!(
        "{place}: {} {} in a metadata file, which the database owns; use `{}`\n    {line}",
        access_verb(hit.access),
        hit.field,
        hit.command()
    );
    let fix = AdviceKind::EditScript {
        place: FileLine::new(file, u64::try_from(hit.line).unwrap_or(0)),
        root: root.to_owned(),
    };
    Divergence::new(Code::MetadataHasDatabaseField, place, message, fix)
        .with_values(Some(hit.command().to_owned()), Some(line))
}

fn hit_view(file: &str, hit: &FieldUse) -> Json {
    json!({
        "file": file, "line": hit.line, "column": hit.column, "field": hit.field,
        "access": access_verb(hit.access), "text": hit.text, "use": hit.command(),
    })
}
