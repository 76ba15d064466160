//! Playing a scenario.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use super::install::Browser;

/// One browser at a time: several on a small machine are slower than one after the other.
static TURN: Mutex<()> = Mutex::new(());

/// Plays a scenario; what it says when it fails is the message of the panic.
pub(super) fn play(browser: &Browser, name: &str, environment: &[(&str, &str)]) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("hub/browser");
    let output = Command::new("node")
        .arg(folder.join("scenario.mjs"))
        .arg(name)
        .env("TRUEUP_CHROMIUM", &browser.chromium)
        .env("TRUEUP_BROWSER_PACKAGES", &browser.packages)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "scenario {name}: {stdout}{stderr}");
    if !stdout.is_empty() {
        std::io::stdout().write_all(stdout.as_bytes()).unwrap();
    }
}
