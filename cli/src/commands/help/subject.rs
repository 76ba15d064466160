//! What `trueup help` is asked about.

use std::sync::LazyLock;

use clap::ValueEnum;
use clap::builder::PossibleValue;
use trueup_core::diagnostic::Code;

use super::Topic;

/// A topic, or the code of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HelpSubject {
    Topic(Topic),
    Code(Code),
}

impl HelpSubject {
    /// Returns the name by which it is asked for.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Topic(topic) => topic.name(),
            Self::Code(code) => code.as_str(),
        }
    }

    /// Returns what is said of it.
    pub(super) fn text(self) -> String {
        match self {
            Self::Topic(topic) => topic.text().to_owned(),
            Self::Code(code) => format!(
                "{code}: {title}\n\
                 Severity: {severity}\n\
                 Right is: {authority}\n\
                 Each finding is printed with the command that ends it, as its fix.\n",
                code = code.as_str(),
                title = code.title(),
                severity = code.severity().as_str(),
                authority = code.fact().rule().describe(),
            ),
        }
    }

    /// Returns the subject of a name, whatever its case.
    pub(crate) fn find(name: &str) -> Option<Self> {
        Self::from_str(name, true).ok()
    }
}

impl ValueEnum for HelpSubject {
    fn value_variants<'a>() -> &'a [Self] {
        static ALL: LazyLock<Vec<HelpSubject>> = LazyLock::new(|| {
            let topics = Topic::value_variants().iter().copied().map(HelpSubject::Topic);
            topics.chain(Code::ALL.iter().copied().map(HelpSubject::Code)).collect()
        });
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        match self {
            Self::Topic(topic) => topic.to_possible_value(),
            // Forty of them would hide the topics.
            Self::Code(code) => Some(PossibleValue::new(code.as_str()).hide(true)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_and_code_is_found_by_its_name_in_any_case() {
        for subject in HelpSubject::value_variants() {
            assert_eq!(HelpSubject::find(subject.name()), Some(*subject));
            assert_eq!(HelpSubject::find(&subject.name().to_lowercase()), Some(*subject));
            assert!(subject.text().lines().count() > 3, "{}", subject.name());
        }
        assert_eq!(HelpSubject::find("C-99"), None);
    }
}
