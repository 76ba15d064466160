//! Recovers the commands of a payload that is not valid JSON because it was cut or damaged.

use crate::text::lenient_json;

/// Lists the commands in a broken payload, each with whether it was cut.
pub fn find_commands(payload: &str) -> Vec<(String, bool)> {
    let texts = payload.split("\"command\"").skip(1);
    texts.filter_map(parse_command).collect()
}

/// Parses the text after the field's name.
fn parse_command(text: &str) -> Option<(String, bool)> {
    let text = text.trim_start().strip_prefix(':')?.trim_start();
    let text = text.strip_prefix('"')?;
    let mut escaped = false;
    let end = text.char_indices().find(|(_, c)| {
        let closes = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        closes
    });
    let inside = end.map_or(text, |(at, _)| text.get(..at).unwrap_or_default());
    Some((decode_escapes(inside), end.is_none()))
}

/// Decodes the escapes of a string, the last of which may be cut.
fn decode_escapes(inside: &str) -> String {
    // The longest escape has six characters.
    let shorter = inside.char_indices().rev().take(6).map(|(at, _)| at);
    let mut ends = [inside.len()].into_iter().chain(shorter);
    let read = ends.find_map(|end| {
        let text = inside.get(..end)?.replace(|c: char| c.is_control(), " ");
        lenient_json::from_str(&format!("\"{text}\"")).ok()
    });
    read.unwrap_or_else(|| inside.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_broken_payload_still_says() {
        for (payload, expected) in [
            ("", &[][..]),
            ("{\"command\": ", &[]),
            ("{\"command\": 7", &[]),
            ("{\"command\": \"make x\",", &[("make x", false)]),
            ("{\"command\" : \"make \\\"x\\\" y", &[("make \"x\" y", true)]),
            ("{\"command\":\"a\\nb\\u00", &[("a\nb", true)]),
            ("{\"command\":\"a\nb\\ud83d\"", &[("a b\u{fffd}", false)]),
            ("\"command\":\"a\",,\"command\":\"b\"", &[("a", false), ("b", false)]),
        ] {
            let found = find_commands(payload);
            let found: Vec<(&str, bool)> = found.iter().map(|(c, cut)| (&**c, *cut)).collect();
            assert_eq!(found, expected, "{payload}");
        }
    }
}
