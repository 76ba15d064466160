//! What answered at a URL, remembered between processes so that only the first one has to find out.

use std::fs;
use std::path::{Path, PathBuf};

use trueup_core::fs::{read_private_text, sha256_hex, write_private};
use trueup_core::settings::RemoteUrl;

use crate::url::Flavour;

/// The longest file that is read, in bytes.
const MAX_BYTES: u64 = 64;

/// The file that names what answers at one URL. It may be lost or wrong at any time: then it is
/// found out again.
#[derive(Debug, Clone)]
pub struct FlavourMemory {
    path: PathBuf,
}

impl FlavourMemory {
    /// The memory of a URL in a directory, which need not exist. A digest names the file, since a
    /// URL may hold credentials.
    pub fn of_url(dir: &Path, url: &RemoteUrl) -> Self {
        Self { path: dir.join(sha256_hex(url.expose().as_bytes())) }
    }

    pub(crate) fn recall(&self) -> Option<Flavour> {
        Flavour::from_name(read_private_text(&self.path, MAX_BYTES).ok()?.trim())
    }

    /// Writes the flavour down. A failure costs the next process a request, and nothing else.
    pub(crate) fn remember(&self, flavour: Flavour) {
        drop(write_private(&self.path, flavour.name().as_bytes()));
    }

    pub(crate) fn forget(&self) {
        drop(fs::remove_file(&self.path));
    }
}
