//! How long a tool may keep a session quiet. Pure.

use std::time::Duration;

/// Longest quiet period that counts, in seconds.
pub const MAX_QUIET_SECONDS: u64 = 30 * 60;

/// Extra time, in seconds, that the client takes to end a command after its limit.
const MARGIN_SECONDS: u64 = 60;

/// Returns the quiet period, in seconds, that a command with such a limit announces. `None` if it
/// is over within half the lease, since the session is then heard of in time.
pub fn quiet_period_of_command(limit: Duration, lease_seconds: u64) -> Option<u64> {
    let seconds = limit.as_secs();
    let is_long = seconds.saturating_mul(2) > lease_seconds;
    is_long.then(|| seconds.saturating_add(MARGIN_SECONDS).min(MAX_QUIET_SECONDS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_command_longer_than_half_the_lease_announces_silence() {
        for (limit, lease, span) in [
            (120, 900, None),
            (450, 900, None),
            (451, 900, Some(511)),
            (600, 900, Some(660)),
            (1_740, 900, Some(1_800)),
            (7_200, 900, Some(1_800)),
            (u64::MAX, u64::MAX, None),
            (u64::MAX, 900, Some(1_800)),
            (20, 30, Some(80)),
        ] {
            let answer = quiet_period_of_command(Duration::from_secs(limit), lease);
            assert_eq!(answer, span, "{limit} s of a lease of {lease} s");
        }
    }
}
