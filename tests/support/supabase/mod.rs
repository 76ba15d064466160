//! Supabase's gateway by HTTPS, in front of a database of the tests.
//!
//! It is the npm package `@supabase/lite`, in the versions of `package-lock.json`, kept in
//! `~/.cache/trueup-supabase-tests`. Where node or the package cannot be had the tests say that
//! they are skipped, unless `TRUEUP_REQUIRE_POSTGRES=1`.

#![expect(clippy::unwrap_used, reason = "a server that cannot be started fails its test")]

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::PathBuf;
use std::sync::OnceLock;

use crate::certificates::Authority;
use crate::npm::{cache_directory, install_packages};
use crate::postgres::{TestDatabase, skip_or_fail};
use crate::tied_process::{TiedProcess, free_port};
use crate::tls::start_terminator;

const PACKAGE: &str = include_str!("package.json");
const LOCK: &str = include_str!("package-lock.json");

/// What the tokens below are signed with.
pub const JWT_SECRET: &str = "the-tests-of-trueup-sign-their-tokens-with-this";

/// The key that every page of a project may contain: the role `anon`.
const PUBLISHABLE_KEY: &str = "sb_publishable_of_the_tests";

/// A token for the role `trueup_client`, which ends in the year 2096.
const TOKEN: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.\
     eyJyb2xlIjoidHJ1ZXVwX2NsaWVudCIsImV4cCI6NDAwMDAwMDAwMH0.\
     86xG7DkZzSQOoaP5CHJh0AJj07ytS5NmrD1U3pdOkr8";

/// The same for the role `trueup_hub`.
const HUB_TOKEN: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.\
     eyJyb2xlIjoidHJ1ZXVwX2h1YiIsImV4cCI6NDAwMDAwMDAwMH0.\
     4hRigcxVek6ypSrkiCz1RUr0fFjMsQeIWqb84T7iMGI";

/// A running gateway.
#[derive(Debug)]
pub struct SupabaseServer {
    /// `https://`, with the authority to trust.
    pub url: String,
    /// What goes into `TRUEUP_API_KEY`.
    pub key: &'static str,
    /// What goes into `TRUEUP_API_TOKEN`.
    pub token: &'static str,
    /// The same for a hub.
    pub hub_token: &'static str,
    _process: TiedProcess,
    _authority: Authority,
}

impl SupabaseServer {
    /// Starts a gateway to a database; `None`, said aloud, where it cannot be had.
    pub fn start(database: &TestDatabase) -> Option<Self> {
        static PROGRAM: OnceLock<Result<PathBuf, String>> = OnceLock::new();
        let program = match PROGRAM.get_or_init(install) {
            Ok(program) => program,
            Err(problem) => {
                skip_or_fail(problem);
                return None;
            }
        };
        let directory = tempfile::Builder::new().prefix("trueup-supabase-").tempdir().unwrap();
        let directory = directory.keep();
        let (port, address) = (free_port(), database.url_of("authenticator:test"));
        let settings = format!(
            "[api]\nport = {port}\n\
             [db]\ndriver = \"postgres\"\nurl = \"{address}\"\n\
             [auth]\nenabled = false\njwt_secret = \"{JWT_SECRET}\"\n\
             publishable_key = \"{PUBLISHABLE_KEY}\"\n"
        );
        fs::create_dir(directory.join("supabase")).unwrap();
        fs::write(directory.join("supabase/config.toml"), settings).unwrap();
        let program = program.display().to_string();
        let line = ["env", "DO_NOT_TRACK=1", "node", &program, "start", "--no-admin"];
        let process = TiedProcess::start(directory, "TERM", &line);
        process.wait_for_port(port);
        let authority = Authority::new();
        let secure_port = start_terminator(&authority.sign("localhost"), port);
        let root = authority.file().display().to_string();
        let url = format!("https://localhost:{secure_port}/?sslrootcert={root}");
        let (key, token, hub_token) = (PUBLISHABLE_KEY, TOKEN, HUB_TOKEN);
        Some(Self { url, key, token, hub_token, _process: process, _authority: authority })
    }
}

/// Installs the package where it is not yet; returns its program.
fn install() -> Result<PathBuf, String> {
    let mut digest = DefaultHasher::new();
    LOCK.hash(&mut digest);
    let home = format!("{:016x}", digest.finish());
    let home = cache_directory("trueup-supabase-tests")?.join(home);
    let program = home.join("node_modules/@supabase/lite/dist/cli/index.js");
    if !program.is_file() {
        let files = [("package.json", PACKAGE), ("package-lock.json", LOCK)];
        install_packages(&home, &files, &["ci", "--ignore-scripts"])?;
    }
    program.is_file().then_some(program).ok_or_else(|| "npm left no @supabase/lite".to_owned())
}
