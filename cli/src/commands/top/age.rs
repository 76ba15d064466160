//! Lengths of time in a few characters.

use trueup_core::model::Timestamp;

/// Renders how long ago a time is, such as `41s`, `12m`, `3h` or `9d`.
pub(super) fn render_age(now: Timestamp, time: Timestamp) -> String {
    render_seconds(now.seconds_since(time))
}

/// Renders how long it is until a time; `over` when that has come.
pub(super) fn render_left(now: Timestamp, time: Timestamp) -> String {
    if time <= now { "over".to_owned() } else { render_seconds(time.seconds_since(now)) }
}

fn render_seconds(seconds: u64) -> String {
    match seconds {
        0..=99 => format!("{seconds}s"),
        100..=5_999 => format!("{}m", seconds / 60),
        6_000..=172_799 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_at_most_a_few_characters() {
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1_000);
        for (seconds, expected) in [
            (-5, "0s"),
            (0, "0s"),
            (99, "99s"),
            (100, "1m"),
            (5_999, "99m"),
            (6_000, "1h"),
            (172_799, "47h"),
            (172_800, "2d"),
        ] {
            assert_eq!(render_age(at(seconds), at(0)), expected);
        }
        assert_eq!(render_left(at(10), at(70)), "60s");
        assert_eq!(render_left(at(70), at(70)), "over");
    }
}
