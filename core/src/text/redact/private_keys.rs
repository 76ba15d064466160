//! Finds PEM blocks of private keys.
//!
//! A block is its head, the key material behind it, and its tail. Without a tail it goes as far as
//! the material does. A head that prose mentions has no material behind it and is no block.

use super::{SecretKind, SecretSpan};

const HEAD: &str = "-----BEGIN ";
const TAIL: &str = "-----END ";
const DASHES: &str = "-----";

/// The longest label between the dashes of a head or tail.
const MAX_LABEL_BYTES: usize = 60;

/// The least length of the first run of material; a line of a key has 64 characters.
const MIN_FIRST_RUN: usize = 24;

/// Fields that may stand between head and material.
const HEADER_FIELDS: [&str; 7] =
    ["Proc-Type:", "DEK-Info:", "Version:", "Comment:", "Hash:", "Charset:", "MessageID:"];

/// How many bytes between head and material are read at most, so that heads without material cost
/// little each.
const MAX_HEADER_BYTES: usize = 1_024;

/// Finds every block.
pub(super) fn find_private_keys(text: &str, spans: &mut Vec<SecretSpan>) {
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find(HEAD)) {
        let start = at + found;
        at = start + HEAD.len();
        let Some(head_end) = label_end(text, at, true) else {
            continue;
        };
        at = head_end;
        if let Some(end) = block_end(text, head_end) {
            spans.push(SecretSpan { range: start..end, kind: SecretKind::PrivateKey });
            at = end;
        }
    }
}

/// Returns the offset behind the dashes that follow the label at `at`.
fn label_end(text: &str, at: usize, must_be_private: bool) -> Option<usize> {
    let rest = text.get(at..)?;
    let is_label = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b' ';
    let length = rest.bytes().take(MAX_LABEL_BYTES).take_while(is_label).count();
    let label = rest.get(..length)?;
    let named = label.ends_with("PRIVATE KEY") || label.ends_with("PRIVATE KEY BLOCK");
    let closed = rest.get(length..)?.starts_with(DASHES);
    (closed && (named || !must_be_private)).then_some(at + length + DASHES.len())
}

/// Returns where the block with this end of its head ends; `None` if it has no material.
fn block_end(text: &str, head_end: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = head_end;
    let mut end = None;
    let mut gap = Gap::default();
    while let Some(&byte) = bytes.get(at) {
        let rest = text.get(at..).unwrap_or_default();
        if let Some(label) = rest.strip_prefix(TAIL) {
            let tail = label_end(text, text.len() - label.len(), false);
            return end.map(|end| tail.unwrap_or(end));
        }
        if let Some(width) = gap.separator_width(rest) {
            at += width;
        } else if is_material(byte) {
            let run = bytes.get(at..).unwrap_or_default();
            let length = run.iter().take_while(|byte| is_material(**byte)).count();
            if end.is_none() && HEADER_FIELDS.iter().any(|field| rest.starts_with(field)) {
                let field = rest.bytes().take(MAX_HEADER_BYTES);
                at += field.take_while(|byte| !b"\n\\".contains(byte)).count();
                if at >= head_end + MAX_HEADER_BYTES {
                    break;
                }
                continue;
            }
            let after = text.get(at + length..).unwrap_or_default();
            let continues = end.is_some() && gap.breaks <= 1 && ends_line(after);
            let is_sum = end.is_some() && byte == b'=';
            if length < MIN_FIRST_RUN && !continues && !is_sum {
                break;
            }
            at += length;
            end = Some(at);
            gap = Gap::default();
        } else {
            break;
        }
    }
    end
}

/// What separates runs of material.
#[derive(Default)]
struct Gap {
    /// Line ends, written out or escaped.
    breaks: usize,
}

impl Gap {
    /// Returns how many bytes at the start of `rest` separate material, if any do.
    fn separator_width(&mut self, rest: &str) -> Option<usize> {
        if rest.starts_with("\\n") {
            self.breaks += 1;
            return Some(2);
        }
        if rest.starts_with("\\r") {
            return Some(2);
        }
        // A string that is concatenated from lines, `"…" +`.
        if rest.starts_with("+\n") || rest.starts_with("+ ") {
            return Some(1);
        }
        let byte = rest.bytes().next()?;
        self.breaks += usize::from(byte == b'\n');
        let separates = byte.is_ascii_whitespace() || b"\"'`>|#*,\\".contains(&byte);
        separates.then_some(1)
    }
}

/// Returns whether the line ends here, or the string literal in which it is written.
fn ends_line(after: &str) -> bool {
    let rest = after.trim_start_matches([' ', '\t', '"', '\'', '`', ',', '\r']);
    rest.is_empty() || rest.starts_with(['\n', '\\']) || rest.starts_with(TAIL)
}

fn is_material(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}
