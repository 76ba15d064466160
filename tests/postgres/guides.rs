//! The guides in `docs/` do what they say: their blocks of shell commands run as they stand, in
//! their order, with the names of the examples replaced by those of the tests.
//!
//! A block of `sh` runs on the first machine, one of `sh second-machine` on another. Each machine
//! has one shell for all its blocks, and a home of its own.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use regex_lite::Regex;
use support::client::find_binary;
use support::postgres::TestDatabase;
use support::supabase::{JWT_SECRET, SupabaseServer};
use tempfile::TempDir;

/// What a shell prints behind each block.
const END_OF_BLOCK: &str = "-- end of block --";

/// A block of commands, and whether the second machine runs it.
#[derive(Debug, PartialEq, Eq)]
struct Block {
    commands: String,
    is_for_second: bool,
}

fn read_guide(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    fs::read_to_string(root.join("docs").join(name)).unwrap()
}

fn find_blocks(guide: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = guide.lines();
    while let Some(line) = lines.next() {
        let is_for_second = match line {
            "```sh" => false,
            "```sh second-machine" => true,
            _ => continue,
        };
        let commands: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        blocks.push(Block { commands: commands.join("\n"), is_for_second });
    }
    blocks
}

/// A machine: a home, a project, and a shell.
struct Machine {
    /// Removed with the machine.
    home: TempDir,
    shell: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Machine {
    fn start(variables: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let project = home.path().join("project");
        fs::create_dir(&project).unwrap();
        assert!(Command::new("git").args(["init", "-q"]).arg(&project).status().unwrap().success());
        let binaries: PathBuf = find_binary("trueup").unwrap().parent().unwrap().to_owned();
        let path = format!("{}:{}", binaries.display(), std::env::var("PATH").unwrap());
        let mut shell = Command::new("sh")
            .arg("-eu")
            .env_clear()
            .env("PATH", path)
            .env("HOME", home.path())
            .envs(variables.iter().copied())
            .current_dir(&project)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = shell.stdin.take().unwrap();
        let output = BufReader::new(shell.stdout.take().unwrap());
        writeln!(input, "exec 2>&1").unwrap();
        Self { home, shell, input, output }
    }

    /// Runs a block; returns what it printed.
    fn run(&mut self, commands: &str) -> String {
        writeln!(self.input, "{commands}\necho '{END_OF_BLOCK}'").unwrap();
        let mut printed = String::new();
        loop {
            let mut line = String::new();
            let is_over = self.output.read_line(&mut line).unwrap() == 0;
            assert!(!is_over, "a command failed:\n{commands}\n{printed}");
            if line.trim_end() == END_OF_BLOCK {
                return printed;
            }
            printed.push_str(&line);
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        drop(self.shell.kill());
        drop(self.shell.wait());
    }
}

/// The names of the examples, and what stands for them.
struct Names {
    server: String,
    /// Begins with the name of the test's database, so that its users are removed with it.
    prefix: String,
}

impl Names {
    fn of(database: &TestDatabase) -> Self {
        let url = database.url();
        let (address, name) = url.split_once('@').unwrap().1.split_once('/').unwrap();
        let name = name.split('?').next().unwrap();
        Self { server: address.to_owned(), prefix: name.to_owned() }
    }

    fn replace(&self, text: &str) -> String {
        let prefix = &self.prefix;
        let (host, _) = self.server.split_once(':').unwrap();
        let text = text.replace("db.example.com:*", &format!("{host}:*"));
        let text = text.replace("db.example.com", &self.server);
        let names = Regex::new(r"\b(ann|ben|board)\b").unwrap();
        let text = names.replace_all(&text, format!("{prefix}_$1"));
        let database = Regex::new(r"(DATABASE |/|:)work\b").unwrap();
        database.replace_all(&text, format!("${{1}}{prefix}_work")).into_owned()
    }
}

/// Runs the blocks of a guide on two machines; returns what each of them printed last.
fn run_guide(
    name: &str,
    [first, second]: [&mut Machine; 2],
    replace: impl Fn(&str) -> String,
) -> [String; 2] {
    let mut last = [String::new(), String::new()];
    for block in find_blocks(&read_guide(name)) {
        let commands = replace(&block.commands);
        if block.is_for_second {
            last[1] = second.run(&commands);
        } else {
            last[0] = first.run(&commands);
        }
    }
    last
}

/// Removes the database that a guide creates.
struct GuideDatabase<'d>(&'d TestDatabase, String);

impl Drop for GuideDatabase<'_> {
    fn drop(&mut self) {
        drop(self.0.run(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.1)));
    }
}

#[test]
fn a_team_starts_as_the_guide_says() {
    let Some(database) = TestDatabase::create_empty() else {
        return;
    };
    let names = Names::of(&database);
    let _created = GuideDatabase(&database, format!("{}_work", names.prefix));
    let (mut first, mut second) = (Machine::start(&[]), Machine::start(&[]));
    first.run("trueup db migrate\ntrueup item add SD-000 --title 'From before'");
    second.run("export TRUEUP_HOME=\"$HOME/trueup\"");
    let machines = [&mut first, &mut second];
    let [_, second] = run_guide("teams.md", machines, |text| names.replace(text));
    for title in ["From before", "The first item of the team"] {
        assert!(second.contains(title), "{second}");
    }
}

#[test]
fn a_server_is_run_as_the_guide_says() {
    let Some(database) = TestDatabase::create_empty() else {
        return;
    };
    let names = Names::of(&database);
    let name = format!("{}_work", names.prefix);
    database.run(&format!("CREATE DATABASE {name}")).unwrap();
    let _created = GuideDatabase(&database, name.clone());
    let owner = format!("postgres://postgres@{}/{name}", names.server);
    let variables = [("TRUEUP_DATABASE_URL", owner.as_str())];
    let (mut first, mut second) = (Machine::start(&variables), Machine::start(&[]));
    first.run("trueup db migrate");
    let ann = format!(
        "CREATE ROLE {}_ann LOGIN PASSWORD 'a long one' IN ROLE trueup_client",
        names.prefix
    );
    database.run(&ann).unwrap();
    let machines = [&mut first, &mut second];
    let [first, _] = run_guide("postgres.md", machines, |text| names.replace(text));
    assert!(first.contains("health   ok"), "{first}");
}

#[test]
fn two_machines_share_a_project_of_supabase_as_the_guide_says() {
    let Some(database) = TestDatabase::create_supabase() else {
        return;
    };
    let Some(gateway) = SupabaseServer::start(&database) else {
        return;
    };
    let variables = [("JWT_SECRET", JWT_SECRET), ("ANON_KEY", gateway.key)];
    let (mut first, mut second) = (Machine::start(&variables), Machine::start(&variables));
    // Whoever follows the guide brings the file with the token to the other machine.
    let token = |machine: &Machine| machine.home.path().join("project/ann.token");
    symlink(token(&first), token(&second)).unwrap();
    let direct = "postgres://postgres@db.PROJECT.supabase.co/postgres?sslmode=require";
    let machines = [&mut first, &mut second];
    let [_, second] = run_guide("supabase.md", machines, |text| {
        let text = text.replace(direct, &database.url());
        text.replace("https://PROJECT.supabase.co", &gateway.url)
    });
    assert!(second.contains("Shared by two machines"), "{second}");
}

#[test]
fn blocks_are_found_with_their_machine() {
    let guide = "text\n```sh\na\nb\n```\n```ini\nx\n```\n```sh second-machine\nc\n```\n";
    let block =
        |commands: &str, is_for_second| Block { commands: commands.to_owned(), is_for_second };
    assert_eq!(find_blocks(guide), [block("a\nb", false), block("c", true)]);
}
