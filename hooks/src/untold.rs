//! What was lost as a session ended: nobody reads what its last hook prints, so the next session
//! that starts in the same project is told, once.

use std::fs;
use std::io::{self, ErrorKind, Write as _};

use trueup_core::bounds::UNTOLD;
use trueup_core::files::{open_to_append, own_dir, read_bytes};
use trueup_core::hook::Event;
use trueup_core::text::visible_line;

use crate::Call;

/// Longest line that is kept, in characters.
const LONGEST: usize = 2_000;

/// Keeps lines for the next start, if this is the end of a session; returns why that failed.
pub(crate) fn keep(call: &Call, lines: &[String]) -> Option<String> {
    if lines.is_empty() || !matches!(call.payload.event, Event::SessionEnd(_)) {
        return None;
    }
    append(call, lines).err().map(|error| {
        format!(
            "trueup: the rejected edit cannot be recorded for the next session: \
                              {error}"
        )
    })
}

fn append(call: &Call, lines: &[String]) -> io::Result<()> {
    let path = call.site.settings.paths.untold(&call.site.project.dir);
    if let Some(folder) = path.parent() {
        own_dir(folder)?;
    }
    let lines: Vec<String> = lines.iter().map(|it| visible_line(it, LONGEST)).collect();
    let text = lines.join("\n") + "\n";
    let mut file = open_to_append(&path)?;
    let size = file.metadata()?.len();
    if size.saturating_add(text.len() as u64) > UNTOLD.most {
        // All of it is in the journal.
        return Ok(());
    }
    file.write_all(text.as_bytes())
}

/// Takes what was kept: of two sessions that start at once, one is told.
pub(crate) fn take(call: &Call) -> Vec<String> {
    let path = call.site.settings.paths.untold(&call.site.project.dir);
    let bytes = match read_bytes(&path, UNTOLD.most, false) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Vec::new(),
        // What cannot be read must not stand in the way of what is kept next.
        other => other.unwrap_or_default(),
    };
    if fs::remove_file(&path).is_err() {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(&bytes);
    text.lines().map(str::to_owned).collect()
}
