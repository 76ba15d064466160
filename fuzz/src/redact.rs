//! Redaction: once is enough, text without a finding is handed back as it is, and a secret goes
//! whatever stands before it.

use std::borrow::Cow;

use trueup_core::text::redact::redact;

/// Checks a text. The seeds have a `¦` in each token, so that no scanner takes them for a leak.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let text = text.replace('¦', "");
    let once = redact(&text);
    if once.findings.is_empty() {
        assert!(matches!(once.text, Cow::Borrowed(same) if same.as_ptr() == text.as_ptr()));
        assert_eq!(once.text, text);
    } else {
        assert_ne!(once.text, text);
    }
    let twice = redact(&once.text);
    assert_eq!(twice.text, once.text);
    assert!(twice.findings.is_empty());
    assert!(once.findings.is_sorted_by_key(|found| found.line));
    let lines = text.split('\n').count();
    assert!(once.findings.iter().all(|found| (1..=lines).contains(&found.line)));
    // What stands within a longer secret goes with it, mark and all.
    assert!(once.findings.is_empty() || once.text.contains("[redacted: "));

    // In two parts, so that no scanner takes this file for a leak.
    let token = ["gh", "p_16C7e42F292c6912E7710c838347Ae178B4a"].concat();
    let with = format!("{text}\n{token}\n{text}");
    assert!(!redact(&with).text.contains(&token), "{with:?}");
}
