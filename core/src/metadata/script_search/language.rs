//! The languages that scripts are searched in, and how one is detected.

/// A language with patterns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Python.
    Python,
    /// JavaScript or TypeScript.
    JavaScript,
    /// Ruby.
    Ruby,
    /// Go.
    Go,
    /// Rust.
    Rust,
    /// Shells, and files that hold their commands, such as workflows and Makefiles.
    Shell,
}

impl Language {
    /// Tells the language by a file's name, else by its first line.
    pub fn detect(name: &str, first_line: &str) -> Option<Self> {
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        match extension {
            "py" | "pyi" | "pyw" => Some(Self::Python),
            "js" | "jsx" | "cjs" | "mjs" | "ts" | "tsx" | "cts" | "mts" => Some(Self::JavaScript),
            "rb" | "rake" => Some(Self::Ruby),
            "go" => Some(Self::Go),
            "rs" => Some(Self::Rust),
            "sh" | "bash" | "zsh" | "ksh" | "yml" | "yaml" | "mk" => Some(Self::Shell),
            _ if matches!(name, "Makefile" | "justfile" | "Justfile") => Some(Self::Shell),
            _ => Self::from_shebang(first_line.strip_prefix("#!")?),
        }
    }

    fn from_shebang(command: &str) -> Option<Self> {
        let interpreters = [
            ("python", Self::Python),
            ("uv run", Self::Python),
            ("node", Self::JavaScript),
            ("bun", Self::JavaScript),
            ("deno", Self::JavaScript),
            ("ruby", Self::Ruby),
            ("sh", Self::Shell),
        ];
        let found = interpreters.iter().find(|(name, _)| command.contains(name));
        found.map(|(_, language)| *language)
    }

    /// Returns what begins a comment that runs to the end of its line.
    pub(super) const fn comment_mark(self) -> &'static str {
        match self {
            Self::Python | Self::Ruby | Self::Shell => "#",
            Self::JavaScript | Self::Go | Self::Rust => "//",
        }
    }
}
