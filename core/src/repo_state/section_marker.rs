//! The markers around the body of a section.

use super::byte_lines::line_text;
use super::status_body::StatusBody;
use crate::model::RepoSlug;

const OPENING_PREFIX: &str = "<!-- trueup:repo-state ";
const CLOSING_PREFIX: &str = "<!-- /trueup:repo-state ";
const MARKER_END: &str = " -->";

/// What replaces a second section of the same repository. It separates the text before it from the
/// text behind it, so that a code block of the one cannot continue in the other.
pub(super) const DUPLICATE_NOTE: &str = "<!-- trueup:repo-state stood here twice -->\n";

/// How the line below a heading begins, in sections of both kinds.
pub(super) const LAST_SYNCED: &str = "**Last Synced**";

/// The longest line that can be a marker or a heading, in bytes.
pub(super) const MAX_LINE_BYTES: usize = 400;

/// The number of digits of a digest.
const DIGEST_DIGITS: usize = 64;

/// The content of an opening marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OpeningMarker<'a> {
    pub(super) slug: &'a str,
    pub(super) synced_at: &'a str,
    pub(super) bytes: usize,
    pub(super) digest: &'a str,
}

/// Returns the text before the body of a section, and the text behind it.
pub(super) fn render_frame(
    slug: &RepoSlug,
    synced_at: &str,
    body: &StatusBody<'_>,
) -> (String, String) {
    let (bytes, digest) = (body.bytes.len(), body.digest());
    let below = render_heading(slug.as_str(), synced_at);
    let head = format!(
        "{OPENING_PREFIX}slug={slug} synced={synced_at} bytes={bytes} sha256={digest}{MARKER_END}\n{below}"
    );
    (head, format!("\n{}\n", render_closing(digest)))
}

/// Returns the text between an opening marker and its body.
pub(super) fn render_heading(slug: &str, synced_at: &str) -> String {
    format!("## {slug} State\n{LAST_SYNCED}: {synced_at}\n\n")
}

/// Returns the closing marker, without a line end.
pub(super) fn render_closing(digest: &str) -> String {
    format!("{CLOSING_PREFIX}sha256={digest}{MARKER_END}")
}

/// Returns whether a line is an opening marker, or what an edit left of one.
pub(super) fn is_opening(line: &[u8]) -> bool {
    line.starts_with(OPENING_PREFIX.as_bytes())
}

/// Parses an opening marker.
pub(super) fn parse_opening(line: &[u8]) -> Option<OpeningMarker<'_>> {
    if line.len() > MAX_LINE_BYTES || !is_opening(line) {
        return None;
    }
    let fields = line_text(line)?.strip_prefix(OPENING_PREFIX)?.trim_end();
    let mut fields = fields.strip_suffix(MARKER_END)?.split(' ');
    let mut field = |name: &str| fields.next()?.strip_prefix(name)?.strip_prefix('=');
    let opening = OpeningMarker {
        slug: field("slug")?,
        synced_at: field("synced")?,
        bytes: parse_length(field("bytes")?)?,
        digest: field("sha256").filter(|digest| is_digest(digest))?,
    };
    let is_ours = opening.slug.parse::<RepoSlug>().is_ok() && fields.next().is_none();
    is_ours.then_some(opening)
}

/// Parses the digest of a closing marker.
pub(super) fn parse_closing(line: &[u8]) -> Option<&str> {
    if line.len() > MAX_LINE_BYTES || !line.starts_with(CLOSING_PREFIX.as_bytes()) {
        return None;
    }
    let fields = line_text(line)?.strip_prefix(CLOSING_PREFIX)?.trim_end();
    let digest = fields.strip_suffix(MARKER_END)?.strip_prefix("sha256=")?;
    is_digest(digest).then_some(digest)
}

/// Parses a length. One that does not fit into `usize` is larger than any file, and so is its
/// maximum.
fn parse_length(text: &str) -> Option<usize> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(usize::MAX))
}

fn is_digest(text: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == DIGEST_DIGITS && text.bytes().all(is_digit)
}
