//! Digests of bytes, for names of files and for comparisons.

use sha2::{Digest as _, Sha256};

use crate::text::to_hex;

/// Returns the SHA-256 of bytes in hexadecimal, as `sha256sum` prints it.
pub fn sha256_hex(bytes: &[u8]) -> String {
    to_hex(&Sha256::digest(bytes))
}

/// Returns the first 8 bytes of the SHA-256 in hexadecimal: enough to name a file by.
pub(crate) fn short_digest(bytes: &[u8]) -> String {
    to_hex(&Sha256::digest(bytes)[..8])
}
