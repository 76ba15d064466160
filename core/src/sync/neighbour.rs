//! What a session is told of the states of other repositories: a line each, never their text.

use crate::model::{Repo, RepoSlug, Timestamp};
use crate::text::{Fence, one_line};

/// Longest line of a state, in characters.
const LONGEST: usize = 160;

/// Most repositories told of.
const MOST: usize = 12;

/// Another repository's state, in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighbour {
    slug: RepoSlug,
    summary: String,
    /// In seconds, by the database's clock.
    age: u64,
}

impl Neighbour {
    /// Takes what is known of a repository at a time; `None` where that is nothing.
    pub fn of(repo: &Repo, now: Timestamp) -> Option<Self> {
        let state = repo.state.as_ref()?;
        let age = now.as_millis().saturating_sub(state.synced_at.as_millis()) / 1000;
        Some(Self {
            slug: repo.slug.clone(),
            summary: state.summary.clone(),
            age: u64::try_from(age).unwrap_or_default(),
        })
    }

    fn line(&self) -> String {
        let summary = one_line(&self.summary, LONGEST);
        format!("{} ({} old): {summary}", self.slug, aged(self.age))
    }
}

/// Writes an age as a person would.
fn aged(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// Tells of other repositories, the youngest state first.
pub(super) fn told(neighbours: &[Neighbour], fence: &Fence) -> String {
    if neighbours.is_empty() {
        return String::new();
    }
    let mut sorted: Vec<&Neighbour> = neighbours.iter().collect();
    sorted.sort_by(|a, b| (a.age, &a.slug).cmp(&(b.age, &b.slug)));
    let lines = sorted.iter().take(MOST).map(|neighbour| neighbour.line());
    let lines: Vec<String> = lines.collect();
    let more = sorted.len().saturating_sub(MOST);
    let more = if more > 0 {
        format!(" {more} more: `trueup repo list`.")
    } else {
        String::new()
    };
    format!(
        "Other repositories' states (`trueup state show SLUG` shows a full one):\n{}{more}",
        fence.more_lines(&lines.join("\n"))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn neighbour(slug: &str, age: u64) -> Neighbour {
        Neighbour {
            slug: slug.parse().unwrap(),
            summary: format!("all\nwell in {slug}"),
            age,
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
            assert_eq!(aged(seconds), text);
        }
    }

    #[test]
    fn the_youngest_come_first_and_the_rest_is_counted() {
        let fence = Fence::new("0123456789ab").unwrap();
        assert_eq!(told(&[], &fence), "");
        let text = told(&[neighbour("old", 90_000), neighbour("new", 60)], &fence);
        let (new, old) = (
            text.find("new (60 s old): all well").unwrap(),
            text.find("old (25 h"),
        );
        assert!(new < old.unwrap(), "{text}");
        let many: Vec<Neighbour> = (0..20).map(|n| neighbour(&format!("r{n}"), n)).collect();
        let text = told(&many, &fence);
        assert!(text.contains("r11 ") && !text.contains("r12 "), "{text}");
        assert!(text.ends_with("8 more: `trueup repo list`."), "{text}");
    }
}
