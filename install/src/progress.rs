//! Shows what cargo is compiling: a bar on a terminal, plain lines elsewhere.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use crate::terminal_text::clean_text;
use indicatif::{ProgressBar, ProgressStyle};

/// The display of one build.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Starts the display.
    pub(crate) fn start() -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            let style = "{spinner} {elapsed:>3} [{bar:28}] {pos}/{len} {wide_msg}";
            if let Ok(style) = ProgressStyle::with_template(style) {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        Self { bar }
    }

    /// Returns whether a bar is shown.
    pub(crate) const fn is_bar(&self) -> bool {
        self.bar.is_some()
    }

    /// Shows one line of cargo's status output.
    pub(crate) fn show_line(&self, line: &str) {
        let line = clean_text(line);
        let line = line.trim();
        match (&self.bar, parse_cargo_bar(line)) {
            (Some(bar), Some((done, all, crates))) => {
                bar.set_length(all);
                bar.set_position(done);
                bar.set_message(crates.to_owned());
            }
            (Some(bar), None)
                if bar.length().is_none_or(|all| all == 0) && line.starts_with("Compiling ") =>
            {
                bar.set_message(line.to_owned());
            }
            (None, _)
                if ["Compiling ", "Downloaded ", "Finished "]
                    .iter()
                    .any(|w| line.starts_with(w)) =>
            {
                drop(writeln!(io::stderr(), "  {line}"));
            }
            _ => {}
        }
    }

    /// Ends the display.
    pub(crate) fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Parses cargo's own bar: `Building [====>   ] 12/57: serde, clap`.
fn parse_cargo_bar(line: &str) -> Option<(u64, u64, &str)> {
    let rest = line.strip_prefix("Building")?.split_once(']')?.1;
    let (numbers, crates) = rest.split_once(':').unwrap_or((rest, ""));
    let (done, all) = numbers.trim().split_once('/')?;
    Some((done.parse().ok()?, all.parse().ok()?, crates.trim()))
}

#[cfg(test)]
mod tests {
    use super::parse_cargo_bar;

    #[test]
    fn cargos_bar_is_read() {
        let line = "Building [=====>     ] 12/57: serde_json, clap";
        assert_eq!(parse_cargo_bar(line), Some((12, 57, "serde_json, clap")));
        assert_eq!(parse_cargo_bar("Building [   ] 0/3"), Some((0, 3, "")));
        assert_eq!(parse_cargo_bar("Compiling serde v1.0.0"), None);
    }
}
