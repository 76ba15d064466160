//! Recognizes a list that explains the marks below a line such as `Legend:`.

/// Words that such a line ends with.
const LEGEND_WORDS: [&str; 4] = ["legend", "notation", "status indicators", "status key"];

/// Whether the lines are a list that explains the marks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Legend {
    /// They are not.
    #[default]
    Elsewhere,
    /// The last line with words announced the list.
    Announced,
    /// The last line was one of the list.
    InList,
}

impl Legend {
    /// Reads a line without a checkbox. A blank line ends the list, and not its announcement.
    pub(super) fn read_text(&mut self, line: &str) {
        *self = match *self {
            _ if announces_legend(line) => Self::Announced,
            Self::Announced if line.trim().is_empty() => Self::Announced,
            _ => Self::Elsewhere,
        };
    }

    /// Reads a line with a checkbox.
    pub(super) fn read_box(&mut self) {
        if *self == Self::Announced {
            *self = Self::InList;
        }
    }

    /// Returns whether the last line was one of the list.
    pub(super) fn is_in_list(self) -> bool {
        self == Self::InList
    }
}

fn announces_legend(line: &str) -> bool {
    let text = line.trim().trim_matches(['*', '_']);
    let words = text.trim_end_matches([':', '*', '_']);
    let words = words.trim().to_lowercase();
    let is_label = words.len() < line.trim().len();
    is_label && LEGEND_WORDS.iter().any(|end| words.ends_with(end))
}
