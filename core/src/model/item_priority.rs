//! How urgent an item is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How urgent an item is: 0 comes first, 4 last. Written `P0` to `P4`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "u8")]
pub struct ItemPriority(u8);

/// The error for what is no priority.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is no priority; known are 0 to 4, or P0 to P4, and 0 comes first")]
pub struct UnknownPriority {
    found: String,
}

impl UnknownPriority {
    fn new(found: impl fmt::Display) -> Self {
        Self { found: found.to_string().chars().take(40).collect() }
    }
}

impl ItemPriority {
    /// The priority by which items without one are ordered.
    pub const DEFAULT: Self = Self(2);

    /// Every priority, the most urgent first.
    pub const ALL: [Self; 5] = [Self(0), Self(1), Self(2), Self(3), Self(4)];

    /// Reads the word of a workplan: `critical`, `high`, `medium` or `low`, or `P0` to `P4`. Other
    /// words say nothing that orders items.
    pub fn from_planning_word(word: &str) -> Option<Self> {
        let word = word.trim().to_lowercase();
        Some(match &*word {
            "critical" => Self(0),
            "high" => Self(1),
            "medium" => Self(2),
            "low" => Self(3),
            _ => return word.starts_with('p').then(|| word.parse().ok())?,
        })
    }

    /// Returns the number.
    pub const fn number(self) -> u8 {
        self.0
    }
}

impl TryFrom<i64> for ItemPriority {
    type Error = UnknownPriority;

    fn try_from(number: i64) -> Result<Self, UnknownPriority> {
        let known = Self::ALL.into_iter().find(|priority| i64::from(priority.0) == number);
        known.ok_or_else(|| UnknownPriority::new(number))
    }
}

impl From<ItemPriority> for u8 {
    fn from(priority: ItemPriority) -> Self {
        priority.0
    }
}

impl FromStr for ItemPriority {
    type Err = UnknownPriority;

    fn from_str(text: &str) -> Result<Self, UnknownPriority> {
        let digits = text.strip_prefix(['P', 'p']).unwrap_or(text);
        let known = Self::ALL.into_iter().find(|priority| priority.0.to_string() == digits);
        known.ok_or_else(|| UnknownPriority::new(text))
    }
}

impl fmt::Display for ItemPriority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("P{}", self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_priority_is_a_digit_or_p_and_a_digit() {
        for (text, number) in
            [("0", Some(0)), ("4", Some(4)), ("P0", Some(0)), ("p3", Some(3)), ("P4", Some(4))]
                .into_iter()
                .chain(["", "5", "P5", "-1", "01", "P", "PP1", "high", " 1"].map(|t| (t, None)))
        {
            let parsed = text.parse::<ItemPriority>().ok().map(ItemPriority::number);
            assert_eq!(parsed, number, "{text:?}");
        }
        assert_eq!(ItemPriority::DEFAULT.to_string(), "P2");
    }

    #[test]
    fn words_of_workplans_are_priorities() {
        for (word, number) in [
            ("critical", Some(0)),
            ("High", Some(1)),
            (" medium ", Some(2)),
            ("low", Some(3)),
            ("P0", Some(0)),
            ("p4", Some(4)),
            ("P5", None),
            ("1", None),
            ("soon", None),
            ("", None),
        ] {
            let read = ItemPriority::from_planning_word(word).map(ItemPriority::number);
            assert_eq!(read, number, "{word:?}");
        }
    }

    #[test]
    fn it_is_a_number_in_json_and_nothing_else_is_one() {
        for priority in ItemPriority::ALL {
            let json = serde_json::to_string(&priority).unwrap();
            assert_eq!(json, priority.number().to_string());
            assert_eq!(serde_json::from_str::<ItemPriority>(&json).unwrap(), priority);
        }
        for bad in ["5", "-1", "\"P1\"", "1.5", "null"] {
            assert!(serde_json::from_str::<ItemPriority>(bad).is_err(), "{bad}");
        }
    }
}
