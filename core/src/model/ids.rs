//! Identifiers, validated before they reach a path or a query.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} {text:?} {problem}")]
pub struct IdError {
    kind: &'static str,
    text: String,
    problem: String,
}

/// Longest excerpt of a bad identifier in an error, in characters.
const EXCERPT: usize = 40;

fn check(
    kind: &'static str,
    text: &str,
    length: RangeInclusive<usize>,
    extra: &str,
) -> Result<(), IdError> {
    let fail = |problem: String| {
        Err(IdError { kind, text: text.chars().take(EXCERPT).collect(), problem })
    };
    if text.is_empty() {
        return fail("is empty".to_owned());
    }
    if text.len() < *length.start() {
        return fail(format!("is shorter than {} characters", length.start()));
    }
    if text.len() > *length.end() {
        return fail(format!("is longer than {} characters", length.end()));
    }
    // Almost every identifier has only these characters, and every kind allows them.
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if text.bytes().all(is_plain) && !text.starts_with('-') {
        return Ok(());
    }
    if let Some(bad) = text.chars().find(|c| !c.is_ascii_alphanumeric() && !extra.contains(*c)) {
        let bad = match bad {
            ' ' => "a space".to_owned(),
            other => format!("{other:?}"),
        };
        return fail(format!("contains {bad}; allowed are letters, digits and {extra}"));
    }
    // `.` and `..` name directories, and a leading dot or dash hides a file or reads as a flag.
    if text.starts_with(['.', '-']) || text.contains("..") {
        return fail("looks like a path or a flag".to_owned());
    }
    Ok(())
}

/// Validates like [`check`], and also that the text begins with a letter or digit.
fn check_slug(
    kind: &'static str,
    text: &str,
    length: RangeInclusive<usize>,
    extra: &str,
) -> Result<(), IdError> {
    check(kind, text, length, extra)?;
    if text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Ok(());
    }
    Err(IdError {
        kind,
        text: text.chars().take(EXCERPT).collect(),
        problem: "must start with a letter or digit".to_owned(),
    })
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $length:expr, $extra:literal) => {
        identifier!($(#[$doc])* $name, $kind, $length, $extra, check);
    };
    ($(#[$doc:meta])* $name:ident, $kind:literal, $length:expr, $extra:literal, $check:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Returns the identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                $check($kind, text, $length, $extra)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

identifier!(
    /// A Claude Code session, as the client names it on a hook's stdin (a UUID in practice).
    ///
    /// At most 128 characters of letters, digits, `.`, `_` and `-`, so that it is safe as a
    /// part of a file name.
    SessionId, "session id", 1..=128, "._-"
);

identifier!(
    /// A workflow, named like the directory of its metadata: `77c90e61` or `adw-3af4a34d`.
    ///
    /// 1 to 64 characters: letters, digits, `_` and `-`, not starting with `-`.
    AdwId, "workflow id", 1..=64, "_-"
);

identifier!(
    /// The key of a work item, such as `SD-LEO-SELF-IMPROVE-002C`.
    ///
    /// 1 to 200 characters: letters, digits, `.`, `_`, `-`, `:` and `#`; no path forms.
    ItemKey, "item key", 1..=200, "._-:#"
);

impl ItemKey {
    /// The key of an item whose own name has no character that a key may have.
    pub(crate) fn unnamed() -> Self {
        Self("unnamed".to_owned())
    }
}

identifier!(
    /// The id that a workplan file has for a workplan or a task, in practice a UUID.
    ///
    /// 1 to 64 characters: letters, digits and `-`, not starting with `-`.
    WorkplanLink, "workplan link", 1..=64, "-"
);

identifier!(
    /// The workflow or task that a pair of ports is reserved for, such as the workflow `3af4a34d`.
    ///
    /// 1 to 64 characters: letters, digits, `.`, `_` and `-`; no path forms.
    ReservationId, "reservation id", 1..=64, "._-"
);

identifier!(
    /// The id of an operation, which makes a write happen once however often it is sent. A script
    /// that passes one may repeat its command safely.
    ///
    /// 8 to 128 characters, so that a script that counts from 1 does not collide with another one:
    /// letters, digits, `.`, `_`, `-` and `:`.
    OperationId, "operation id", 8..=128, "._-:"
);

identifier!(
    /// The name of a token, of a machine or a person, such as `lead` or `build-7.example.com`.
    ///
    /// 1 to 100 characters: letters, digits, `.`, `_` and `-`, starting with a letter or digit.
    TokenName, "token name", 1..=100, "._-", check_slug
);

identifier!(
    /// Something that needs a person: its kind and what it is about, such as
    /// `gate_refusal:0b5d3f8e` or `journal_entry:j-0a1b2c3d4e`.
    ///
    /// 1 to 200 characters: letters, digits, `.`, `_`, `-`, `:` and `#`; no path forms.
    AttentionId, "id of what needs a person", 1..=200, "._-:#"
);

impl AttentionId {
    /// Makes an id from a digest of what it is about.
    pub(super) fn of_digest(kind: &str, digest: &str) -> Self {
        let digest: String = digest.chars().filter(char::is_ascii_alphanumeric).take(64).collect();
        Self(format!("{kind}:d-{digest}"))
    }
}

identifier!(
    /// A plan, named after its file, such as `master-plan`.
    ///
    /// 1 to 200 characters: letters, digits, `.`, `_` and `-`; no path forms.
    PlanId, "plan id", 1..=200, "._-"
);

identifier!(
    /// One run of a plan, such as `orch-0a1b2c3d4e5f`.
    ///
    /// At most 64 characters of letters, digits, `.`, `_` and `-`.
    OrchestratorId, "orchestrator id", 1..=64, "._-"
);

identifier!(
    /// A repository, by the name that the copies of its state file have in other repositories, such
    /// as `AI_Orchestrator`.
    ///
    /// 1 to 64 characters: letters, digits, `.`, `_` and `-`, starting with a letter or digit. Case
    /// is kept but not compared: see [`RepoSlug::is_same`].
    RepoSlug, "repository slug", 1..=64, "._-", check_slug
);

impl RepoSlug {
    /// Returns whether a text names this repository. Case is ignored, because file systems and people
    /// differ on it.
    pub fn is_same(&self, text: &str) -> bool {
        self.0.eq_ignore_ascii_case(text)
    }
}

impl SessionId {
    /// Most characters of a name in an id.
    const NAME_CHARS: usize = 40;

    /// Makes the id of a session whose client gives it none, from 48 random bits and the name of
    /// the client. The bits come first, because ids are shortened to their beginning. A character
    /// that an id cannot have becomes a dash.
    pub fn from_random_bits(bits: u128, name: &str) -> Self {
        const MASK: u128 = (1 << 48) - 1;
        let to_allowed =
            |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
        let name: String = name.chars().take(Self::NAME_CHARS).map(to_allowed).collect();
        let name = name.trim_matches('-');
        let dash = if name.is_empty() { "" } else { "-" };
        Self(format!("{:012x}{dash}{name}", bits & MASK))
    }
}

impl OrchestratorId {
    /// Makes an id from 48 random bits: short enough to type, and long enough that two runs never
    /// share one.
    pub fn from_random_bits(bits: u128) -> Self {
        const MASK: u128 = (1 << 48) - 1;
        Self(format!("orch-{:012x}", bits & MASK))
    }
}

impl PlanId {
    /// Characters left free for a number behind the longest stem.
    const NUMBER_CHARS: usize = 20;

    /// Makes the id of a plan from the stem of its file name. A character that an id cannot have
    /// becomes a dash, and a stem without a letter or digit of ASCII becomes `plan`.
    ///
    /// # Errors
    ///
    /// None in practice; the signature is that of parsing.
    pub fn from_stem(stem: &str) -> Result<Self, IdError> {
        let mut text = String::new();
        for c in stem.chars().take(200 - Self::NUMBER_CHARS) {
            let kept = c.is_ascii_alphanumeric() || "._-".contains(c);
            let c = if kept { c } else { '-' };
            let repeats = !c.is_ascii_alphanumeric() && text.ends_with(c);
            if !repeats {
                text.push(c);
            }
        }
        let text = text.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        if text.is_empty() { "plan" } else { text }.parse()
    }

    /// Makes the id of another plan whose file has the same name.
    ///
    /// # Errors
    ///
    /// When the id gets too long with the number.
    pub fn with_number(&self, number: u32) -> Result<Self, IdError> {
        format!("{self}-{number}").parse()
    }
}

identifier!(
    /// A hand-off, such as `h-0a1b2c3d4e`.
    HandoffId, "hand-off id", 1..=64, "_-"
);

impl HandoffId {
    /// Bits of the random number that an id keeps. Ten hexadecimal digits can be typed without a
    /// mistake, and the database refuses a duplicate.
    const BITS: u32 = 40;

    /// Makes an id from a random number.
    pub fn from_random(number: u64) -> Self {
        Self(format!("h-{:010x}", number >> (u64::BITS - Self::BITS)))
    }
}

identifier!(
    /// The kind of a hand-off: one of [`HandoffType::KNOWN`], or a name of the user's own.
    ///
    /// 1 to 64 letters, digits, `-` and `_`.
    HandoffType, "hand-off type", 1..=64, "_-"
);

impl HandoffType {
    /// The kinds that are used by convention.
    pub const KNOWN: [&'static str; 6] = [
        "LEAD-TO-PLAN",
        "PLAN-TO-EXEC",
        "EXEC-TO-PLAN",
        "PLAN-TO-LEAD",
        "LEAD-FINAL-APPROVAL",
        "BYPASS-COMPLETION",
    ];
}

identifier!(
    /// The id of a row of the phase queue: `ITEM:NUMBER` for a row that trueup added, such as
    /// `SD-002C:3`. Rows added by plain SQL may have any id.
    QueueId, "queue id", 1..=240, "._-:#"
);

impl QueueId {
    /// Makes the id of a phase from its item and number, which is used once per item.
    pub fn for_phase(item: &ItemKey, number: u32) -> Self {
        Self(format!("{item}:{number}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_id_reads_back() {
        for bits in [0, 0xabc, u128::MAX] {
            let id = OrchestratorId::from_random_bits(bits);
            assert_eq!(id.as_str().parse(), Ok(id.clone()));
            assert_eq!(id.as_str().len(), 17);
        }
    }

    #[test]
    fn a_session_id_begins_with_its_random_part() {
        for (name, id) in [
            ("mcp-cursor", "000000000abc-mcp-cursor"),
            ("Claude Code (x)", "000000000abc-claude-code--x"),
            ("../é", "000000000abc"),
            ("", "000000000abc"),
        ] {
            let made = SessionId::from_random_bits(0xabc, name);
            assert_eq!((made.as_str(), id.parse()), (id, Ok(made.clone())));
        }
        let long = SessionId::from_random_bits(u128::MAX, &"n".repeat(500));
        assert_eq!(long.as_str().parse(), Ok(long.clone()));
    }

    #[test]
    fn keys_of_the_wild_are_accepted() {
        for key in ["SD-002B", "SD-LEO-SELF-IMPROVE-002C", "issue#170", "a", "wp:T01", "v1.2_x"] {
            assert_eq!(key.parse::<ItemKey>().unwrap().as_str(), key);
        }
        assert!("k".repeat(200).parse::<ItemKey>().is_ok());
    }

    #[test]
    fn path_forms_and_control_characters_are_refused() {
        for key in ["", ".", "..", "a/b", "a\\b", "../x", "a..b", ".x", "-x", "a b", "a\n", "é"] {
            assert!(key.parse::<ItemKey>().is_err(), "{key:?} was accepted");
            assert!(key.parse::<SessionId>().is_err(), "{key:?} was accepted");
        }
        assert!("k".repeat(201).parse::<ItemKey>().is_err());
        assert!("s".repeat(129).parse::<SessionId>().is_err());
        assert!("r".repeat(64).parse::<ReservationId>().is_ok());
        assert!("r".repeat(65).parse::<ReservationId>().is_err());
        assert!("o".repeat(8).parse::<OperationId>().is_ok());
        assert!("o".repeat(7).parse::<OperationId>().is_err());
        assert!("o".repeat(129).parse::<OperationId>().is_err());
        assert!("a:b".parse::<SessionId>().is_err(), "a colon is not a file name on every system");
    }

    #[test]
    fn types_of_the_seed_and_names_of_ones_own() {
        for text in HandoffType::KNOWN.into_iter().chain(["to_review", "x2"]) {
            assert_eq!(text.parse::<HandoffType>().unwrap().as_str(), text);
        }
        for text in ["", "a b", "a.b", "--to", "é", &"t".repeat(65)] {
            assert!(text.parse::<HandoffType>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_id_of_a_number_is_an_id() {
        for (number, id) in [(0, "h-0000000000"), (u64::MAX, "h-ffffffffff")] {
            assert_eq!(HandoffId::from_random(number).as_str(), id);
            assert_eq!(id.parse::<HandoffId>(), Ok(HandoffId::from_random(number)));
        }
    }

    #[test]
    fn a_workflow_id_is_one_name_of_a_directory() {
        for id in ["77c90e61", "adw-3af4a34d", "a", "A_1"] {
            assert_eq!(id.parse::<AdwId>().unwrap().as_str(), id);
        }
        for id in ["", "..", "a.b", "a/b", "a:b", "-x", "a b", "é"] {
            assert!(id.parse::<AdwId>().is_err(), "{id:?} was accepted");
        }
        assert!("a".repeat(65).parse::<AdwId>().is_err());
    }

    #[test]
    fn a_repository_is_named_in_any_case() {
        let slug: RepoSlug = "AI_Orchestrator".parse().unwrap();
        assert_eq!(slug.as_str(), "AI_Orchestrator");
        assert!(slug.is_same("ai_ORCHESTRATOR") && !slug.is_same("AI-Orchestrator"));
        for text in ["a", "3af4", "v1.2_x-y", &"r".repeat(64)] {
            assert!(text.parse::<RepoSlug>().is_ok(), "{text:?} was refused");
        }
        for text in ["", "_a", "-a", ".a", "a..b", "a/b", "a b", "é", "a:b", &"r".repeat(65)] {
            assert!(text.parse::<RepoSlug>().is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn a_space_is_named_by_its_word() {
        let error = "a b".parse::<ItemKey>().unwrap_err().to_string();
        assert!(error.starts_with("item key \"a b\" contains a space;"), "{error}");
    }

    #[test]
    fn an_error_names_the_kind_and_an_excerpt() {
        let error = "a/b".parse::<ItemKey>().unwrap_err().to_string();
        assert!(error.starts_with("item key \"a/b\" contains '/'"), "{error}");
    }

    #[test]
    fn a_plan_is_named_after_its_file() {
        for (stem, id) in [
            ("fix-issues", "fix-issues"),
            ("2025-12-27 Überplan (v2)", "2025-12-27-berplan-v2"),
            ("..", "plan"),
            ("", "plan"),
            ("計画", "plan"),
            ("a..b__c", "a.b_c"),
            ("-rf", "rf"),
        ] {
            let made = PlanId::from_stem(stem).unwrap();
            assert_eq!(made.as_str(), id, "{stem:?}");
        }
        let longest = PlanId::from_stem(&"x".repeat(500)).unwrap();
        assert!(longest.with_number(u32::MAX).is_ok());
        assert_eq!(longest.with_number(2).unwrap().as_str().len(), 182);
    }
}
