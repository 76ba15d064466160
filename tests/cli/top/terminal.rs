//! A pseudo terminal, as `script` makes it, with `trueup top` in it and a person before it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use support::client::find_binary;
use support::home::Home;

/// How long the screen may take on a busy machine; no assertion depends on it.
const PATIENCE: Duration = Duration::from_mins(2);

/// Runs the program, and tells how it ended and how it left the terminal.
const SCRIPT: &str = r#"
stty rows 24 cols 80
sh -c 'echo "pid=$$"; exec "$0" top' "$1"
echo "left=$?"
stty -a
echo "end"
"#;

pub(super) struct Terminal {
    child: Child,
    output: Receiver<Vec<u8>>,
    received: Vec<u8>,
}

impl Terminal {
    /// Starts `trueup top` on a terminal of 80 columns and 24 rows, with these variables.
    pub(super) fn start(home: &Home, variables: &[(&str, &str)]) -> Option<Self> {
        if Command::new("script").arg("--version").output().is_err() {
            let line = b"\nSKIPPED: there is no program `script`\n";
            std::io::stderr().write_all(line).unwrap();
            return None;
        }
        let script = home.root().join("screen.sh");
        fs::write(&script, SCRIPT).unwrap();
        let binary = find_binary("trueup").unwrap();
        let line = format!("sh '{}' '{}'", script.display(), binary.display());
        let mut run = home.prepare_run("trueup").env("TERM", "xterm");
        for (name, value) in variables {
            run = run.env(name, value);
        }
        let arguments = ["-qec", &line, "/dev/null"].map(Into::into);
        let mut child = run.run_through("script", |_| arguments.to_vec()).spawn();
        let mut stdout = child.stdout.take().unwrap();
        let (sender, output) = channel();
        thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(read) = stdout.read(&mut chunk)
                && read > 0
                && sender.send(chunk[..read].to_vec()).is_ok()
            {}
        });
        Some(Self { child, output, received: Vec::new() })
    }

    pub(super) fn press(&mut self, keys: &str) {
        self.child.stdin.as_mut().unwrap().write_all(keys.as_bytes()).unwrap();
    }

    /// Sends a signal to the program.
    pub(super) fn send_signal(&mut self, signal: &str) {
        let text = self.text();
        let (_, rest) = text.split_once("pid=").unwrap();
        let pid: String = rest.chars().take_while(char::is_ascii_digit).collect();
        assert!(
            Command::new("kill").args([&format!("-{signal}"), &pid]).status().unwrap().success()
        );
    }

    #[track_caller]
    pub(super) fn wait_for(&mut self, text: &str) {
        self.wait_until(text, |screen| screen.contains(text));
    }

    /// Waits until the screen is as it should be.
    #[track_caller]
    pub(super) fn wait_until(&mut self, what: &str, is_shown: impl Fn(&str) -> bool) {
        loop {
            let screen = render(&self.text());
            if is_shown(&screen) {
                return;
            }
            let Ok(chunk) = self.output.recv_timeout(PATIENCE) else {
                panic!("{what:?} is not shown:\n{screen}");
            };
            self.received.extend(chunk);
        }
    }

    /// Waits until the program has ended and its terminal was looked at; returns its exit code, as
    /// a shell sees it.
    pub(super) fn wait_for_end(&mut self) -> String {
        while !self.text().contains("end\r\n") {
            let Ok(chunk) = self.output.recv_timeout(PATIENCE) else {
                panic!("it does not end:\n{}", self.text());
            };
            self.received.extend(chunk);
        }
        let text = self.text();
        let (_, rest) = text.split_once("left=").unwrap();
        let modes: Vec<&str> = rest.split_whitespace().collect();
        for mode in ["icanon", "echo", "isig"] {
            assert!(modes.contains(&mode), "{mode} in {rest}");
        }
        modes[0].to_owned()
    }

    /// Whether these bytes came.
    pub(super) fn received(&self, text: &str) -> bool {
        self.text().contains(text)
    }

    /// Whether the screen is shown in place of what was there before, without a cursor.
    pub(super) fn is_taken(&self) -> bool {
        let text = self.text();
        let is_on = |on: &str, off: &str| text.rfind(on) > text.rfind(off);
        let is_taken = is_on("\u{1b}[?1049h", "\u{1b}[?1049l");
        assert_eq!(is_taken, is_on("\u{1b}[?25l", "\u{1b}[?25h"), "the cursor");
        is_taken
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.received).into_owned()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns what a terminal shows after this output: places of the cursor, erased screens, texts.
fn render(output: &str) -> String {
    let mut cells: BTreeMap<(usize, usize), char> = BTreeMap::new();
    let (mut row, mut column) = (1, 1);
    let mut rest = output.chars();
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' => match rest.next() {
                Some('[') => {
                    let mut parameters = String::new();
                    let last = rest.find(|c| {
                        parameters.push(*c);
                        c.is_ascii_alphabetic()
                    });
                    parameters.pop();
                    match (last, &*parameters) {
                        (Some('H'), place) => {
                            let mut numbers = place.split(';').map(|n| n.parse().unwrap_or(1));
                            row = numbers.next().unwrap_or(1);
                            column = numbers.next().unwrap_or(1);
                        }
                        (Some('J'), _) | (Some('h' | 'l'), "?1049") => cells.clear(),
                        _ => {}
                    }
                }
                Some(']') => {
                    rest.find(|c| *c == '\u{7}');
                }
                _ => {}
            },
            '\r' => column = 1,
            '\n' => row += 1,
            c => {
                cells.insert((row, column), c);
                column += 1;
            }
        }
    }
    let last = cells.keys().map(|(row, _)| *row).max().unwrap_or(0);
    let line = |row: usize| -> String {
        (1..=80).map(|column| cells.get(&(row, column)).copied().unwrap_or(' ')).collect()
    };
    (1..=last).map(|row| line(row).trim_end().to_owned() + "\n").collect()
}
