//! What `trueup help TOPIC` explains.

use clap::ValueEnum;

/// Something that takes more than one command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Topic {
    /// Who works on what, and when an item becomes free
    Claims,
    /// Passing work on with what the next one has to know
    #[value(name = "hand-offs", alias = "handoffs")]
    HandOffs,
    /// Plans in Markdown, and working through their tasks
    Plans,
    /// Workplan files that stay in step with the database
    Workplans,
    /// One database for several people and machines
    Teams,
}

impl Topic {
    /// Returns the name by which it is asked for.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Claims => "claims",
            Self::HandOffs => "hand-offs",
            Self::Plans => "plans",
            Self::Workplans => "workplans",
            Self::Teams => "teams",
        }
    }

    /// Returns the text, which fits a terminal of 80 columns.
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Claims => include_str!("../../help_topics/claims.txt"),
            Self::HandOffs => include_str!("../../help_topics/hand-offs.txt"),
            Self::Plans => include_str!("../../help_topics/plans.txt"),
            Self::Workplans => include_str!("../../help_topics/workplans.txt"),
            Self::Teams => include_str!("../../help_topics/teams.txt"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_fit_a_screen() {
        for topic in Topic::value_variants() {
            let too_long = topic.text().lines().find(|line| line.chars().count() > 80);
            assert_eq!(too_long, None, "{}", topic.name());
            assert!(topic.text().lines().count() < 45, "{}", topic.name());
        }
    }
}
