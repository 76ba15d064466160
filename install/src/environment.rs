//! The variables that decide where an installation lies. They are recorded, so that it is removed from
//! there in a shell that does not have them.

use std::env;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::args::Args;
use crate::artifacts;
use crate::layout::{OwnPlugin, make_absolute};
use crate::manifest::{Environment, Manifest};

/// The variable with the directory of data and settings.
const HOME_VARIABLE: &str = "TRUEUP_HOME";

/// Names of the variables.
const NAMES: [&str; 7] = [
    HOME_VARIABLE,
    "XDG_DATA_HOME",
    "XDG_CONFIG_HOME",
    "XDG_STATE_HOME",
    "XDG_CACHE_HOME",
    "CLAUDE_CONFIG_DIR",
    "CODEX_HOME",
];

/// Reads the variables. An empty one counts as unset, and so does one that no record can hold.
pub(crate) fn read_environment() -> Environment {
    let read = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let value = |name: &str| read(name).map(|value| (name.to_owned(), make_absolute(value)));
    NAMES.into_iter().filter_map(value).collect()
}

/// Starts this program again with the variables of the installation that it belongs to, where they
/// differ: everything that it runs shall look at the same places. Returns when there is no need.
pub(crate) fn continue_as_installed(args: &Args) {
    let now = read_environment();
    let Some(wanted) = find_recorded(args).map(|recorded| {
        // Who installs may choose other places; who removes means what is there.
        if args.uninstall { recorded } else { recorded.into_iter().chain(now.clone()).collect() }
    }) else {
        return;
    };
    if wanted == now {
        return;
    }
    let Ok(program) = env::current_exe() else { return };
    let mut command = Command::new(program);
    command.args(env::args_os().skip(1));
    for name in NAMES {
        command.env_remove(name);
    }
    // Only a failure returns, and then the places are looked for without the variables.
    let _ = command.envs(wanted).exec();
}

/// Finds the variables of the installation that this program is a part of, or that `--prefix` names.
fn find_recorded(args: &Args) -> Option<Environment> {
    let own = OwnPlugin::find_own();
    let record = match &args.prefix {
        Some(prefix) if args.uninstall => {
            Some(make_absolute(prefix).join(artifacts::PREFIX_MANIFEST_FILE))
        }
        Some(_) => None,
        None => own.find_record(),
    };
    let recorded = Manifest::read(&record?).ok().flatten().and_then(|it| it.environment);
    recorded.or_else(|| {
        // The place alone tells it where there is no record.
        let elsewhere = own.find_data().filter(|data| !OwnPlugin::is_default_data(data))?;
        let mut environment = read_environment();
        environment.entry(HOME_VARIABLE.to_owned()).or_insert(elsewhere);
        Some(environment)
    })
}
