//! One line per other repository, rendered for the agent. Their state files are never quoted whole.

use crate::model::{Repo, RepoSlug, Timestamp};
use crate::text::{DataDelimiter, one_line};

/// Longest summary shown, in characters.
const MAX_SUMMARY_CHARS: usize = 160;

/// Most repositories listed.
const MAX_REPOS: usize = 12;

/// A one-line summary of another repository's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepoSummary {
    slug: RepoSlug,
    summary: String,
    /// Seconds since the state was published, by the database's clock.
    age_seconds: u64,
}

impl RepoSummary {
    /// Summarizes a repository at the time `now`; `None` if it published no state.
    pub fn from_repo(repo: &Repo, now: Timestamp) -> Option<Self> {
        let state = repo.state.as_ref()?;
        let age = now.as_millis().saturating_sub(state.synced_at.as_millis()) / 1000;
        Some(Self {
            slug: repo.slug.clone(),
            summary: state.summary.clone(),
            age_seconds: u64::try_from(age).unwrap_or_default(),
        })
    }

    fn render_line(&self) -> String {
        let summary = one_line(&self.summary, MAX_SUMMARY_CHARS);
        format!("{} ({} old): {summary}", self.slug, describe_age(self.age_seconds))
    }
}

/// Renders an age in its largest fitting unit.
fn describe_age(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// Renders the summaries, youngest state first.
pub(super) fn render_repo_summaries(
    summaries: &[RepoSummary],
    delimiter: &DataDelimiter,
) -> String {
    if summaries.is_empty() {
        return String::new();
    }
    let mut sorted: Vec<&RepoSummary> = summaries.iter().collect();
    sorted.sort_by(|a, b| (a.age_seconds, &a.slug).cmp(&(b.age_seconds, &b.slug)));
    let lines = sorted.iter().take(MAX_REPOS).map(|summary| summary.render_line());
    let lines: Vec<String> = lines.collect();
    let more = sorted.len().saturating_sub(MAX_REPOS);
    let more = if more > 0 { format!(" {more} more: `trueup repo list`.") } else { String::new() };
    format!(
        "Other repositories' states (`trueup state show SLUG` shows a full one):\n{}{more}",
        delimiter.wrap_more_lines(&lines.join("\n"))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary_of(slug: &str, age: u64) -> RepoSummary {
        RepoSummary {
            slug: slug.parse().unwrap(),
            summary: format!("all\nwell in {slug}"),
            age_seconds: age,
        }
    }

    #[test]
    fn ages_are_told_in_the_largest_unit_that_says_enough() {
        for (seconds, text) in [
            (0, "0 s"),
            (119, "119 s"),
            (120, "2 min"),
            (7_199, "119 min"),
            (7_200, "2 h"),
            (172_800, "2 days"),
        ] {
            assert_eq!(describe_age(seconds), text);
        }
    }

    #[test]
    fn the_youngest_come_first_and_the_rest_is_counted() {
        let fence = DataDelimiter::new("0123456789ab").unwrap();
        assert_eq!(render_repo_summaries(&[], &fence), "");
        let text =
            render_repo_summaries(&[summary_of("old", 90_000), summary_of("new", 60)], &fence);
        let (new, old) = (text.find("new (60 s old): all well").unwrap(), text.find("old (25 h"));
        assert!(new < old.unwrap(), "{text}");
        let many: Vec<RepoSummary> = (0..20).map(|n| summary_of(&format!("r{n}"), n)).collect();
        let text = render_repo_summaries(&many, &fence);
        assert!(text.contains("r11 ") && !text.contains("r12 "), "{text}");
        assert!(text.ends_with("8 more: `trueup repo list`."), "{text}");
    }
}
