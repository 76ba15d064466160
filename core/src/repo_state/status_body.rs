//! The status file of a repository, as the body of a section.

use sha2::{Digest as _, Sha256};

use crate::text::to_hex;

/// The status file of a repository with its digest, which is computed once for all the files that
/// it is copied to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusBody<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) digest: String,
}

impl<'a> StatusBody<'a> {
    /// Computes the digest of a status file.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, digest: sha256_hex(bytes) }
    }

    /// Returns the content of the status file.
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Returns the SHA-256 of the content in hexadecimal digits.
    pub fn digest(&self) -> &str {
        &self.digest
    }
}

/// Returns the SHA-256 of bytes in hexadecimal digits.
pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    to_hex(&Sha256::digest(bytes))
}
