//! The six elements of a hand-off.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One of the six texts that a receiver needs, most important first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandoffElement {
    /// What was done.
    Summary,
    /// What is to be done next.
    Actions,
    /// Which problems are known.
    KnownIssues,
    /// What was decided, and why.
    Decisions,
    /// What was produced.
    Deliverables,
    /// What is needed to continue.
    Resources,
}

impl HandoffElement {
    /// Every element, most important first.
    pub const ALL: [Self; 6] = [
        Self::Summary,
        Self::Actions,
        Self::KnownIssues,
        Self::Decisions,
        Self::Deliverables,
        Self::Resources,
    ];

    /// Returns the name of its column and of its key in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Summary => "summary",
            Self::Actions => "actions",
            Self::KnownIssues => "known_issues",
            Self::Decisions => "decisions",
            Self::Deliverables => "deliverables",
            Self::Resources => "resources",
        }
    }

    /// Returns its name in messages.
    pub const fn label(self) -> &'static str {
        match self {
            Self::KnownIssues => "known issues",
            other => other.as_str(),
        }
    }
}

/// The elements of a hand-off. A blank text counts as missing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandoffElements(BTreeMap<HandoffElement, String>);

impl HandoffElements {
    /// Keeps the texts that are not blank.
    pub fn new(entries: impl IntoIterator<Item = (HandoffElement, Option<String>)>) -> Self {
        let given = entries.into_iter();
        let texts = given.filter_map(|(element, text)| Some((element, text?)));
        Self(texts.filter(|(_, text)| !text.trim().is_empty()).collect())
    }

    /// Returns the text of an element.
    pub fn get(&self, element: HandoffElement) -> Option<&str> {
        self.0.get(&element).map(String::as_str)
    }

    /// Lists the elements that are missing.
    pub fn list_missing(&self) -> Vec<HandoffElement> {
        let mut missing = HandoffElement::ALL.to_vec();
        missing.retain(|element| !self.0.contains_key(element));
        missing
    }

    /// Returns the share of the elements that are present, in percent, rounded.
    pub fn completeness_percent(&self) -> usize {
        let all = HandoffElement::ALL.len();
        (self.0.len() * 200 + all) / (2 * all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_score_is_the_share_that_was_given() {
        for (given, score) in [(0, 0), (1, 17), (2, 33), (3, 50), (4, 67), (5, 83), (6, 100)] {
            let texts = HandoffElement::ALL.into_iter().take(given);
            let elements =
                HandoffElements::new(texts.map(|element| (element, Some("x".to_owned()))));
            assert_eq!(elements.completeness_percent(), score);
            assert_eq!(elements.list_missing(), HandoffElement::ALL[given..]);
        }
    }

    #[test]
    fn a_blank_text_is_missing() {
        let blank = HandoffElements::new([
            (HandoffElement::Summary, Some(" \n".to_owned())),
            (HandoffElement::Actions, None),
        ]);
        assert_eq!(blank, HandoffElements::default());
        assert_eq!(blank.get(HandoffElement::Summary), None);
    }
}
