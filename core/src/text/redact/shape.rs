//! Tokens whose own form gives them away, as the services that hand them out document it.

use super::{SecretKind, Span, end_of_mark, judge};

/// What a part of a token is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Letters and digits.
    Alnum,
    /// Capitals and digits.
    Upper,
    /// Hexadecimal digits in lower case.
    Hex,
    /// Letters, digits, `_` and `-`.
    Url,
    /// What base64 has, padded.
    Base64,
}

/// How many classes there are.
const CLASSES: usize = 5;

/// Most parts of a form.
const MOST_PARTS: usize = 3;

impl Class {
    fn has(self, byte: u8) -> bool {
        match self {
            Self::Alnum => byte.is_ascii_alphanumeric(),
            Self::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Self::Hex => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
            Self::Url => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
            Self::Base64 => byte.is_ascii_alphanumeric() || b"+/=".contains(&byte),
        }
    }
}

/// The form of a token: a prefix, and parts with dots between them.
struct Shape {
    prefix: &'static str,
    kind: SecretKind,
    /// Class, fewest and most characters of each part.
    parts: &'static [(Class, usize, usize)],
    /// Whether it must look random as well, the prefix being a common word or the parts short.
    random: bool,
}

/// No limit that matters.
const ANY: usize = usize::MAX;

const fn shape(
    prefix: &'static str,
    kind: SecretKind,
    parts: &'static [(Class, usize, usize)],
) -> Shape {
    Shape {
        prefix,
        kind,
        parts,
        random: false,
    }
}

const fn random(
    prefix: &'static str,
    kind: SecretKind,
    parts: &'static [(Class, usize, usize)],
) -> Shape {
    Shape {
        random: true,
        ..shape(prefix, kind, parts)
    }
}

use Class::{Alnum, Base64, Hex, Upper, Url};
use SecretKind as K;

/// Every form. Of two that begin alike the longer prefix stands first.
const SHAPES: &[Shape] = &[
    shape("AKIA", K::AwsAccessKey, &[(Upper, 16, 16)]),
    shape("ASIA", K::AwsAccessKey, &[(Upper, 16, 16)]),
    shape("ABIA", K::AwsAccessKey, &[(Upper, 16, 16)]),
    shape("ACCA", K::AwsAccessKey, &[(Upper, 16, 16)]),
    shape("ATATT3", K::Service, &[(Url, 40, ANY)]),
    shape("AIza", K::Google, &[(Url, 35, 35)]),
    shape("AGE-SECRET-KEY-1", K::PrivateKey, &[(Upper, 50, 64)]),
    shape("AccountKey=", K::Azure, &[(Base64, 40, 100)]),
    shape("GOCSPX-", K::Google, &[(Url, 24, 40)]),
    shape("GR1348941", K::GitLab, &[(Url, 20, 40)]),
    shape("NRAK-", K::Service, &[(Upper, 27, 27)]),
    shape("PMAK-", K::Service, &[(Url, 50, 70)]),
    shape("SG.", K::SendGrid, &[(Url, 16, 32), (Url, 32, 64)]),
    shape("SK", K::Twilio, &[(Hex, 32, 32)]),
    shape("SharedAccessKey=", K::Azure, &[(Base64, 40, 100)]),
    shape("cio", K::Service, &[(Alnum, 32, 32)]),
    shape("dapi", K::Service, &[(Hex, 32, 32)]),
    shape("dckr_pat_", K::Service, &[(Url, 20, 60)]),
    shape("dop_v1_", K::DigitalOcean, &[(Hex, 64, 64)]),
    shape("doo_v1_", K::DigitalOcean, &[(Hex, 64, 64)]),
    shape("dor_v1_", K::DigitalOcean, &[(Hex, 64, 64)]),
    shape("dp.pt.", K::Service, &[(Alnum, 40, 48)]),
    shape(
        "eyJ",
        K::Jwt,
        &[(Url, 8, ANY), (Url, 10, ANY), (Url, 10, ANY)],
    ),
    shape("figd_", K::Service, &[(Url, 36, 60)]),
    shape("ghp_", K::GitHub, &[(Alnum, 30, 255)]),
    shape("gho_", K::GitHub, &[(Alnum, 30, 255)]),
    shape("ghu_", K::GitHub, &[(Alnum, 30, 255)]),
    shape("ghs_", K::GitHub, &[(Alnum, 30, 255)]),
    shape("ghr_", K::GitHub, &[(Alnum, 30, 255)]),
    shape("github_pat_", K::GitHub, &[(Url, 36, 255)]),
    shape("glpat-", K::GitLab, &[(Url, 20, 60)]),
    shape("glptt-", K::GitLab, &[(Url, 20, 60)]),
    shape("gldt-", K::GitLab, &[(Url, 20, 60)]),
    shape("glrt-", K::GitLab, &[(Url, 20, 60)]),
    shape("glcbt-", K::GitLab, &[(Url, 20, 60)]),
    shape("glsa_", K::Service, &[(Url, 38, 50)]),
    shape("gsk_", K::Service, &[(Alnum, 40, 64)]),
    shape("hf_", K::HuggingFace, &[(Alnum, 30, 60)]),
    shape("hvs.", K::Service, &[(Url, 24, 200)]),
    shape("key-", K::Service, &[(Hex, 32, 32)]),
    shape("lin_api_", K::Service, &[(Alnum, 32, 60)]),
    shape("npm_", K::Npm, &[(Alnum, 36, 36)]),
    shape("ntn_", K::Service, &[(Alnum, 40, 60)]),
    random("pplx-", K::Service, &[(Alnum, 32, 64)]),
    shape("pul-", K::Service, &[(Hex, 40, 40)]),
    random("pypi-", K::PyPi, &[(Url, 32, ANY)]),
    random("r8_", K::Service, &[(Alnum, 30, 48)]),
    shape("rk_live_", K::Stripe, &[(Alnum, 16, 255)]),
    shape("rk_test_", K::Stripe, &[(Alnum, 16, 255)]),
    shape("rubygems_", K::Service, &[(Hex, 48, 48)]),
    shape("sb_secret_", K::Service, &[(Url, 20, 60)]),
    shape("sbp_", K::Service, &[(Hex, 40, 40)]),
    shape("shpat_", K::Service, &[(Hex, 32, 32)]),
    shape("shpss_", K::Service, &[(Hex, 32, 32)]),
    shape("sk_live_", K::Stripe, &[(Alnum, 16, 255)]),
    shape("sk_test_", K::Stripe, &[(Alnum, 16, 255)]),
    shape("sk-ant-", K::Anthropic, &[(Url, 20, ANY)]),
    shape("sk-proj-", K::OpenAi, &[(Url, 20, ANY)]),
    random("sk-", K::OpenAi, &[(Url, 20, ANY)]),
    shape("sntrys_", K::Service, &[(Url, 40, ANY)]),
    random("tskey-", K::Service, &[(Url, 20, 80)]),
    shape("whsec_", K::Stripe, &[(Base64, 24, 80)]),
    random("xai-", K::Service, &[(Alnum, 60, 100)]),
    random("xapp-", K::Slack, &[(Url, 20, 200)]),
    shape("xoxa-", K::Slack, &[(Url, 16, 200)]),
    shape("xoxb-", K::Slack, &[(Url, 16, 200)]),
    shape("xoxe-", K::Slack, &[(Url, 16, 200)]),
    shape("xoxo-", K::Slack, &[(Url, 16, 200)]),
    shape("xoxp-", K::Slack, &[(Url, 16, 200)]),
    shape("xoxr-", K::Slack, &[(Url, 16, 200)]),
    shape("xoxs-", K::Slack, &[(Url, 16, 200)]),
    shape("xoxc-", K::Slack, &[(Url, 16, 200)]),
    shape("xoxd-", K::Slack, &[(Url, 16, 200)]),
    random("ya29.", K::Google, &[(Url, 30, ANY)]),
];

/// Where the forms begin that share a first byte: first and one behind the last.
const INDEX: [(u8, u8); 128] = {
    let mut index = [(0, 0); 128];
    let mut at = 0;
    while at < SHAPES.len() {
        let first = SHAPES[at].prefix.as_bytes()[0] as usize;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "there are fewer than 256 forms"
        )]
        let number = at as u8;
        if index[first].1 == 0 {
            index[first].0 = number;
        }
        index[first].1 = number + 1;
        at += 1;
    }
    index
};

/// Finds every token.
pub(super) fn scan(text: &str, spans: &mut Vec<Span>) {
    let mut runs = Runs {
        bytes: text.as_bytes(),
        measured: [[(0, 0); MOST_PARTS]; CLASSES],
    };
    let mut at = 0;
    let mut glued = false;
    while let Some(&byte) = runs.bytes.get(at) {
        if !glued
            && may_begin(byte)
            && let Some((shape, end)) = find(text, &mut runs, at)
        {
            // Of `AccountKey=…` the name stays.
            let named = shape.prefix.ends_with('=');
            spans.push(Span {
                range: at + if named { shape.prefix.len() } else { 0 }..end,
                kind: shape.kind,
            });
            at = end;
            continue;
        }
        glued = byte.is_ascii_alphanumeric();
        at += 1;
    }
}

fn may_begin(byte: u8) -> bool {
    let index = INDEX.get(usize::from(byte));
    index.is_some_and(|(_, end)| *end > 0)
}

/// Returns the form and the end of the token that begins at `start`.
fn find(text: &str, runs: &mut Runs, start: usize) -> Option<(&'static Shape, usize)> {
    let rest = text.as_bytes().get(start..)?;
    let (first, end) = INDEX.get(usize::from(*rest.first()?))?;
    let shapes = SHAPES.get(usize::from(*first)..usize::from(*end))?;
    let shape = shapes
        .iter()
        .find(|shape| rest.starts_with(shape.prefix.as_bytes()))?;
    let body = start + shape.prefix.len();
    let mut at = body;
    for (part, (class, fewest, most)) in shape.parts.iter().enumerate() {
        if part > 0 {
            if runs.bytes.get(at) != Some(&b'.') {
                return None;
            }
            at += 1;
        }
        let end = runs.end(*class, part, at);
        if !(*fewest..=*most).contains(&(end - at)) {
            return None;
        }
        at = end;
    }
    // What is left before a replacement was longer once, and no token then.
    if runs.bytes.get(at).is_some_and(u8::is_ascii_alphanumeric) || end_of_mark(text, at).is_some()
    {
        return None;
    }
    let body = text.get(body..at)?;
    let is_token = !judge::is_left_open(body) && (!shape.random || judge::has_random_run(body));
    is_token.then_some((shape, at))
}

/// Runs of one class. Each is measured once, however many tokens seem to begin inside it:
/// `sk-sk-sk-…` is one run.
struct Runs<'a> {
    bytes: &'a [u8],
    /// Start and end of the run that was measured last, by class and part of a form.
    measured: [[(usize, usize); MOST_PARTS]; CLASSES],
}

impl Runs<'_> {
    fn end(&mut self, class: Class, part: usize, start: usize) -> usize {
        let rest = self.bytes.get(start..).unwrap_or_default();
        let measure = || start + rest.iter().take_while(|byte| class.has(**byte)).count();
        let slot = self.measured.get_mut(class as usize);
        let Some(slot) = slot.and_then(|parts| parts.get_mut(part)) else {
            return measure();
        };
        if !(slot.0..slot.1).contains(&start) {
            *slot = (start, measure());
        }
        slot.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_with_one_first_byte_stand_together_the_longer_prefix_first() {
        for (number, shape) in SHAPES.iter().enumerate() {
            let (first, end) = INDEX[usize::from(shape.prefix.as_bytes()[0])];
            assert!((usize::from(first)..usize::from(end)).contains(&number));
            let group = &SHAPES[usize::from(first)..usize::from(end)];
            assert!(
                group
                    .iter()
                    .all(|s| s.prefix.as_bytes()[0] == shape.prefix.as_bytes()[0]),
                "{} stands apart",
                shape.prefix
            );
            let hidden = SHAPES[..number]
                .iter()
                .find(|s| shape.prefix.starts_with(s.prefix));
            assert!(hidden.is_none(), "{} is never reached", shape.prefix);
        }
    }
}
