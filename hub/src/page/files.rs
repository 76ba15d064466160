//! The files of the page, their types, and the version that their addresses carry.

use std::sync::LazyLock;

use bytes::Bytes;
use trueup_core::fs::sha256_hex;

/// How long a browser may use a file without asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lifetime {
    /// It is asked each time whether the file is still the same.
    Checked,
    /// The address changes with the content.
    Forever,
}

/// A file of the page.
#[derive(Debug, Clone)]
pub(super) struct PageFile {
    pub(super) content: Bytes,
    pub(super) media_type: &'static str,
    pub(super) etag: String,
    pub(super) lifetime: Lifetime,
}

macro_rules! embed_files {
    ($($path:literal)*) => {
        /// Path below `assets/` and content.
        pub(super) static SOURCES: &[(&str, &[u8])] =
            &[$(($path, include_bytes!(concat!("assets/", $path)))),*];
    };
}

embed_files! {
    "app.js"
    "css/detail.css" "css/dialogs.css" "css/frame.css" "css/panes.css" "css/rows.css" "css/theme.css"
    "icon.svg"
    "state/address.js" "state/api.js" "state/clock.js" "state/events.js" "state/live.js"
    "state/overview.js" "state/selection.js" "state/store.js"
    "text/clean.js" "text/describe.js" "text/format.js"
    "theme.js"
    "vendor/htm-LICENSE.txt" "vendor/htm-preact-3.1.1.js" "vendor/preact-LICENSE.txt"
    "view/actions.js" "view/announce.js" "view/blame.js" "view/detail.js" "view/feed.js"
    "view/filters.js" "view/header.js" "view/help.js" "view/keys.js" "view/lanes.js" "view/login.js"
    "view/moment.js" "view/needs.js" "view/notices.js" "view/pane.js" "view/parts.js" "view/rows.js"
    "view/tabs.js" "view/theme_switch.js" "view/timeline.js" "view/title.js" "view/work.js"
}

const PAGE_SOURCE: &str = include_str!("assets/index.html");

/// The page itself, which names the files by addresses of this version.
pub(super) static PAGE: LazyLock<PageFile> = LazyLock::new(|| {
    let text = PAGE_SOURCE.replace("\"/assets/", &format!("\"/assets/{}/", version()));
    let content = Bytes::from(text);
    PageFile {
        etag: make_etag(&content),
        content,
        media_type: "text/html; charset=utf-8",
        lifetime: Lifetime::Checked,
    }
});

/// The digest of all files, which is part of their addresses: a page never mixes files of two
/// versions, and a browser never asks for one twice.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut all = PAGE_SOURCE.as_bytes().to_vec();
    for (path, content) in SOURCES {
        all.extend_from_slice(path.as_bytes());
        all.extend_from_slice(content);
    }
    short_digest(&all)
});

/// Returns the version of the files.
pub(super) fn version() -> &'static str {
    &VERSION
}

/// Finds a file by its path below `assets/`.
pub(super) fn find_file(path: &str) -> Option<PageFile> {
    let (name, content) = SOURCES.iter().find(|(name, _)| *name == path)?;
    Some(PageFile {
        content: Bytes::from_static(content),
        media_type: media_type(name),
        etag: make_etag(content),
        lifetime: Lifetime::Forever,
    })
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    }
}

/// A weak one: what is sent may be compressed.
fn make_etag(content: &[u8]) -> String {
    format!("W/\"{}\"", short_digest(content))
}

fn short_digest(content: &[u8]) -> String {
    sha256_hex(content).chars().take(20).collect()
}
