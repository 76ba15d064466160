//! The output of a process that ended.

use serde_json::Value;

/// Exit status and output of a process that ended.
#[derive(Debug, Clone)]
pub struct ProcessOutput {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it printed to stderr.
    pub stderr: String,
}

impl ProcessOutput {
    /// Returns stdout as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("stdout is not JSON ({error}): {self:?}"))
    }

    /// Returns the lines of `systemMessage`.
    pub fn message(&self) -> Vec<String> {
        if self.stdout.is_empty() {
            return Vec::new();
        }
        let lines = self.json()["systemMessage"].as_str().map(str::to_owned);
        lines.iter().flat_map(|text| text.lines()).map(str::to_owned).collect()
    }

    /// Returns the context for the agent.
    pub fn context(&self) -> String {
        if self.stdout.is_empty() {
            return String::new();
        }
        let context = &self.json()["hookSpecificOutput"]["additionalContext"];
        context.as_str().unwrap_or_default().to_owned()
    }

    /// Returns the nonce of the delimiters in the context.
    pub fn nonce(&self) -> String {
        let context = self.context();
        let start = context.find("<trueup-data ").map(|at| at + "<trueup-data ".len());
        let rest = start.and_then(|at| context.get(at..)).unwrap_or_default();
        rest.split('>').next().unwrap_or_default().to_owned()
    }

    /// Returns stdout with all that differs between runs replaced: nonce, times, scratch directory.
    pub fn normalized(&self, root: &std::path::Path) -> Value {
        let nonce = self.nonce();
        let mut text = self.stdout.replace(&*root.to_string_lossy(), "ROOT");
        if !nonce.is_empty() {
            text = text.replace(&nonce, "NONCE");
        }
        serde_json::from_str(&without_times(&text)).unwrap_or_default()
    }

    /// Asserts success without any output.
    #[track_caller]
    pub fn assert_silent(&self) {
        assert_eq!((self.code, self.stdout.as_str(), self.stderr.as_str()), (Some(0), "", ""));
    }

    /// Asserts success with nothing on stderr.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!((self.code, self.stderr.as_str()), (Some(0), ""), "{}", self.stdout);
        self
    }

    /// Asserts exit code 0, an empty stdout and one line on stderr, and returns that line.
    #[track_caller]
    pub fn single_line(&self) -> String {
        assert_eq!((self.code, self.stdout.as_str()), (Some(0), ""), "{}", self.stderr);
        assert_eq!(self.stderr.lines().count(), 1, "{}", self.stderr);
        self.stderr.trim_end().to_owned()
    }
}

/// Replaces every time such as `2026-02-02T03:00:00.000Z` by `TIME`.
pub fn without_times(text: &str) -> String {
    const SHAPE: &str = "0000-00-00T00:00:00.000Z";
    let fits = |part: &str| {
        part.len() == SHAPE.len()
            && part.chars().zip(SHAPE.chars()).all(|(c, shape)| match shape {
                '0' => c.is_ascii_digit(),
                other => c == other,
            })
    };
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if rest.get(..SHAPE.len()).is_some_and(fits) {
            out.push_str("TIME");
            rest = rest.get(SHAPE.len()..).unwrap_or_default();
        } else {
            out.push(c);
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
    }
    out
}
