//! Notices of edits that were lost as a session ended. Nobody reads what a session's last hook
//! prints, so the next session in the same project shows them, once.

use std::fs;
use std::io::{self, ErrorKind, Write as _};

use trueup_core::bounds::PENDING_NOTICE;
use trueup_core::fs::{ensure_private_dir, open_to_append, read_bytes};
use trueup_core::hook::HookEvent;
use trueup_core::text::visible_line;

use crate::HookContext;

/// Longest saved line, in characters.
const MAX_LINE_CHARS: usize = 2_000;

/// Saves lines for the next session start if the event is a session's end. Returns a line about a
/// failure.
pub(crate) fn save_for_next_start(context: &HookContext, lines: &[String]) -> Option<String> {
    if lines.is_empty() || !matches!(context.payload.event, HookEvent::SessionEnd(_)) {
        return None;
    }
    append_lines(context, lines).err().map(|error| {
        format!(
            "trueup: the rejected edit cannot be recorded for the next session: \
                              {error}"
        )
    })
}

fn append_lines(context: &HookContext, lines: &[String]) -> io::Result<()> {
    let path = context.run.settings.paths.pending_notice(&context.run.project.dir);
    if let Some(parent) = path.parent() {
        ensure_private_dir(parent)?;
    }
    let lines: Vec<String> = lines.iter().map(|it| visible_line(it, MAX_LINE_CHARS)).collect();
    let text = lines.join("\n") + "\n";
    let mut file = open_to_append(&path)?;
    let size = file.metadata()?.len();
    if size.saturating_add(text.len() as u64) > PENDING_NOTICE.most {
        // The lost edits are in the journal all the same.
        return Ok(());
    }
    file.write_all(text.as_bytes())
}

/// Takes the saved lines. Of two sessions that start at once, one gets them.
pub(crate) fn take_saved(context: &HookContext) -> Vec<String> {
    let path = context.run.settings.paths.pending_notice(&context.run.project.dir);
    let bytes = match read_bytes(&path, PENDING_NOTICE.most, false) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Vec::new(),
        // An unreadable file is removed, or it would block later lines.
        other => other.unwrap_or_default(),
    };
    if fs::remove_file(&path).is_err() {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(&bytes);
    text.lines().map(str::to_owned).collect()
}
