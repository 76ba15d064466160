//! Scans a shell script for commands that hand work off, including scripts that it passes to other
//! shells.

use trueup_core::shell::{self, ShellCommand, ShellWord};

use super::CommandPatterns;

/// How deeply nested shells are scanned. A script nested deeper counts as a hand-off if it contains
/// the word anywhere.
const MAX_DEPTH: usize = 12;

/// How much is scanned in all, in bytes: one text passed to many nested shells is scanned many
/// times. The rest counts as a hand-off if it contains the word anywhere.
const MAX_BYTES: usize = 2 * 1024 * 1024;

/// How many commands before a shell in a pipe are searched for its input.
const MAX_PIPE_COMMANDS: usize = 32;

/// Verbs of `trueup handoff` that hand nothing off: they show hand-offs or decide on received ones.
const RECEIVING_VERBS: [&str; 5] = ["list", "show", "accept", "reject", HELP_VERB];

/// The verb that asks for help.
const HELP_VERB: &str = "help";

/// Programs that run a script from `-c`, a file or stdin.
const SHELLS: [&str; 8] = ["sh", "bash", "zsh", "dash", "ksh", "ash", "fish", "busybox"];

/// Other programs with an argument that is a command line.
const LINE_RUNNERS: [&str; 5] = ["su", "runuser", "script", "flock", "watch"];

/// Programs whose first arguments name what they run, quoted or not.
const RUNNERS: [&str; 17] = [
    "make", "just", "task", "npm", "npx", "pnpm", "yarn", "bun", "bunx", "deno", "node", "python",
    "python3", "ruby", "perl", "source", ".",
];

/// Options of `trueup` whose value is the next word.
const OPTIONS_WITH_VALUE: [&str; 2] = ["--session", "--project"];

/// The state of one scan.
pub(super) struct ScriptScanner<'p> {
    patterns: &'p CommandPatterns,
    /// Values assigned to variables: a command that is a variable may be any of them.
    variable_values: Vec<String>,
    /// Whether some command is only known at run time.
    has_unknown_command: bool,
    /// Whether the script contains the word `handoff` anywhere.
    contains_handoff_word: bool,
    depth: usize,
    /// How much may still be scanned, in bytes.
    bytes_left: usize,
}

impl<'p> ScriptScanner<'p> {
    pub(super) fn new(patterns: &'p CommandPatterns) -> Self {
        Self {
            patterns,
            variable_values: Vec::new(),
            has_unknown_command: false,
            contains_handoff_word: false,
            depth: 0,
            bytes_left: MAX_BYTES,
        }
    }

    /// Returns whether anything in a command line hands work off.
    pub(super) fn scan_command_line(&mut self, text: &str) -> bool {
        self.contains_handoff_word = text.to_lowercase().contains("handoff");
        if self.scan_text(text, false) {
            return true;
        }
        let values = std::mem::take(&mut self.variable_values);
        self.has_unknown_command && values.iter().any(|value| self.scan_text(value, false))
    }

    /// Scans a script. With `output_is_run`, what its commands print is run by a shell, so their
    /// arguments count as commands as well.
    fn scan_text(&mut self, text: &str, output_is_run: bool) -> bool {
        let bytes_left = self.bytes_left.checked_sub(text.len() + 1);
        let Some(left) = bytes_left.filter(|_| self.depth < MAX_DEPTH) else {
            return text.to_lowercase().contains("handoff");
        };
        self.bytes_left = left;
        self.depth += 1;
        let commands = shell::parse_commands(text);
        let mut hands_off = self.matches_as_one_line(&commands);
        for (at, command) in commands.iter().enumerate() {
            let pipe = commands.get(..at).unwrap_or_default();
            let feeders = pipe.iter().rev().take_while(|before| before.is_piped);
            let feeders = feeders.take(MAX_PIPE_COMMANDS).count();
            let feeders = pipe.get(at - feeders..).unwrap_or_default();
            hands_off = hands_off || self.scan_command(command, feeders, output_is_run);
        }
        self.depth -= 1;
        hands_off
    }

    /// Matches all commands joined to one line, for configured patterns that span several commands.
    fn matches_as_one_line(&self, commands: &[ShellCommand]) -> bool {
        if commands.len() < 2 {
            return false;
        }
        let sending = commands.iter().filter(|command| !is_receiving_handoff(&command.words));
        let lines: Vec<String> = sending.map(|command| join_unquoted(&command.words)).collect();
        ["; ", " && ", " | "]
            .iter()
            .any(|between| self.patterns.user_pattern_matches(&lines.join(between)))
    }

    fn scan_command(
        &mut self,
        command: &ShellCommand,
        feeders: &[ShellCommand],
        output_is_run: bool,
    ) -> bool {
        let inside = command.words.iter().flat_map(|word| &word.substitutions);
        for inside in inside.chain(&command.substitutions) {
            if self.scan_text(inside, output_is_run) {
                return true;
            }
        }
        for word in command.words.iter().filter(|word| word.is_assignment()) {
            let value = word.text.split_once('=').map(|(_, value)| value.to_owned());
            self.variable_values.extend(value);
        }
        let first_word =
            command.words.iter().position(|word| !word.is_assignment() && !is_keyword(word));
        let words = first_word.and_then(|own| command.words.get(own..)).unwrap_or_default();
        self.words_are_handoff(words)
            || self.scan_nested_script(words, command, feeders)
            || output_is_run && self.scan_printed(words)
    }

    /// Returns whether the words of one command hand work off.
    fn words_are_handoff(&self, words: &[ShellWord]) -> bool {
        for (at, word) in words.iter().enumerate() {
            if word.base_name() != "trueup" {
                continue;
            }
            match handoff_verb(words.get(at + 1..).unwrap_or_default()) {
                Some(verb) if !RECEIVING_VERBS.contains(&verb) => return true,
                Some(_) => return false,
                // The subcommand is an expansion, so only the shell knows which one runs.
                None if self.contains_handoff_word && is_expansion(words.get(at + 1..)) => {
                    return true;
                }
                None => {}
            }
        }
        let line = join_unquoted(words);
        if is_advised_command(words) {
            return self.patterns.user_pattern_matches(&line);
        }
        // A command behind a wrapper such as `sudo` is matched on its own as well. A quoted text of
        // several words names no program: it is an argument, as of `echo`.
        let names_a_program =
            |word: &ShellWord| !word.unquoted.is_empty() || !word.text.contains(' ');
        let carried = (1..words.len().min(4))
            .filter_map(|at| words.get(at..))
            .filter(|rest| rest.first().is_some_and(names_a_program));
        self.patterns.any_matches(&line)
            || carried.map(join_unquoted).any(|rest| self.patterns.user_pattern_matches(&rest))
    }

    /// Scans the script that a shell or a runner among the words is given.
    fn scan_nested_script(
        &mut self,
        words: &[ShellWord],
        command: &ShellCommand,
        feeders: &[ShellCommand],
    ) -> bool {
        if words.first().is_some_and(|word| word.text.starts_with('$')) {
            self.has_unknown_command = true;
        }
        for (at, word) in words.iter().enumerate() {
            let arguments = words.get(at + 1..).unwrap_or_default();
            let name = word.base_name();
            match name {
                "env" => {
                    if let Some(line) = env_split_string(arguments) {
                        return self.scan_text(&line, false);
                    }
                }
                "eval" => return self.scan_as_line(arguments),
                // The argument runs later, when the signal arrives.
                "trap" if at == 0 => {
                    let script = arguments.first();
                    return script.is_some_and(|told| self.scan_text(&told.text, false));
                }
                "alias" if at == 0 => {
                    let assignments = arguments.iter().filter_map(|word| word.text.split_once('='));
                    let mut scripts = assignments.map(|(_, told)| told.to_owned());
                    return scripts.any(|told| self.scan_text(&told, false));
                }
                "." | "source" if at == 0 && reads_stdin(arguments) => {
                    return command.stdin_texts.iter().any(|text| self.scan_text(text, false));
                }
                "xargs" | "parallel" => return self.scan_with_stdin(arguments, feeders),
                _ if SHELLS.contains(&name) => {
                    return self.scan_shell_call(arguments, command, feeders);
                }
                _ if LINE_RUNNERS.contains(&name) => {
                    let mut quoted = arguments.iter().filter(|word| word.unquoted.is_empty());
                    return quoted.any(|word| self.scan_text(&word.text, false));
                }
                _ if at == 0 && RUNNERS.contains(&name) => {
                    return self.scan_substitutions(arguments)
                        || self.patterns.any_matches(&join_first_words(words, 3));
                }
                _ => {}
            }
        }
        false
    }

    /// Scans arguments joined to one command line.
    fn scan_as_line(&mut self, arguments: &[ShellWord]) -> bool {
        self.has_unknown_command |= arguments.iter().any(|word| word.text.contains('$'));
        let texts: Vec<&str> = arguments.iter().map(|word| &*word.text).collect();
        self.scan_text(&texts.join(" "), false) || self.scan_substitutions(arguments)
    }

    /// Scans the substitutions in words whose output is run.
    fn scan_substitutions(&mut self, words: &[ShellWord]) -> bool {
        let inside = words.iter().flat_map(|word| &word.substitutions);
        inside.into_iter().any(|inside| self.scan_text(inside, true))
    }

    /// Scans the script of a shell: from `-c`, a file, or its input.
    fn scan_shell_call(
        &mut self,
        arguments: &[ShellWord],
        command: &ShellCommand,
        feeders: &[ShellCommand],
    ) -> bool {
        let is_option = |word: &&ShellWord| word.text.starts_with(['-', '+']);
        let command_option = arguments.iter().position(|word| {
            word.text.starts_with('-') && !word.text.starts_with("--") && word.text.contains('c')
        });
        if let Some(lines) = command_option {
            let operands = arguments.get(lines + 1..).unwrap_or_default();
            let mut operands = operands.iter().skip_while(is_option);
            let Some(script) = operands.next() else {
                return false;
            };
            // The following words are the script's positional parameters.
            return self.scan_as_line(std::slice::from_ref(script))
                || script.text.contains('$')
                    && operands.any(|word| self.scan_text(&word.text, false));
        }
        if self.scan_substitutions(arguments) {
            return true;
        }
        if let Some(file) = arguments.iter().find(|word| !is_option(word) && !word.text.is_empty())
        {
            return self.patterns.any_matches(&file.text);
        }
        command.stdin_texts.iter().any(|text| self.scan_text(text, false))
            || feeders.iter().any(|feeder| {
                feeder.stdin_texts.iter().any(|text| self.scan_text(text, false))
                    || self.scan_printed(&feeder.words)
            })
    }

    /// Scans what a command may print as commands.
    fn scan_printed(&mut self, words: &[ShellWord]) -> bool {
        let arguments = words.get(1..).unwrap_or_default();
        self.scan_substitutions(arguments)
            || self.scan_as_line(arguments)
            || arguments.iter().any(|word| self.scan_text(&word.text, false))
    }

    /// Scans a command that takes its last words from its input, as `xargs` does.
    fn scan_with_stdin(&mut self, arguments: &[ShellWord], feeders: &[ShellCommand]) -> bool {
        let command_line: Vec<&str> = arguments.iter().map(|word| &*word.text).collect();
        let command_line = command_line.join(" ");
        let piped = feeders.iter().flat_map(|feeder| {
            let words = feeder.words.iter().skip(1).map(|word| word.text.clone());
            words.chain(feeder.stdin_texts.iter().cloned())
        });
        let piped: Vec<String> = piped.collect();
        self.scan_text(&command_line, false)
            || piped.iter().any(|text| {
                self.scan_text(text, false)
                    || self.scan_text(&format!("{command_line} {text}"), false)
            })
    }
}

/// Returns whether the first argument that is not an option is an expansion.
fn is_expansion(arguments: Option<&[ShellWord]>) -> bool {
    let mut arguments = arguments.into_iter().flatten();
    let first = arguments.find(|word| !word.text.starts_with('-'));
    first.is_some_and(|word| word.text.contains(['$', '`', '{', '*', '?']))
}

/// Returns whether the named file is the command's input.
fn reads_stdin(arguments: &[ShellWord]) -> bool {
    arguments
        .first()
        .is_some_and(|file| matches!(&*file.text, "/dev/stdin" | "/dev/fd/0" | "/proc/self/fd/0"))
}

/// Returns the verb of a `trueup handoff` command, or an empty text when it has none.
fn handoff_verb(arguments: &[ShellWord]) -> Option<&str> {
    let mut words = arguments.iter();
    let mut next = || loop {
        let word = words.next()?;
        if OPTIONS_WITH_VALUE.contains(&&*word.text) {
            words.next();
        } else if !word.text.starts_with('-') {
            return Some(&*word.text);
        }
    };
    let verb = (next()? == "handoff").then(|| next().unwrap_or_default())?;
    let asks_for_help = |word: &ShellWord| matches!(&*word.text, "--help" | "-h");
    Some(if arguments.iter().any(asks_for_help) { HELP_VERB } else { verb })
}

fn is_receiving_handoff(words: &[ShellWord]) -> bool {
    let of_trueup = words.iter().position(|word| word.base_name() == "trueup");
    let arguments = of_trueup.and_then(|at| words.get(at + 1..)).unwrap_or_default();
    handoff_verb(arguments).is_some_and(|verb| RECEIVING_VERBS.contains(&verb))
}

/// Returns whether the command is of a kind that a refusal advises. Following the advice is no
/// hand-off, whatever the branch or item in it is called.
fn is_advised_command(words: &[ShellWord]) -> bool {
    let mut names = words.iter().map(ShellWord::base_name);
    match names.next() {
        Some("git") => matches!(names.next(), Some("switch" | "checkout" | "branch")),
        Some("trueup" | "validate-session-state") => true,
        _ => false,
    }
}

/// Returns whether a word is a keyword that may precede a command.
fn is_keyword(word: &ShellWord) -> bool {
    matches!(
        &*word.unquoted,
        "{" | "}"
            | "!"
            | "if"
            | "then"
            | "else"
            | "elif"
            | "do"
            | "while"
            | "until"
            | "time"
            | "done"
            | "fi"
    )
}

/// Joins the unquoted parts of the words. The first word counts whole: quoting does not change
/// which program it names.
fn join_unquoted(words: &[ShellWord]) -> String {
    let texts: Vec<&str> = words
        .iter()
        .enumerate()
        .map(|(at, word)| if at == 0 { &*word.text } else { &*word.unquoted })
        .collect();
    texts.join(" ")
}

/// Joins the first words, quoted parts included.
fn join_first_words(words: &[ShellWord], count: usize) -> String {
    let texts: Vec<&str> = words.iter().take(count).map(|word| &*word.text).collect();
    texts.join(" ")
}

/// Returns the command line given to `env -S`.
fn env_split_string(arguments: &[ShellWord]) -> Option<String> {
    let at = arguments
        .iter()
        .position(|word| word.text.starts_with("-S") || word.text.starts_with("--split-string"))?;
    let option = arguments.get(at)?;
    let attached =
        option.text.strip_prefix("-S").or_else(|| option.text.strip_prefix("--split-string="));
    match attached {
        Some(own) if !own.is_empty() => Some(own.to_owned()),
        _ => arguments.get(at + 1).map(|word| word.text.clone()),
    }
}
