//! `trueup check --sources`

use std::path::Path;

use serde_json::{Value as Json, json};
use trueup_core::metadata::sources::{Access, Hit, scan};
use trueup_core::metadata::{ScriptFile, list_files_below};
use trueup_core::reconcile::{Code, Divergence, FileLine, Way};
use trueup_core::text::path_to_text;
use trueup_core::text::{one_line, pluralize};

use crate::command_error::{CommandError, ErrorCase, REFUSED};
use crate::output::Output;

/// Longest line of a script shown, in characters.
const MAX_LINE_CHARS: usize = 160;

/// Looks for scripts that use a metadata file where the database is to be asked.
pub(super) fn check_scripts(root: &Path) -> Result<Output, CommandError> {
    let tree = list_files_below(root).map_err(|error| {
        CommandError::new(ErrorCase::File, format!("{}: {error}", root.display()))
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
        for hit in scan(script.language, &script.text) {
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

fn build_divergence(root: &Path, file: &str, hit: &Hit) -> Divergence {
    let place = format!("{file}:{}:{}", hit.line, hit.column);
    let line = one_line(&hit.text, MAX_LINE_CHARS);
    Divergence {
        code: Code::F01,
        severity: Code::F01.severity(),
        message: format!(
            "{place}: {} {} in a metadata file, which the database owns; use `{}`\n    {line}",
            access_verb(hit.access),
            hit.field,
            hit.command()
        ),
        subject: place,
        authority: "database",
        expected: Some(hit.command().to_owned()),
        found: Some(line),
        fix: Way::EditScript {
            place: FileLine::new(file, u64::try_from(hit.line).unwrap_or(0)),
            root: root.to_owned(),
        }
        .into(),
    }
}

fn hit_view(file: &str, hit: &Hit) -> Json {
    json!({
        "file": file, "line": hit.line, "column": hit.column, "field": hit.field,
        "access": access_verb(hit.access), "text": hit.text, "use": hit.command(),
    })
}
