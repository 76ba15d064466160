//! Whether a browser asks for a page of another origin.

/// What a browser says of where a request comes from.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RequestSource<'a> {
    /// The header `Origin`.
    pub(super) origin: Option<&'a str>,
    /// The header `Sec-Fetch-Site`.
    pub(super) fetch_site: Option<&'a str>,
    /// The header `Sec-Fetch-Mode`.
    pub(super) fetch_mode: Option<&'a str>,
    /// The name under which the hub was asked, which was checked before.
    pub(super) host: &'a str,
    /// Whether the method only reads.
    pub(super) only_reads: bool,
}

/// Returns whether a request comes from elsewhere. Programs that are no browser say nothing, and
/// are known by their token alone.
pub(super) fn is_foreign(source: &RequestSource<'_>) -> bool {
    if let Some(origin) = source.origin {
        // Only the scheme may differ from what this process sees: a proxy may end TLS.
        let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        return !host.is_some_and(|host| host.eq_ignore_ascii_case(source.host));
    }
    match source.fetch_site {
        None | Some("same-origin" | "none") => false,
        // A link from elsewhere opens the page, which then asks for itself.
        Some(_) => !(source.only_reads && source.fetch_mode == Some("navigate")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_page_asks_for_is_foreign() {
        for (origin, fetch_site, fetch_mode, only_reads, expected) in [
            (None, None, None, false, false),
            (Some("http://hub:7717"), Some("same-origin"), Some("cors"), false, false),
            (Some("https://hub:7717"), None, None, false, false),
            (Some("https://HUB:7717"), None, None, false, false),
            (Some("http://hub:7718"), None, None, true, true),
            (Some("http://hub"), None, None, true, true),
            (Some("http://evil.example"), None, None, true, true),
            (Some("http://hub:7717.evil.example"), None, None, true, true),
            (Some("http://hub:7717@evil.example"), None, None, true, true),
            (Some("null"), None, None, true, true),
            (Some("hub:7717"), None, None, true, true),
            (Some("file://hub:7717"), None, None, true, true),
            (Some(""), None, None, true, true),
            (None, Some("none"), Some("navigate"), true, false),
            (None, Some("same-origin"), Some("no-cors"), true, false),
            (None, Some("cross-site"), Some("navigate"), true, false),
            (None, Some("cross-site"), Some("navigate"), false, true),
            (None, Some("cross-site"), Some("no-cors"), true, true),
            (None, Some("same-site"), Some("no-cors"), true, true),
            (None, Some("cross-site"), Some("websocket"), true, true),
        ] {
            let source =
                RequestSource { origin, fetch_site, fetch_mode, host: "hub:7717", only_reads };
            assert_eq!(is_foreign(&source), expected, "{source:?}");
        }
    }
}
