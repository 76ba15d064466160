//! The text of a token, and the digest under which it is kept.

use trueup_core::fs::sha256_hex;
use uuid::Uuid;

/// What every token begins with, so that one is recognised where it was published by mistake.
const PREFIX: &str = "tuh_";

/// Makes a token of 244 random bits.
pub(crate) fn make_token() -> String {
    format!("{PREFIX}{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

/// Returns the digest under which the database knows a token. A token has more random bits than
/// anybody can try, so that a plain digest is as good as a slow one.
pub(crate) fn digest_token(token: &str) -> String {
    sha256_hex(token.as_bytes())
}
