//! Looking through what a shell is told to run, with all that it tells other shells to run.

use trueup_core::shell::{self, Command, Word};

use super::Patterns;

/// How deep shells within shells are looked into. What is nested deeper hands on if it says so
/// anywhere.
const DEEPEST: usize = 12;

/// How much is read in all, in bytes: shells that are told in many ways to run the same text make
/// it many times as long. What is left over hands on if it says so anywhere.
const MOST: usize = 2 * 1024 * 1024;

/// How many commands before it in a pipe a shell's input is looked for in.
const LONGEST_PIPE: usize = 32;

/// What `trueup handoff` is followed by where nothing is handed on: looking, and deciding about
/// what others hand on.
const RECEIVING: [&str; 5] = ["list", "show", "accept", "reject", HELP];

/// What only says how something is done.
const HELP: &str = "help";

/// Programs that run what `-c` or a file or their input tells them.
const SHELLS: [&str; 8] = ["sh", "bash", "zsh", "dash", "ksh", "ash", "fish", "busybox"];

/// Programs whose `-c` is a command line too.
const RUNNERS_OF_LINES: [&str; 5] = ["su", "runuser", "script", "flock", "watch"];

/// Programs that run what their first arguments name, quoted or not.
const RUNNERS: [&str; 17] = [
    "make", "just", "task", "npm", "npx", "pnpm", "yarn", "bun", "bunx", "deno", "node", "python",
    "python3", "ruby", "perl", "source", ".",
];

/// Options of `trueup` that take a value in the next word.
const WITH_VALUE: [&str; 2] = ["--session", "--project"];

/// A script that is looked through.
pub(super) struct Script<'p> {
    patterns: &'p Patterns,
    /// What variables are set to: a command that is a variable may be any of it.
    values: Vec<String>,
    /// Whether something is run that only running can tell.
    is_opaque: bool,
    /// Whether the word stands anywhere in it.
    says_handoff: bool,
    depth: usize,
    /// How much may still be read, in bytes.
    left: usize,
}

impl<'p> Script<'p> {
    pub(super) fn new(patterns: &'p Patterns) -> Self {
        Self {
            patterns,
            values: Vec::new(),
            is_opaque: false,
            says_handoff: false,
            depth: 0,
            left: MOST,
        }
    }

    /// Tells whether anything in a command line hands work on.
    pub(super) fn hands_on(&mut self, text: &str) -> bool {
        self.says_handoff = text.to_lowercase().contains("handoff");
        if self.runs(text, false) {
            return true;
        }
        let values = std::mem::take(&mut self.values);
        self.is_opaque && values.iter().any(|value| self.runs(value, false))
    }

    /// Looks through a text. What is `fed` to a shell counts with all its words, since what it
    /// prints is what runs.
    fn runs(&mut self, text: &str, fed: bool) -> bool {
        let left = self.left.checked_sub(text.len() + 1);
        let Some(left) = left.filter(|_| self.depth < DEEPEST) else {
            return text.to_lowercase().contains("handoff");
        };
        self.left = left;
        self.depth += 1;
        let commands = shell::read(text);
        let mut found = self.whole_matches(&commands);
        for (at, command) in commands.iter().enumerate() {
            let pipe = commands.get(..at).unwrap_or_default();
            let feeders = pipe.iter().rev().take_while(|before| before.pipes);
            let feeders = feeders.take(LONGEST_PIPE).count();
            let feeders = pipe.get(at - feeders..).unwrap_or_default();
            found = found || self.command(command, feeders, fed);
        }
        self.depth -= 1;
        found
    }

    /// Matches all commands as one line, for patterns that somebody wrote over several.
    fn whole_matches(&self, commands: &[Command]) -> bool {
        if commands.len() < 2 {
            return false;
        }
        let hands_on = commands
            .iter()
            .filter(|command| !is_receiving(&command.words));
        let lines: Vec<String> = hands_on.map(|command| bare(&command.words)).collect();
        ["; ", " && ", " | "]
            .iter()
            .any(|between| self.patterns.written_match(&lines.join(between)))
    }

    fn command(&mut self, command: &Command, feeders: &[Command], fed: bool) -> bool {
        let inside = command.words.iter().flat_map(|word| &word.inside);
        for inside in inside.chain(&command.inside) {
            if self.runs(inside, fed) {
                return true;
            }
        }
        for word in command.words.iter().filter(|word| word.is_assignment()) {
            let value = word.text.split_once('=').map(|(_, value)| value.to_owned());
            self.values.extend(value);
        }
        let own = command
            .words
            .iter()
            .position(|word| !word.is_assignment() && !is_keyword(word));
        let words = own
            .and_then(|own| command.words.get(own..))
            .unwrap_or_default();
        self.words_hand_on(words)
            || self.told_to_run(words, command, feeders)
            || fed && self.prints(words)
    }

    /// Tells whether the words themselves hand work on.
    fn words_hand_on(&self, words: &[Word]) -> bool {
        for (at, word) in words.iter().enumerate() {
            if word.name() != "trueup" {
                continue;
            }
            match verb_of_handoff(words.get(at + 1..).unwrap_or_default()) {
                Some(verb) if !RECEIVING.contains(&verb) => return true,
                Some(_) => return false,
                // Which command it is only the shell knows, which puts something in its place.
                None if self.says_handoff && is_expanded(words.get(at + 1..)) => return true,
                None => {}
            }
        }
        let line = bare(words);
        if ends_a_refusal(words) {
            return self.patterns.written_match(&line);
        }
        // Behind what only carries it, such as `sudo`, a command is matched by itself too. No
        // program is called by a quoted text of several words: that is what `echo` is given.
        let names_a_program = |word: &Word| !word.bare.is_empty() || !word.text.contains(' ');
        let carried = (1..words.len().min(4))
            .filter_map(|at| words.get(at..))
            .filter(|rest| rest.first().is_some_and(names_a_program));
        self.patterns.matches(&line)
            || carried
                .map(bare)
                .any(|rest| self.patterns.written_match(&rest))
    }

    /// Looks into what a shell among the words is told to run.
    fn told_to_run(&mut self, words: &[Word], command: &Command, feeders: &[Command]) -> bool {
        if words.first().is_some_and(|word| word.text.starts_with('$')) {
            self.is_opaque = true;
        }
        for (at, word) in words.iter().enumerate() {
            let arguments = words.get(at + 1..).unwrap_or_default();
            let name = word.name();
            match name {
                "env" => {
                    if let Some(line) = split_string(arguments) {
                        return self.runs(&line, false);
                    }
                }
                "eval" => return self.line(arguments),
                // What runs later is told now.
                "trap" if at == 0 => {
                    let told = arguments.first();
                    return told.is_some_and(|told| self.runs(&told.text, false));
                }
                "alias" if at == 0 => {
                    let told = arguments
                        .iter()
                        .filter_map(|word| word.text.split_once('='));
                    let mut told = told.map(|(_, told)| told.to_owned());
                    return told.any(|told| self.runs(&told, false));
                }
                "." | "source" if at == 0 && reads_input(arguments) => {
                    return command.fed.iter().any(|text| self.runs(text, false));
                }
                "xargs" | "parallel" => return self.with_input(arguments, feeders),
                _ if SHELLS.contains(&name) => return self.shell(arguments, command, feeders),
                _ if RUNNERS_OF_LINES.contains(&name) => {
                    let mut quoted = arguments.iter().filter(|word| word.bare.is_empty());
                    return quoted.any(|word| self.runs(&word.text, false));
                }
                _ if at == 0 && RUNNERS.contains(&name) => {
                    return self.fed_by_words(arguments) || self.patterns.matches(&full(words, 3));
                }
                _ => {}
            }
        }
        false
    }

    /// Reads arguments as one command line.
    fn line(&mut self, arguments: &[Word]) -> bool {
        self.is_opaque |= arguments.iter().any(|word| word.text.contains('$'));
        let texts: Vec<&str> = arguments.iter().map(|word| &*word.text).collect();
        self.runs(&texts.join(" "), false) || self.fed_by_words(arguments)
    }

    /// Looks into what is carried out for words whose output is run.
    fn fed_by_words(&mut self, words: &[Word]) -> bool {
        let inside = words.iter().flat_map(|word| &word.inside);
        inside.into_iter().any(|inside| self.runs(inside, true))
    }

    /// Looks into a shell's script: after `-c`, a file, or its input.
    fn shell(&mut self, arguments: &[Word], command: &Command, feeders: &[Command]) -> bool {
        let is_option = |word: &&Word| word.text.starts_with(['-', '+']);
        let lines = arguments.iter().position(|word| {
            word.text.starts_with('-') && !word.text.starts_with("--") && word.text.contains('c')
        });
        if let Some(lines) = lines {
            let after = arguments.get(lines + 1..).unwrap_or_default();
            let mut after = after.iter().skip_while(is_option);
            let Some(script) = after.next() else {
                return false;
            };
            // The words behind it are those that the script may name.
            return self.line(std::slice::from_ref(script))
                || script.text.contains('$') && after.any(|word| self.runs(&word.text, false));
        }
        if self.fed_by_words(arguments) {
            return true;
        }
        if let Some(file) = arguments
            .iter()
            .find(|word| !is_option(word) && !word.text.is_empty())
        {
            return self.patterns.matches(&file.text);
        }
        command.fed.iter().any(|text| self.runs(text, false))
            || feeders.iter().any(|feeder| {
                feeder.fed.iter().any(|text| self.runs(text, false)) || self.prints(&feeder.words)
            })
    }

    /// Reads what a command may print as commands.
    fn prints(&mut self, words: &[Word]) -> bool {
        let arguments = words.get(1..).unwrap_or_default();
        self.fed_by_words(arguments)
            || self.line(arguments)
            || arguments.iter().any(|word| self.runs(&word.text, false))
    }

    /// Reads a command that gets its last words from what is piped into it.
    fn with_input(&mut self, arguments: &[Word], feeders: &[Command]) -> bool {
        let own: Vec<&str> = arguments.iter().map(|word| &*word.text).collect();
        let own = own.join(" ");
        let piped = feeders.iter().flat_map(|feeder| {
            let words = feeder.words.iter().skip(1).map(|word| word.text.clone());
            words.chain(feeder.fed.iter().cloned())
        });
        let piped: Vec<String> = piped.collect();
        self.runs(&own, false)
            || piped
                .iter()
                .any(|text| self.runs(text, false) || self.runs(&format!("{own} {text}"), false))
    }
}

/// Tells whether the first of the arguments that is no option is something that a shell replaces.
fn is_expanded(arguments: Option<&[Word]>) -> bool {
    let mut arguments = arguments.into_iter().flatten();
    let first = arguments.find(|word| !word.text.starts_with('-'));
    first.is_some_and(|word| word.text.contains(['$', '`', '{', '*', '?']))
}

/// Tells whether a file that is named is what the command is fed.
fn reads_input(arguments: &[Word]) -> bool {
    arguments
        .first()
        .is_some_and(|file| matches!(&*file.text, "/dev/stdin" | "/dev/fd/0" | "/proc/self/fd/0"))
}

/// Returns what follows `handoff` where it is the command of `trueup`; empty when nothing does.
fn verb_of_handoff(arguments: &[Word]) -> Option<&str> {
    let mut words = arguments.iter();
    let mut next = || loop {
        let word = words.next()?;
        if WITH_VALUE.contains(&&*word.text) {
            words.next();
        } else if !word.text.starts_with('-') {
            return Some(&*word.text);
        }
    };
    let verb = (next()? == "handoff").then(|| next().unwrap_or_default())?;
    let asks_for_help = |word: &Word| matches!(&*word.text, "--help" | "-h");
    Some(if arguments.iter().any(asks_for_help) {
        HELP
    } else {
        verb
    })
}

fn is_receiving(words: &[Word]) -> bool {
    let of_trueup = words.iter().position(|word| word.name() == "trueup");
    let arguments = of_trueup
        .and_then(|at| words.get(at + 1..))
        .unwrap_or_default();
    verb_of_handoff(arguments).is_some_and(|verb| RECEIVING.contains(&verb))
}

/// Tells whether the words are those that a refusal advises: whatever a branch or an item is
/// called, following the advice is no hand-off.
fn ends_a_refusal(words: &[Word]) -> bool {
    let mut names = words.iter().map(Word::name);
    match names.next() {
        Some("git") => matches!(names.next(), Some("switch" | "checkout" | "branch")),
        Some("trueup" | "validate-session-state") => true,
        _ => false,
    }
}

/// Words of a shell's own before a command.
fn is_keyword(word: &Word) -> bool {
    matches!(
        &*word.bare,
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

/// Joins what stands outside quotes. The command itself counts whole: quoting changes nothing
/// of what it is.
fn bare(words: &[Word]) -> String {
    let texts: Vec<&str> = words
        .iter()
        .enumerate()
        .map(|(at, word)| if at == 0 { &*word.text } else { &*word.bare })
        .collect();
    texts.join(" ")
}

/// Joins the first words whole.
fn full(words: &[Word], most: usize) -> String {
    let texts: Vec<&str> = words.iter().take(most).map(|word| &*word.text).collect();
    texts.join(" ")
}

/// Returns the command line that `env -S` is given.
fn split_string(arguments: &[Word]) -> Option<String> {
    let at = arguments
        .iter()
        .position(|word| word.text.starts_with("-S") || word.text.starts_with("--split-string"))?;
    let option = arguments.get(at)?;
    let own = option
        .text
        .strip_prefix("-S")
        .or_else(|| option.text.strip_prefix("--split-string="));
    match own {
        Some(own) if !own.is_empty() => Some(own.to_owned()),
        _ => arguments.get(at + 1).map(|word| word.text.clone()),
    }
}
