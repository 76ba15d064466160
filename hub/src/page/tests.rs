//! What the files of the page must be, whatever they show.

use std::collections::BTreeSet;
use std::path::Path;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, Request, StatusCode};
use tower::ServiceExt as _;
use trueup_core::fs::sha256_hex;

use super::files::{PAGE, SOURCES, version};
use super::vendor_digests::VENDOR_DIGESTS;

/// Most bytes of the page and all its files as a browser receives them.
const MOST_COMPRESSED: usize = 60_000;

async fn get(
    path: &str,
    headers: &[(axum::http::HeaderName, &str)],
) -> (StatusCode, HeaderMap, Vec<u8>) {
    let mut request = Request::builder().uri(path);
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    let router: Router = super::routes();
    let answer = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (head, body) = answer.into_parts();
    (head.status, head.headers, to_bytes(body, usize::MAX).await.unwrap().to_vec())
}

fn address_of(path: &str) -> String {
    format!("/assets/{}/{path}", version())
}

fn text_of(path: &str) -> &'static str {
    let (_, content) = SOURCES.iter().find(|(name, _)| *name == path).unwrap();
    std::str::from_utf8(content).unwrap()
}

#[tokio::test]
async fn the_page_with_all_its_files_is_small() {
    let mut sum = 0;
    let addresses = SOURCES.iter().filter(|(path, _)| !has_extension(path, "txt"));
    for address in addresses.map(|(path, _)| address_of(path)).chain(["/".to_owned()]) {
        let (status, headers, body) = get(&address, &[(ACCEPT_ENCODING, "gzip")]).await;
        assert_eq!(status, StatusCode::OK, "{address}");
        assert!(headers.contains_key(CONTENT_ENCODING) || body.len() < 200, "{address}");
        sum += body.len();
    }
    assert!(sum < MOST_COMPRESSED, "{sum} bytes");
}

#[tokio::test]
async fn a_file_is_kept_for_good_and_the_page_is_checked_each_time() {
    let (_, page, _) = get("/", &[]).await;
    assert_eq!(page[CACHE_CONTROL], "no-cache");
    let (_, file, _) = get(&address_of("app.js"), &[]).await;
    assert_eq!(file[CACHE_CONTROL], "public, max-age=31536000, immutable");
    let (status, other, _) = get("/assets/of-another-version/app.js", &[]).await;
    assert_eq!((status, other[CACHE_CONTROL].to_str().unwrap()), (StatusCode::OK, "no-cache"));
}

#[tokio::test]
async fn what_a_browser_has_is_not_sent_again() {
    for address in ["/".to_owned(), address_of("view/rows.js")] {
        let (_, headers, _) = get(&address, &[]).await;
        let tag = headers[ETAG].to_str().unwrap();
        let several = format!("\"other\", {tag}");
        for known in [tag, several.as_str()] {
            let (status, _, body) = get(&address, &[(IF_NONE_MATCH, known)]).await;
            assert_eq!((status, body.len()), (StatusCode::NOT_MODIFIED, 0), "{address} {known}");
        }
        let (status, ..) = get(&address, &[(IF_NONE_MATCH, "W/\"other\"")]).await;
        assert_eq!(status, StatusCode::OK);
    }
}

#[tokio::test]
async fn every_answer_says_what_a_browser_must_keep_to() {
    for address in ["/".to_owned(), address_of("app.js"), address_of("no-such-file.js")] {
        let (_, headers, _) = get(&address, &[]).await;
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            assert_eq!(headers[name], value, "{address}");
        }
        assert!(headers.contains_key("permissions-policy"));
    }
}

#[tokio::test]
async fn nothing_outside_of_the_files_is_answered() {
    for path in [
        "../mod.rs",
        "..%2fmod.rs",
        "%2e%2e/mod.rs",
        "",
        "css",
        "APP.JS",
        "app.js%00",
        "index.html",
    ] {
        let (status, ..) = get(&address_of(path), &[]).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[test]
fn every_file_of_the_folder_is_in_the_binary() {
    fn walk(folder: &Path, root: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, found);
            } else {
                found.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/page/assets");
    let mut found = BTreeSet::new();
    walk(&root, &root, &mut found);
    found.remove("index.html");
    assert_eq!(found, SOURCES.iter().map(|(path, _)| (*path).to_owned()).collect());
}

#[test]
fn what_others_wrote_is_what_they_published() {
    let vendored = SOURCES.iter().filter(|(path, _)| path.starts_with("vendor/"));
    let digests: Vec<_> = vendored.map(|(path, content)| (*path, sha256_hex(content))).collect();
    let expected: Vec<_> =
        VENDOR_DIGESTS.iter().map(|file| (file.path, file.sha256.to_owned())).collect();
    assert_eq!(digests, expected);
}

#[test]
fn the_page_needs_nothing_from_elsewhere_and_runs_nothing_inline() {
    let page = std::str::from_utf8(&PAGE.content).unwrap();
    for forbidden in
        ["http:", "https:", "//", "style=", "onload", "onclick", "<style", "javascript:"]
    {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    assert_eq!(page.matches("<script").count(), page.matches("<script src=\"/assets/").count() + 1);
    for name in page.split("\"/assets/").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        let path = name.strip_prefix(version()).unwrap().strip_prefix('/').unwrap();
        assert!(SOURCES.iter().any(|(source, _)| *source == path), "{name}");
    }
}

/// Else a browser learns of a module only when it has read the one that imports it.
#[test]
fn every_module_is_named_by_the_page() {
    let page = std::str::from_utf8(&PAGE.content).unwrap();
    for (path, _) in SOURCES.iter().filter(|(path, _)| has_extension(path, "js")) {
        assert!(page.contains(&format!("\"{}\"", address_of(path))), "{path}");
    }
}

#[test]
fn no_module_makes_markup_or_code_out_of_text() {
    for (path, _) in SOURCES.iter().filter(|(path, _)| has_extension(path, "js")) {
        if path.starts_with("vendor/") {
            continue;
        }
        for forbidden in [
            "innerHTML",
            "outerHTML",
            "insertAdjacent",
            "document.write",
            "eval(",
            "Function(",
            "import(",
        ] {
            assert!(!text_of(path).contains(forbidden), "{path}: {forbidden}");
        }
    }
}

#[test]
fn every_module_imports_what_is_there() {
    for (path, _) in SOURCES.iter().filter(|(path, _)| has_extension(path, "js")) {
        for line in text_of(path).lines().filter(|line| line.starts_with("import ")) {
            let name = line.rsplit('\'').nth(1).unwrap();
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let full = match name.strip_prefix("../") {
                Some(rest) => rest.to_owned(),
                None => format!("{folder}/{}", name.trim_start_matches("./")),
            };
            let full = full.trim_start_matches('/');
            assert!(SOURCES.iter().any(|(source, _)| *source == full), "{path}: {name}");
        }
    }
}

fn has_extension(path: &str, extension: &str) -> bool {
    Path::new(path).extension().is_some_and(|found| found == extension)
}
