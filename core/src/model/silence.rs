//! How long sessions and orchestrators have been silent, allowing for a wrong clock.
//!
//! The clock may have been wrong when a sign of life was dated. A date further ahead than a right clock
//! could have written proves nothing: neither that something lives nor how long it has been silent.

use super::Timestamp;

/// How far the clocks of one database may differ, in seconds. A sign dated this little ahead counts
/// as given now.
pub const SKEW_SECONDS: u64 = 60;

/// The longest lease, in seconds: one day.
pub const MAX_LEASE_SECONDS: u64 = 24 * 3_600;

/// The longest silence that an announcement covers, in seconds.
pub const QUIET_PERIOD_CEILING_SECONDS: u64 = 45 * 60;

/// The silence of something that never gave a usable sign of life.
pub const FOREVER: u64 = u64::MAX;

/// Returns whether a time is further ahead than `seconds` plus the skew of clocks.
pub(super) fn is_too_far_ahead(now: Timestamp, time: Timestamp, seconds: u64) -> bool {
    let ahead = time.as_millis().saturating_sub(now.as_millis());
    let most = seconds.saturating_add(SKEW_SECONDS).saturating_mul(1_000);
    u64::try_from(ahead).is_ok_and(|ahead| ahead > most)
}

/// Returns the seconds since a sign of life, or [`FOREVER`] for one dated in the future.
pub fn silence_seconds(now: Timestamp, sign: Timestamp) -> u64 {
    if is_too_far_ahead(now, sign, 0) {
        return FOREVER;
    }
    now.seconds_since(sign)
}

/// Returns whether a sign of life is more than this many seconds ago.
pub(super) fn is_silent_longer_than(now: Timestamp, sign: Timestamp, seconds: u64) -> bool {
    if is_too_far_ahead(now, sign, 0) {
        return seconds < FOREVER;
    }
    let silence = now.as_millis().saturating_sub(sign.as_millis());
    u64::try_from(silence).is_ok_and(|millis| millis > seconds.saturating_mul(1_000))
}

/// Returns whether a time in the future is near enough to have been granted by a right clock.
pub(super) fn is_still_valid(now: Timestamp, until: Timestamp, longest: u64) -> bool {
    until > now && !is_too_far_ahead(now, until, longest)
}

/// Describes the silence in a phrase.
pub(super) fn describe_silence(now: Timestamp, sign: Timestamp) -> String {
    match silence_seconds(now, sign) {
        FOREVER => format!("last heartbeat is dated {sign}, in the future"),
        seconds => format!("silent for {seconds} s"),
    }
}

/// Returns the seconds to add to a time limit because the clock may be wrong.
///
/// `earlier` is the latest recorded reading of the clock that is not of the same time. Something
/// that is old by both readings is old whichever of the two is wrong. Without an earlier reading
/// there is nothing to compare with, so the clock is trusted. If the clock now reads earlier than
/// before, no age is trusted.
pub fn clock_doubt_seconds(now: Timestamp, earlier: Option<Timestamp>) -> u64 {
    match earlier {
        None => 0,
        Some(earlier) if earlier > now => FOREVER,
        // Part of a second counts as a whole one.
        Some(earlier) => now.seconds_since(earlier).saturating_add(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixture::seconds_from_now;

    const YEAR: i64 = 365 * 24 * 3_600;

    #[test]
    fn a_heartbeat_in_the_future_counts_only_within_the_clock_skew() {
        for (sign, expected) in [
            (-5, 5),
            (0, 0),
            (1, 0),
            (60, 0),
            (61, FOREVER),
            (YEAR, FOREVER),
            (-YEAR, 365 * 24 * 3_600),
        ] {
            assert_eq!(
                silence_seconds(seconds_from_now(0), seconds_from_now(sign)),
                expected,
                "{sign}"
            );
        }
    }

    #[test]
    fn a_heartbeat_in_the_future_does_not_end_silence() {
        for (sign, limit, expected) in [
            (-1_800, 1_800, false),
            (-1_801, 1_800, true),
            (60, 1_800, false),
            (61, 1_800, true),
            (YEAR, 1_800, true),
            // A silence without an end is not over at any time.
            (YEAR, FOREVER, false),
            (-YEAR, FOREVER, false),
        ] {
            let longer = is_silent_longer_than(seconds_from_now(0), seconds_from_now(sign), limit);
            assert_eq!(longer, expected, "{sign} {limit}");
        }
    }

    #[test]
    fn a_time_limit_too_far_in_the_future_is_invalid() {
        for (until, longest, expected) in [
            (-1, 900, false),
            (0, 900, false),
            (1, 900, true),
            (960, 900, true),
            (961, 900, false),
            (YEAR, MAX_LEASE_SECONDS, false),
        ] {
            assert_eq!(
                is_still_valid(seconds_from_now(0), seconds_from_now(until), longest),
                expected,
                "{until}"
            );
        }
    }

    #[test]
    fn extreme_dates_do_not_overflow() {
        let (first, last) = (Timestamp::from_millis(i64::MIN), Timestamp::from_millis(i64::MAX));
        for (now, time) in [(first, last), (last, first)] {
            let _ = (describe_silence(now, time), clock_doubt_seconds(now, Some(time)));
            let _ = (is_silent_longer_than(now, time, 1), is_still_valid(now, time, 1));
        }
    }

    #[test]
    fn doubt_is_the_distance_between_two_clock_readings() {
        for (earlier, expected) in
            [(None, 0), (Some(-10), 11), (Some(-YEAR), 365 * 24 * 3_600 + 1), (Some(1), FOREVER)]
        {
            assert_eq!(
                clock_doubt_seconds(seconds_from_now(0), earlier.map(seconds_from_now)),
                expected
            );
        }
    }
}
