//! Paths on the command line.

use std::path::Path;

use clap::builder::{OsStringValueParser, TypedValueParser};
use trueup_core::text::path_to_text;

/// Returns a parser of arguments that may be paths; a path that is not UTF-8 becomes its text form.
pub(crate) fn path_text() -> impl TypedValueParser<Value = String> {
    OsStringValueParser::new().map(|argument| match argument.to_str() {
        // The printed form of a path is accepted as well.
        Some(text) if !Path::new(text).exists() => text.to_owned(),
        _ => path_to_text(Path::new(&argument)),
    })
}
