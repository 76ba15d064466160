//! Where `trueup` is, which speaks to servers for the hooks.

use std::ffi::OsStr;
use std::path::PathBuf;

use trueup_core::settings::Environment;

/// The name of the program.
pub(crate) const PROGRAM: &str = "trueup";

/// Finds `trueup` beside the running program, as the plugin has it, else on the search path.
pub(crate) fn find_program(environment: &Environment) -> Option<PathBuf> {
    let beside = std::env::current_exe().ok().map(|program| program.with_file_name(PROGRAM));
    let search_path = environment.os_value("PATH").unwrap_or(OsStr::new(""));
    // A relative directory would let the repository choose the program.
    let on_path = std::env::split_paths(search_path).filter(|dir| dir.is_absolute());
    let candidates = beside.into_iter().chain(on_path.map(|dir| dir.join(PROGRAM)));
    candidates.into_iter().find(|program| program.is_file())
}
