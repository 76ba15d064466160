//! A corpus of lines from status files, with what is replaced and what stays, and the laws that
//! hold for any text.
//!
//! In the corpus every secret stands between `«` and `»` and is split by `¦`, so that no scanner
//! takes the corpus itself for a leak; `⏎` is a line end.

use std::borrow::Cow;

use proptest::prelude::*;

use super::{REPLACEMENT_START, SHORT_WORD_BYTES, SecretKind, redact, redact_until_stable};

const SECRETS: &str = include_str!("corpus/secrets.txt");
const HARMLESS: &str = include_str!("corpus/harmless.txt");

/// Reads a line of the corpus: the parts between its secrets, and the secrets.
fn parse_corpus_line(line: &str) -> (Vec<String>, Vec<String>) {
    let text = line.replace('¦', "").replace('⏎', "\n");
    let (mut kept, mut secrets) = (Vec::new(), Vec::new());
    let mut parts = text.split('«');
    kept.push(parts.next().unwrap().to_owned());
    for part in parts {
        let (secret, after) = part.split_once('»').unwrap();
        secrets.push(secret.to_owned());
        kept.push(after.to_owned());
    }
    (kept, secrets)
}

/// Returns whether exactly the secrets were replaced.
fn is_redacted(kept: &[String], text: &str) -> bool {
    let clean = redact(text);
    let mut rest = clean.text.as_ref();
    let (first, others) = kept.split_first().unwrap();
    let Some(after) = rest.strip_prefix(first.as_str()) else {
        return false;
    };
    rest = after;
    for part in others {
        let after = rest.strip_prefix(REPLACEMENT_START).and_then(|rest| rest.split_once(']'));
        let Some(after) = after.and_then(|(_, rest)| rest.strip_prefix(part.as_str())) else {
            return false;
        };
        rest = after;
    }
    rest.is_empty() && clean.findings.len() == others.len()
}

#[test]
fn the_corpus_is_classified_correctly() {
    let (mut hits, mut misses, mut alarms) = (0_u32, Vec::new(), Vec::new());
    for line in SECRETS.lines() {
        let (kept, secrets) = parse_corpus_line(line);
        assert!(!secrets.is_empty(), "no secret is marked in {line}");
        let mut text = kept[0].clone();
        for (secret, after) in secrets.iter().zip(&kept[1..]) {
            text.push_str(secret);
            text.push_str(after);
        }
        let clean = redact(&text);
        let survives = secrets.iter().any(|s| clean.text.contains(s.as_str()));
        if is_redacted(&kept, &text) && !survives {
            hits += 1;
        } else {
            misses.push(format!("{text}\n  -> {}", clean.text));
        }
        assert_eq!(redact(&clean.text).text, clean.text);
        let debug = format!("{:?}", clean.findings);
        assert!(!secrets.iter().any(|s| debug.contains(s.as_str())));
    }
    for line in HARMLESS.lines() {
        let text = line.replace('¦', "").replace('⏎', "\n");
        let clean = redact(&text);
        if clean.findings.is_empty() {
            assert!(matches!(clean.text, Cow::Borrowed(same) if same == text));
        } else {
            alarms.push(format!("{text}\n  -> {}", clean.text));
        }
    }
    let share = |part: u32, others: usize| {
        f64::from(part) / (f64::from(part) + f64::from(u32::try_from(others).unwrap()))
    };
    let (recall, precision) = (share(hits, misses.len()), share(hits, alarms.len()));
    println!(
        "recall {recall:.3} of {} secrets, precision {precision:.3} over {} harmless lines",
        SECRETS.lines().count(),
        HARMLESS.lines().count()
    );
    assert!(recall >= 1.0, "{recall}, missed:\n{}", misses.join("\n"));
    assert!(precision >= 0.99, "{precision}, taken:\n{}", alarms.join("\n"));
    assert!(SECRETS.lines().count() >= 120 && HARMLESS.lines().count() >= 160);
}

/// Joins parts that are split in this file so that no scanner takes them for a leak.
fn concat_parts(parts: &[&str]) -> String {
    parts.concat()
}

#[test]
fn a_finding_names_line_and_kind() {
    let token = concat_parts(&["gh", "p_", "16C7e42F292c6912E7710c838347Ae178B4a"]);
    let line = concat_parts(&["MIIEpAIBAAKCAQEA7bq8", "1yN3Zk0fWq2mXw5tGh8jKd"]);
    let text = format!(
        "# State\r\n\r\nuse {token}\r\n-----BEGIN PRIVATE KEY-----\r\n{line}\r\n-----END PRIVATE \
         KEY-----\r\nDB_PASSWORD=xK9!mm2p\r\n{token} {token}"
    );
    let clean = redact(&text);
    assert_eq!(
        clean.text,
        "# State\r\n\r\nuse [redacted: GitHub token]\r\n[redacted: private key]\r\n\
         DB_PASSWORD=[redacted: password]\r\n[redacted: GitHub token] [redacted: GitHub token]"
    );
    let found: Vec<_> = clean.findings.iter().map(|f| (f.line, f.kind)).collect();
    assert_eq!(
        found,
        [
            (3, SecretKind::GitHub),
            (4, SecretKind::PrivateKey),
            (7, SecretKind::Password),
            (8, SecretKind::GitHub),
            (8, SecretKind::GitHub),
        ]
    );
}

#[test]
fn the_kind_that_says_more_is_reported() {
    let body = "Zq3vT8wLk1Rf6Yp0Nd5Xc2Bm9Hs4Gj7AeQuW";
    for (text, kind) in [
        (concat_parts(&["API_KEY=gl", "pat-", &body[..20]]), SecretKind::GitLab),
        (concat_parts(&["AWS_SECRET_ACCESS_KEY=", body, "/+1a"]), SecretKind::AwsSecretKey),
        (concat_parts(&["Authorization: Bearer np", "m_", body]), SecretKind::Npm),
        (concat_parts(&["token: Bearer ", body]), SecretKind::Bearer),
        (concat_parts(&["https://x:gh", "p_", body, "@github.com/a/b"]), SecretKind::GitHub),
        (concat_parts(&["CLIENT_SECRET=", body]), SecretKind::Assigned),
    ] {
        let kinds: Vec<_> = redact(&text).findings.iter().map(|f| f.kind).collect();
        assert_eq!(kinds, [kind], "{text}");
    }
}

#[test]
fn text_behind_a_key_that_was_cut_off_stays() {
    let line = concat_parts(&["MIIEpAIBAAKCAQEA7bq8", "1yN3Zk0fWq2mXw5tGh8jKd"]);
    let head = concat_parts(&["-----BEGIN RSA ", "PRIVATE KEY-----"]);
    for (text, clean) in [
        (format!("{head}\n{line}\n{line}\nabc"), "[redacted: private key]".to_owned()),
        (
            format!("{head}\n{line}\n\n## Next step\nrun it"),
            "[redacted: private key]\n\n## Next step\nrun it".to_owned(),
        ),
        (format!("{head}\n\nis how it begins"), format!("{head}\n\nis how it begins")),
        (
            format!("{head}\n{line}\n{head}\n{line}\n-----END RSA PRIVATE KEY-----."),
            "[redacted: private key]\n[redacted: private key].".to_owned(),
        ),
    ] {
        assert_eq!(redact(&text).text, clean);
    }
}

#[test]
fn a_value_longer_than_is_looked_at_goes_whole() {
    let body = "Zq3vT8wLk1Rf6Yp0Nd5Xc2Bm9Hs4Gj7AeQuW".repeat(200);
    for (text, clean) in [
        (format!("API_KEY={body} next"), "API_KEY=[redacted: assigned secret] next"),
        (format!("API_KEY=\"{body}\"."), "API_KEY=\"[redacted: assigned secret]\"."),
    ] {
        assert_eq!(redact(&text).text, clean);
    }
}

#[test]
fn what_a_reading_uncovers_is_read_too() {
    let line = concat_parts(&["MIIEpAIBAAKCAQEA7bq8", "1yN3Zk0fWq2mXw5tGh8jKd"]);
    let head = concat_parts(&["-----BEGIN RSA ", "PRIVATE KEY-----"]);
    // The value hides that the line is a field of the key.
    let token = concat_parts(&["nerUQTuiYriS95SnPt", "\\np587998ghA8"]);
    let text = format!("{head}\n{line}\n\n\n{head}\nDEK-Info: token={token}\n\n{line}\n\nend");
    let clean = redact(&text);
    assert_eq!(clean.text, "[redacted: private key]\n\n\n[redacted: private key]\n\nend");
    let found: Vec<_> = clean.findings.iter().map(|f| (f.line, f.kind)).collect();
    assert_eq!(
        found,
        [(1, SecretKind::PrivateKey), (5, SecretKind::PrivateKey), (6, SecretKind::Assigned),]
    );
}

#[test]
fn the_password_of_a_login_goes_whole_and_alone() {
    let long = concat_parts(&["Winter2026!", &"Zx81kPl0".repeat(20)]);
    let secret = concat_parts(&["nerUQTuiYriS", "95SnPtp587998ghA8"]);
    for (text, clean) in [
        (format!("login: bo:{long} and on"), "login: bo:[redacted: password] and on".to_owned()),
        (format!("creds: bo:{long}\n"), "creds: bo:[redacted: password]\n".to_owned()),
        // The text before the colon is no user name.
        (
            format!("login: authToken={secret}: x"),
            "login: authToken=[redacted: assigned secret]: x".to_owned(),
        ),
        // The rest beside a replacement is no secret.
        (
            "login:creds: [redacted: password]80mm1Zx".to_owned(),
            "login:creds: [redacted: password]80mm1Zx".to_owned(),
        ),
        (
            "-u [redacted: password]:80mm1Zx9!".to_owned(),
            "-u [redacted: password]:80mm1Zx9!".to_owned(),
        ),
    ] {
        assert_eq!(redact(&text).text, clean, "{text}");
    }
}

/// Parts of text that the rules look for, and what may stand between them.
const RULE_PARTS: &[&str] = &[
    "password",
    "API_KEY",
    "token",
    "secret",
    "Bearer",
    "Authorization: Basic",
    "key",
    "is",
    "login",
    "--token",
    "aws_secret_access_key",
    "client",
    "api",
    "[redacted: ",
    "password]",
    "[redacted: GitHub token]",
    "GitHub token",
    "[redacted: bearer token]",
    "AccountKey=",
    ": ",
    ":",
    "=",
    " = ",
    "\"",
    "'",
    "`",
    "|",
    "\n",
    "\r\n",
    " ",
    "  ",
    ",",
    ";",
    "@",
    "://",
    "/",
    "postgres://",
    "user:",
    "@host",
    "hunter2",
    "xK9!mm2p",
    "gh\u{70}_",
    "sk-",
    "sk-ant-",
    "eyJ",
    ".",
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN ",
    "-----END ",
    "PRIVATE KEY-----",
    "\\n",
    "é",
    "…",
    "(",
    ")",
    "{",
    "}",
    "<",
    ">",
    "$",
    "*",
    "**",
    "#",
    "&",
    "?",
    "-",
    "_",
    "SG.",
    "==",
    "16C7e42F292c6912E7710c838347Ae178B4a",
    "e8f1c04b77aa",
    "your",
    "16C7e42F292c6912",
    "\\\n",
    "IDENTIFIED BY '",
    "with password '",
    "name: ",
    "value",
    "ENV ",
    "set(\"",
    "setPassword(\"",
    "echo ",
    "| chpasswd",
    "| sudo -S",
    " to ",
    "auth_token ",
    "smbclient -U",
    "%",
    "item ",
];

/// Text with the parts that the rules are about, in any order.
fn arbitrary_text() -> impl Strategy<Value = String> {
    let rule_part = prop::sample::select(RULE_PARTS);
    let part = prop_oneof![
        8 => rule_part.prop_map(str::to_owned),
        2 => "[A-Za-z0-9]{1,44}",
        1 => "[A-Za-z0-9+/]{40,90}=?",
        1 => "\\PC{0,6}",
    ];
    prop::collection::vec(part, 0..24).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_short_word_is_no_secret(
        word in "(AKIA|SK|eyJ|cio|ghp_|-u|--user|Bearer|pass|key|token)?[A-Za-z0-9_-]{0,15}",
    ) {
        let word = word.get(..SHORT_WORD_BYTES).unwrap_or(&word);
        prop_assert_eq!(&redact_until_stable(word).text, word);
        prop_assert_eq!(redact(word), redact_until_stable(word));
    }

    #[test]
    fn redacting_twice_is_redacting_once(text in arbitrary_text()) {
        let once = redact(&text);
        let twice = redact(&once.text);
        prop_assert_eq!(&twice.text, &once.text);
        prop_assert!(twice.findings.is_empty());
        prop_assert_eq!(once.findings.is_empty(), once.text == text);
        prop_assert!(once.findings.is_sorted_by_key(|found| found.line));
    }

    #[test]
    fn any_text_is_read(text in any::<String>()) {
        let clean = redact(&text);
        prop_assert!(!clean.findings.is_empty() || clean.text == text);
    }

    #[test]
    fn a_token_goes_wherever_it_stands(before in "[ -~\n]{0,30}[ :=\"'`|(\n]|", after in "[ \n\"'`|).,;][ -~\n]{0,30}|") {
        let token = concat_parts(&["gh", "p_", "16C7e42F292c6912E7710c838347Ae178B4a"]);
        let clean = redact(&format!("{before}{token}{after}")).text.into_owned();
        prop_assert!(!clean.contains(&token), "{clean}");
    }
}
