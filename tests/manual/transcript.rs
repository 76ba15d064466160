//! Plays a page: runs its commands, and compares what they print with what the page shows.
//!
//! | part | what is done |
//! | --- | --- |
//! | a block `sh run` | all of it has to succeed |
//! | a block `console` | each line that begins with `$ ` is run, with the lines that begin with `> `; what follows is its output |
//! | a block `text said` | what the last hook said |
//! | `<!-- scratch: NAME -->` | a new scratch, in which the session goes on |
//! | `<!-- needs: PROGRAM -->` | skips all up to the next scratch, and says so, where there is no such program |
//! | `<!-- as: NAME -->` | a session goes on, `ann`, `ben` or `cleo`, and is started if it is new; `nobody`: none |
//! | `<!-- in: DIR -->` | goes to a directory |
//! | `<!-- run: SHELL -->` | runs what a reader need not see |
//! | `<!-- serve: SHELL -->` | starts a server |
//! | `<!-- hook: NAME [ARGUMENT] -->` | an event of the session: `start`, `prompt`, `bash COMMAND`, `edit FILE`, `stop`, `end` |
//! | `<!-- silent: NAME -->` | a session that lives says nothing for ten minutes more than its lease |
//! | `<!-- clear: NAME -->` | the session is cleared, and the named one goes on |
//! | `<!-- crash: NAME -->` | the client of a session dies |
//! | `<!-- file: PATH -->` | the next block is written to the file |
//! | `<!-- shows: PATH -->` | the next block is what the file holds |

use std::io::Write as _;

use serde_json::json;

use super::normalize::matches_expected;
use super::page::{Block, Directive, Part, join_lines};
use super::scene::Scene;

/// What a directive says about the next block.
enum NextBlock {
    /// Nothing.
    Ordinary,
    /// It is written to a file.
    IsWrittenTo(String),
    /// It is what a file holds.
    ShowsFile(String),
}

/// A page that is played.
pub(crate) struct Transcript {
    name: String,
    scene: Scene,
    next_block: NextBlock,
    /// Whether a program is missing that the next parts need.
    is_skipping: bool,
    /// What differs, for the reader of a failed test.
    pub(crate) differences: Vec<String>,
    /// Commands of consoles that did not succeed.
    pub(crate) failed_commands: Vec<String>,
}

impl Transcript {
    /// Begins a page.
    pub(crate) fn new(name: &str) -> Self {
        let scene = Scene::new();
        Self {
            name: name.to_owned(),
            scene,
            next_block: NextBlock::Ordinary,
            is_skipping: false,
            differences: Vec::new(),
            failed_commands: Vec::new(),
        }
    }

    /// Plays all parts; returns them with the output that there was where it differs.
    pub(crate) fn play(&mut self, parts: &[Part]) -> Vec<Part> {
        parts.iter().map(|part| self.play_part(part)).collect()
    }

    fn play_part(&mut self, part: &Part) -> Part {
        match part {
            Part::Directive(directive) if directive.name == "scratch" => {
                self.is_skipping = false;
                self.scene = Scene::new();
                self.scene.act_as(&directive.value);
                part.clone()
            }
            Part::Text(_) => part.clone(),
            _ if self.is_skipping => part.clone(),
            Part::Directive(directive) => {
                self.follow(directive);
                part.clone()
            }
            Part::Block(block) => {
                let body = self.play_block(block);
                Part::Block(Block { body, ..block.clone() })
            }
        }
    }

    fn follow(&mut self, directive: &Directive) {
        let value = directive.value.as_str();
        match directive.name.as_str() {
            "needs" => self.is_skipping = !self.has_program(value),
            "as" => self.scene.act_as(value),
            "in" => self.scene.enter(value),
            "run" => self.scene.set_up(value),
            "serve" => self.scene.start_server(value),
            "hook" => self.run_hook(value),
            "silent" => self.scene.let_lease_expire(value, 1500),
            "clear" => self.scene.clear_into(value),
            "crash" => self.scene.crash(value),
            "file" => self.next_block = NextBlock::IsWrittenTo(value.to_owned()),
            "shows" => self.next_block = NextBlock::ShowsFile(value.to_owned()),
            other => panic!("{}:{}: no directive {other:?}", self.name, directive.line),
        }
    }

    fn has_program(&self, program: &str) -> bool {
        let is_there = self.scene.run_shell(&format!("command -v {program}")).0 == Some(0);
        if !is_there {
            // Straight to the stream: the test runner captures the printing macros.
            let line = format!("\nSKIPPED: a part of {} needs {program}\n", self.name);
            drop(std::io::stderr().write_all(line.as_bytes()));
        }
        is_there
    }

    fn run_hook(&mut self, event: &str) {
        let (event, argument) = event.split_once(' ').unwrap_or((event, ""));
        let (start, push, guard) =
            ("session-start-sync", "checkpoint-push", "pre-handoff-validate");
        match event {
            "start" => self.scene.run_hook(start, "SessionStart", json!({"source": "resume"})),
            "prompt" => self.scene.run_hook(start, "UserPromptSubmit", json!({"prompt": "go on"})),
            "bash" => {
                let call = json!({"tool_name": "Bash", "tool_input": {"command": argument}});
                self.scene.run_hook(guard, "PreToolUse", call);
            }
            "edit" => {
                let input = json!({"file_path": argument});
                let call = json!({"tool_name": "Edit", "tool_input": input});
                self.scene.run_hook(push, "PostToolUse", call);
            }
            "stop" => self.scene.run_hook(guard, "Stop", json!({})),
            "end" => {
                self.scene.run_hook(push, "SessionEnd", json!({"reason": "prompt_input_exit"}));
            }
            other => panic!("{}: no event {other:?}", self.name),
        }
    }

    fn play_block(&mut self, block: &Block) -> String {
        match std::mem::replace(&mut self.next_block, NextBlock::Ordinary) {
            NextBlock::IsWrittenTo(path) => {
                self.scene.write_file(&path, &block.body);
                return block.body.clone();
            }
            NextBlock::ShowsFile(path) => {
                let text = self.scene.read_file(&path);
                return self.compare(block, &text);
            }
            NextBlock::Ordinary => {}
        }
        match block.info.as_str() {
            "sh run" => {
                let (code, output) = self.scene.run_shell(&format!("set -e\n{}", block.body));
                if code != Some(0) {
                    self.differ(block, &format!("exit code {code:?}\n{output}"));
                }
                block.body.clone()
            }
            "console" => {
                let played = self.play_console(&block.body);
                self.compare(block, &played)
            }
            "text said" => {
                let said = self.scene.said().to_owned();
                self.compare(block, &said)
            }
            _ => block.body.clone(),
        }
    }

    /// Runs the commands of a block; returns them with what they print.
    fn play_console(&mut self, body: &str) -> String {
        let mut played = String::new();
        let mut lines = body.lines().peekable();
        while let Some(line) = lines.next() {
            let Some(first) = line.strip_prefix("$ ") else { continue };
            let mut command = vec![first];
            played += &join_lines([line].into_iter());
            while let Some(more) = lines.next_if(|line| line.starts_with("> ")) {
                command.push(more.trim_start_matches("> "));
                played += &join_lines([more].into_iter());
            }
            match first.strip_prefix("cd ") {
                Some(dir) => self.scene.enter(dir),
                None => played += &self.run_command(command.join("\n")),
            }
        }
        played
    }

    /// Runs a command; returns what it prints.
    fn run_command(&mut self, command: String) -> String {
        let (code, output) = self.scene.run_shell(&command);
        if code != Some(0) {
            self.failed_commands.push(command);
        }
        output
    }

    /// Notes a difference; returns what the page should show.
    fn compare(&mut self, block: &Block, actual: &str) -> String {
        if matches_expected(actual, &block.body) {
            return block.body.clone();
        }
        self.differ(block, actual);
        actual.to_owned()
    }

    fn differ(&mut self, block: &Block, actual: &str) {
        let Self { name, differences, .. } = self;
        let Block { line, info, body, .. } = block;
        differences.push(format!("{name}:{line}: {info}\n{body}--- but there was\n{actual}"));
    }
}
