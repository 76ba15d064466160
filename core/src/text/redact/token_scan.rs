//! Finds tokens that show by their own form, by the table in `token_forms`.

use super::split_tokens::{JoinedToken, ReadBudget, may_begin_joint};
use super::token_forms::{
    CHAR_CLASSES, CharClass, INFIX_FORMS, InfixForm, MAX_PARTS, TOKEN_FORMS, TokenForm, TokenPart,
};
use super::{SecretSpan, assigned_value, classify, placeholders, replacement_end};

/// For each first byte, the index of the first form that begins with it, and of the one behind the
/// last.
const FORMS_BY_FIRST_BYTE: [(u16, u16); 128] = {
    let mut index = [(0, 0); 128];
    let mut at = 0;
    while at < TOKEN_FORMS.len() {
        let first = TOKEN_FORMS[at].prefix.as_bytes()[0] as usize;
        #[expect(clippy::cast_possible_truncation, reason = "there are a few hundred forms")]
        let number = at as u16;
        if index[first].1 == 0 {
            index[first].0 = number;
        }
        index[first].1 = number + 1;
        at += 1;
    }
    index
};

/// The least length of a token with an infix form, in bytes.
const MIN_INFIX_TOKEN_BYTES: usize = 36;

/// Finds every token.
pub(super) fn find_tokens(text: &str, spans: &mut Vec<SecretSpan>) {
    if text.len() >= MIN_INFIX_TOKEN_BYTES {
        for infix in INFIX_FORMS {
            find_infix_tokens(text, infix, spans);
        }
    }
    let mut runs =
        RunCache { bytes: text.as_bytes(), measured: [[(0, 0); MAX_PARTS]; CHAR_CLASSES] };
    let mut budget = ReadBudget::for_text(text);
    let mut at = 0;
    let mut glued = false;
    while let Some(&byte) = runs.bytes.get(at) {
        if !glued
            && may_begin(byte)
            && let Some((shape, end)) =
                find_token(text, &mut runs, at).or_else(|| find_joined_token(text, at, &mut budget))
        {
            let end = continued_end(text, at, end, shape);
            // The name in `AccountKey=…` stays.
            let named = shape.prefix.ends_with('=');
            spans.push(SecretSpan {
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

/// Finds the tokens of a form with a known piece.
fn find_infix_tokens(text: &str, infix: &InfixForm, spans: &mut Vec<SecretSpan>) {
    let bytes = text.as_bytes();
    let counted = |(class, fewest, most): TokenPart, part: &mut dyn Iterator<Item = &u8>| {
        let length = part.take(most + 1).take_while(|byte| class.contains(**byte)).count();
        (fewest..=most).contains(&length).then_some(length)
    };
    for (at, anchor) in text.match_indices(infix.anchor) {
        let behind = at + anchor.len();
        let (Some(before), Some(after)) = (bytes.get(..at), bytes.get(behind..)) else {
            continue;
        };
        let left = counted(infix.before, &mut before.iter().rev());
        let Some(left) = left else { continue };
        let Some(right) = counted(infix.after, &mut after.iter()) else {
            continue;
        };
        let range = at - left..behind + right;
        let touches = |class: CharClass, at: Option<usize>| {
            let byte = at.and_then(|at| bytes.get(at)).copied();
            // Digits may follow a word, as in `/bot123456:AA…`.
            let of_word = |byte: u8| byte.is_ascii_alphanumeric() && class != CharClass::Digit;
            byte.is_some_and(|byte| class.contains(byte) || of_word(byte))
        };
        let is_glued = touches(infix.before.0, range.start.checked_sub(1))
            || touches(infix.after.0, Some(range.end));
        let body = text.get(range.clone()).unwrap_or_default();
        if !is_glued && !placeholders::is_elided(body) && classify::is_varied(body) {
            spans.push(SecretSpan { range, kind: infix.kind });
        }
    }
}

fn may_begin(byte: u8) -> bool {
    let index = FORMS_BY_FIRST_BYTE.get(usize::from(byte));
    index.is_some_and(|(_, end)| *end > 0)
}

/// Returns the forms that begin with this byte.
fn forms_with_first_byte(byte: u8) -> &'static [TokenForm] {
    let index = FORMS_BY_FIRST_BYTE.get(usize::from(byte));
    let (first, end) = index.copied().unwrap_or_default();
    let shapes = TOKEN_FORMS.get(usize::from(first)..usize::from(end));
    shapes.unwrap_or_default()
}

/// Returns the forms that begin with the first two bytes of `rest`, or only with the first where
/// the second may interrupt a token. This rules out most words at once.
fn forms_starting_like(rest: &[u8]) -> impl Iterator<Item = &'static TokenForm> {
    let second = rest.get(1).copied();
    let interrupted = second.is_some_and(may_begin_joint);
    let shapes = rest.first().map_or(&[][..], |first| forms_with_first_byte(*first));
    shapes.iter().filter(move |shape| {
        let wanted = shape.prefix.as_bytes().get(1).copied();
        interrupted || wanted.is_none() || wanted == second
    })
}

/// Returns the form and the end of the token that begins at `start`.
fn find_token(
    text: &str,
    runs: &mut RunCache<'_>,
    start: usize,
) -> Option<(&'static TokenForm, usize)> {
    let rest = text.as_bytes().get(start..)?;
    let shape =
        forms_starting_like(rest).find(|shape| rest.starts_with(shape.prefix.as_bytes()))?;
    let end = token_end(text, runs, start, shape)?;
    Some((shape, end))
}

/// Returns the end of the token of this form that begins at `start`.
fn token_end(
    text: &str,
    runs: &mut RunCache<'_>,
    start: usize,
    shape: &TokenForm,
) -> Option<usize> {
    let body = start + shape.prefix.len();
    let mut at = body;
    for (part, (class, fewest, most)) in shape.parts.iter().enumerate() {
        if part > 0 {
            if runs.bytes.get(at) != Some(&b'.') {
                return None;
            }
            at += 1;
        }
        let end = runs.run_end(*class, part, at);
        if !(*fewest..=*most).contains(&(end - at)) {
            return None;
        }
        at = end;
    }
    // Before a replacement stands the rest of a token that was longer.
    if runs.bytes.get(at).is_some_and(u8::is_ascii_alphanumeric)
        || replacement_end(text, at).is_some()
    {
        return None;
    }
    let body = text.get(body..at)?;
    // Documentation marks keys that are not valid in this way.
    let is_example = body.ends_with("EXAMPLE") || body.ends_with("EXAMPLEKEY");
    let is_token = !is_example
        && !placeholders::is_elided(body)
        && (!shape.must_look_random || classify::has_random_run(body) || classify::is_dense(body));
    is_token.then_some(at)
}

/// Returns where a complete token ends if backslashes at the ends of lines continue it.
fn continued_end(text: &str, start: usize, end: usize, shape: &TokenForm) -> usize {
    let Some((class, _, most)) = shape.parts.last() else {
        return end;
    };
    let mut end = end;
    while let Some(range) = assigned_value::continued_line(text, end) {
        let run = text.get(range.clone()).unwrap_or_default();
        if range.end - start > most.saturating_add(shape.prefix.len())
            || !run.bytes().all(|byte| class.contains(byte))
        {
            break;
        }
        end = range.end;
    }
    end
}

/// Returns the form and the end of a token that escapes or emphasis of Markdown, or a line end,
/// interrupt.
fn find_joined_token(
    text: &str,
    start: usize,
    budget: &mut ReadBudget,
) -> Option<(&'static TokenForm, usize)> {
    for shape in forms_starting_like(text.as_bytes().get(start..)?) {
        // A single letter that stands apart is no sign of a token.
        if shape.prefix.len() < 3 || !JoinedToken::starts_with_prefix(text, start, shape.prefix) {
            continue;
        }
        let joined = JoinedToken::read_joined(text, start, budget)?;
        for whole in joined.candidates() {
            let mut runs =
                RunCache { bytes: whole.as_bytes(), measured: [[(0, 0); MAX_PARTS]; CHAR_CLASSES] };
            if let Some(end) = token_end(whole, &mut runs, 0, shape) {
                return Some((shape, joined.end_in_text(end)));
            }
        }
        return None;
    }
    None
}

/// The runs of a character class. Each is measured once, however many tokens seem to begin in it:
/// `sk-sk-sk-…` is one run.
struct RunCache<'a> {
    bytes: &'a [u8],
    /// Start and end of the last run, by class and part of a form.
    measured: [[(usize, usize); MAX_PARTS]; CHAR_CLASSES],
}

impl RunCache<'_> {
    fn run_end(&mut self, class: CharClass, part: usize, start: usize) -> usize {
        let rest = self.bytes.get(start..).unwrap_or_default();
        let measure = || start + rest.iter().take_while(|byte| class.contains(**byte)).count();
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
        for (number, shape) in TOKEN_FORMS.iter().enumerate() {
            let (first, end) = FORMS_BY_FIRST_BYTE[usize::from(shape.prefix.as_bytes()[0])];
            assert!((usize::from(first)..usize::from(end)).contains(&number));
            let group = &TOKEN_FORMS[usize::from(first)..usize::from(end)];
            assert!(
                group.iter().all(|s| s.prefix.as_bytes()[0] == shape.prefix.as_bytes()[0]),
                "{} stands apart",
                shape.prefix
            );
            let hidden = TOKEN_FORMS[..number].iter().find(|s| shape.prefix.starts_with(s.prefix));
            assert!(hidden.is_none(), "{} is never reached", shape.prefix);
        }
    }
}
