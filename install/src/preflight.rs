//! What this machine lacks, found before the work starts.

use std::path::PathBuf;

use crate::client_events::ClientVersion;
use crate::error::Error;
use crate::files;

/// The oldest version of the client that trueup is tested with.
const OLDEST_CLIENT: ClientVersion = ClientVersion::new([2, 1, 328]);

/// What an installation looks for on a machine.
#[derive(Debug)]
pub(crate) struct MachineFacts {
    /// Whether something has to be compiled.
    pub(crate) compiles: bool,
    /// Whether there is a C compiler.
    pub(crate) has_c_compiler: bool,
    /// Whether there is git.
    pub(crate) has_git: bool,
    /// The client, unless it is not to be used.
    pub(crate) client: ClientFacts,
    /// The client's settings, if they cannot be understood, and why.
    pub(crate) broken_settings: Option<(String, String)>,
    /// Codex, unless it is not to be used.
    pub(crate) codex: ClientFacts,
    /// The directory of the commands, if it is not on PATH.
    pub(crate) missing_path: Option<PathBuf>,
    /// How packages are installed.
    pub(crate) packages: PackageManager,
}

/// What is known of the client.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ClientFacts {
    /// It is not to be used.
    Unwanted,
    /// It is not on PATH.
    Absent,
    /// It is there and does not run, with what it said.
    Broken(String),
    /// It is there; the version, if it prints one.
    Present(Option<ClientVersion>),
}

/// Something that is missing, and what helps.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Lack {
    /// What is missing, and what does not work without it.
    pub(crate) what: String,
    /// The command that helps.
    pub(crate) help: String,
}

/// Lists what is missing but stops nothing.
pub(crate) fn find_lacks(facts: &MachineFacts) -> Vec<Lack> {
    let mut lacks = Vec::new();
    if !facts.has_git {
        lacks.push(Lack {
            what: "git was not found: branches cannot be compared, and workplans not committed"
                .to_owned(),
            help: facts.packages.install_command(Package::Git),
        });
    }
    if let Some((path, why)) = &facts.broken_settings {
        lacks.push(Lack {
            what: format!("{path} is not valid JSON ({why}): the plugin cannot be registered"),
            help: format!("correct {path}, then run trueup install"),
        });
    }
    match &facts.client {
        ClientFacts::Broken(why) => lacks.push(Lack {
            what: format!("`claude` is on PATH and does not run ({why})"),
            help: "run claude --version to see why, then trueup install".to_owned(),
        }),
        ClientFacts::Absent => lacks.push(Lack {
            what: "`claude` is not on PATH: the plugin is staged and not registered".to_owned(),
            help: "install Claude Code, then run trueup install".to_owned(),
        }),
        ClientFacts::Present(Some(version)) if *version < OLDEST_CLIENT => lacks.push(Lack {
            what: format!(
                "Claude Code {version} is older than {OLDEST_CLIENT}, the oldest version trueup is \
                 tested with"
            ),
            help: "claude update".to_owned(),
        }),
        ClientFacts::Unwanted | ClientFacts::Present(_) => {}
    }
    if facts.codex == ClientFacts::Absent {
        lacks.push(Lack {
            what: "`codex` is not on PATH: the hooks are registered for when it is".to_owned(),
            help: "install Codex".to_owned(),
        });
    }
    if let Some(dir) = &facts.missing_path {
        lacks.push(Lack {
            what: format!(
                "{} is not on PATH: your shell will not find the commands",
                dir.display()
            ),
            help: format!("export PATH=\"{}:$PATH\"", dir.display()),
        });
    }
    lacks
}

/// Refuses to begin what cannot succeed.
pub(crate) fn check_compiler(facts: &MachineFacts) -> Result<(), Error> {
    if !facts.compiles || facts.has_c_compiler {
        return Ok(());
    }
    Err(Error::Tool {
        what: "no C compiler was found".to_owned(),
        detail: "SQLite is compiled from source".to_owned(),
        hint: facts.packages.install_command(Package::CCompiler),
    })
}

/// How packages are installed on this system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PackageManager {
    /// Debian, Ubuntu and their kin.
    Apt,
    /// Fedora, Red Hat and their kin.
    Dnf,
    /// Arch and its kin.
    Pacman,
    /// Alpine.
    Apk,
    /// openSUSE and its kin.
    Zypper,
    /// macOS.
    Xcode,
    /// Something else.
    Unknown,
}

/// Something that a distribution has a package of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Package {
    /// A C compiler with the headers of the C library.
    CCompiler,
    /// The C compiler for small static programs.
    MuslCompiler,
    /// git.
    Git,
}

impl PackageManager {
    /// Finds out how packages are installed here.
    pub(crate) fn detect() -> Self {
        if cfg!(target_os = "macos") {
            return Self::Xcode;
        }
        let files = ["/etc/os-release", "/usr/lib/os-release"];
        let text = files.iter().find_map(|path| files::read_file(path.as_ref()).ok());
        Self::from_os_release(&String::from_utf8_lossy(&text.unwrap_or_default()))
    }

    /// Reads it from the words of `ID` and `ID_LIKE` in os-release(5).
    fn from_os_release(text: &str) -> Self {
        let value = |key: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
            line.unwrap_or_default().trim_matches(['"', '\'']).to_owned()
        };
        let words = format!("{} {}", value("ID"), value("ID_LIKE"));
        let known = |word: &str| match word {
            "debian" | "ubuntu" => Some(Self::Apt),
            "fedora" | "rhel" | "centos" => Some(Self::Dnf),
            "arch" => Some(Self::Pacman),
            "alpine" => Some(Self::Apk),
            "suse" | "opensuse" => Some(Self::Zypper),
            _ => None,
        };
        words.split_whitespace().find_map(known).unwrap_or(Self::Unknown)
    }

    /// Returns the command that installs a package.
    pub(crate) fn install_command(self, package: Package) -> String {
        let names = match package {
            Package::CCompiler => match self {
                Self::Apt => "gcc libc6-dev",
                Self::Apk => "build-base",
                Self::Dnf | Self::Pacman | Self::Zypper | Self::Xcode | Self::Unknown => "gcc",
            },
            Package::MuslCompiler => match self {
                Self::Apt => "musl-tools",
                Self::Dnf => "musl-gcc",
                Self::Apk => "build-base",
                Self::Pacman | Self::Zypper | Self::Xcode | Self::Unknown => "musl",
            },
            Package::Git => "git",
        };
        match self {
            Self::Apt => format!("sudo apt install {names}"),
            Self::Dnf => format!("sudo dnf install {names}"),
            Self::Pacman => format!("sudo pacman -S {names}"),
            Self::Apk => format!("apk add {names}"),
            Self::Zypper => format!("sudo zypper install {names}"),
            Self::Xcode => "xcode-select --install".to_owned(),
            Self::Unknown => format!("install {names} with the packages of this system"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> MachineFacts {
        MachineFacts {
            compiles: true,
            has_c_compiler: true,
            has_git: true,
            client: ClientFacts::Present(Some(OLDEST_CLIENT)),
            broken_settings: None,
            codex: ClientFacts::Unwanted,
            missing_path: None,
            packages: PackageManager::Apt,
        }
    }

    #[test]
    fn a_machine_with_everything_lacks_nothing() {
        assert_eq!(find_lacks(&facts()), []);
        assert!(check_compiler(&facts()).is_ok());
    }

    #[test]
    fn each_lack_is_named_with_what_helps() {
        let old = ClientFacts::Present(ClientVersion::parse("2.1.327"));
        for (facts, word, help) in [
            (MachineFacts { has_git: false, ..facts() }, "git", "sudo apt install git"),
            (MachineFacts { client: ClientFacts::Absent, ..facts() }, "claude", "trueup install"),
            (MachineFacts { codex: ClientFacts::Absent, ..facts() }, "codex", "install Codex"),
            (
                MachineFacts { client: ClientFacts::Broken("exit 1".to_owned()), ..facts() },
                "does not run (exit 1)",
                "claude --version",
            ),
            (
                MachineFacts { broken_settings: Some(("s.json".into(), "eof".into())), ..facts() },
                "s.json is not valid JSON (eof)",
                "correct s.json",
            ),
            (MachineFacts { client: old, ..facts() }, "2.1.327", "claude update"),
            (
                MachineFacts { missing_path: Some("/home/ann/.local/bin".into()), ..facts() },
                "/home/ann/.local/bin",
                "export PATH",
            ),
        ] {
            let lacks = find_lacks(&facts);
            let [lack] = lacks.as_slice() else { panic!("{lacks:?}") };
            assert!(lack.what.contains(word) && lack.help.contains(help), "{lack:?}");
        }
        let unknown = ClientFacts::Present(None);
        for client in [ClientFacts::Unwanted, unknown] {
            assert_eq!(find_lacks(&MachineFacts { client, ..facts() }), []);
        }
    }

    #[test]
    fn nothing_is_compiled_without_a_compiler() {
        let without = MachineFacts { has_c_compiler: false, ..facts() };
        let error = check_compiler(&without).unwrap_err();
        assert_eq!(error.hint(), "sudo apt install gcc libc6-dev");
        assert!(check_compiler(&MachineFacts { compiles: false, ..without }).is_ok());
    }

    #[test]
    fn a_distribution_is_known_by_itself_or_by_what_it_is_like() {
        for (text, expected) in [
            ("PRETTY_NAME=\"Debian\"\nID=debian\n", PackageManager::Apt),
            ("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", PackageManager::Apt),
            ("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n", PackageManager::Dnf),
            ("ID=manjaro\nID_LIKE=arch\n", PackageManager::Pacman),
            ("ID=alpine\n", PackageManager::Apk),
            ("ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\n", PackageManager::Zypper),
            ("ID=nixos\n", PackageManager::Unknown),
            ("", PackageManager::Unknown),
        ] {
            assert_eq!(PackageManager::from_os_release(text), expected, "{text}");
        }
    }
}
