//! How long a delivery waits before it is tried again.

use trueup_core::fs::sha256_hex;

/// The longest wait, in seconds.
pub(super) const MAX_WAIT_SECONDS: u64 = 3_600;

/// Returns the wait after so many failures, in milliseconds: it doubles from a second to an hour.
/// A part of it, up to a half, is taken off by the id, so that many hubs do not come back at once.
pub(super) fn wait_millis(failures: u32, id: &str) -> u64 {
    let doubled = 1_u64.checked_shl(failures.saturating_sub(1)).unwrap_or(u64::MAX);
    let whole = doubled.min(MAX_WAIT_SECONDS) * 1_000;
    let digest = sha256_hex(format!("{id} {failures}").as_bytes());
    let spread = digest.get(..4).and_then(|hex| u64::from_str_radix(hex, 16).ok());
    whole - whole / 2 * spread.unwrap_or_default() / 0xffff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_an_hour_and_differs_between_deliveries() {
        for (failures, most) in [(1, 1), (2, 2), (3, 4), (10, 512), (12, 2_048), (13, 3_600)] {
            let wait = wait_millis(failures, "d");
            assert!((most * 500..=most * 1_000).contains(&wait), "{failures}: {wait}");
        }
        assert!(wait_millis(u32::MAX, "d") <= MAX_WAIT_SECONDS * 1_000);
        let waits: std::collections::BTreeSet<u64> =
            (0..50).map(|id| wait_millis(5, &id.to_string())).collect();
        assert!(waits.len() > 40, "{waits:?}");
    }
}
