//! How a message is signed.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use trueup_core::settings::Secret;
use trueup_core::text::to_hex;

/// Returns the value of the header `trueup-signature` for a body that is sent at a time: the
/// HMAC-SHA256 over the time, a dot and the body, so that a receiver can refuse what is old.
pub(super) fn sign_body(secret: &Secret, unix_seconds: i64, body: &str) -> String {
    // Any length makes a key.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()) else {
        return String::new();
    };
    mac.update(format!("{unix_seconds}.{body}").as_bytes());
    format!("t={unix_seconds},v1={}", to_hex(&mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf '%s.%s' 1700000000 '{"event":"raised"}' | openssl dgst -sha256 -hmac s3cret`
    #[test]
    fn the_signature_is_what_openssl_says() {
        let header = sign_body(&Secret::new("s3cret"), 1_700_000_000, r#"{"event":"raised"}"#);
        assert_eq!(
            header,
            "t=1700000000,v1=f3edb9fe16766f3bf6a7d92061d2f80b48f770633c45a0274f95271d1fb0d7ad"
        );
    }
}
