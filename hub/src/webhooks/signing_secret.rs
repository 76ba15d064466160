//! The secret that a receiver knows the hub by.

use std::io::{ErrorKind, Write as _};
use std::path::Path;

use trueup_core::fs::{NewFile, create_private_dir};
use trueup_core::settings::{CredentialSource, Secret};
use uuid::Uuid;

use super::webhook_error::WebhookError;

/// What every secret that the hub makes begins with.
const PREFIX: &str = "whsec_";

/// Loads the configured secret, or else that of the hub's own file, which is made on first use.
pub(super) fn load_secret(
    configured: &CredentialSource,
    own_file: &Path,
) -> Result<Secret, WebhookError> {
    if let Some(secret) = configured.load()? {
        return Ok(secret);
    }
    ensure_secret(own_file)?;
    let own = CredentialSource::File(own_file.to_owned()).load()?;
    own.ok_or_else(|| WebhookError::file(own_file, ErrorKind::NotFound.into()))
}

/// Makes the file, unless it is there. Of two processes that do so at once, both use the same.
fn ensure_secret(path: &Path) -> Result<(), WebhookError> {
    let made = || {
        path.parent().map_or(Ok(()), create_private_dir)?;
        let mut file = NewFile::create(path)?;
        writeln!(file, "{PREFIX}{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())?;
        file.persist()
    };
    match made() {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            Err(WebhookError::file(path, error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once_and_a_configured_one_wins() {
        let dir = tempfile::tempdir().unwrap();
        let own = dir.path().join("data/webhook-secret");
        let load = |configured: &CredentialSource| load_secret(configured, &own).unwrap();
        let configured = CredentialSource::Value(Secret::new("chosen"));
        assert_eq!(load(&configured).expose(), "chosen");
        assert!(!own.exists(), "it is not needed");
        let made = load(&CredentialSource::Unset);
        assert!(made.expose().starts_with(PREFIX) && made.expose().len() > 64);
        assert_eq!(load(&CredentialSource::Unset), made);
    }
}
