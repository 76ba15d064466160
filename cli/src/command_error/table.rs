//! Rows of the error tables: code, exit code and hint of every error of a command.
//!
//! A code and a hint are written in `cases` and nowhere else, one table for each kind of error.
//! What a hint promises of its commands is checked by a suite that provokes each error and runs
//! them (`tests/cli/hints`).

use std::fmt::Debug;

use super::hint::{HintPart, HintPromise};

/// Exit code of findings and of refused operations.
pub(crate) const REFUSED: u8 = 1;
/// Exit code of a command line that cannot be understood, and of a missing session.
pub(crate) const USAGE: u8 = 2;
/// Exit code of work that could not be done.
pub(crate) const UNABLE: u8 = 3;
/// Exit code of shells for a file that cannot be executed.
pub(crate) const NOT_EXECUTABLE: u8 = 126;
/// Exit code of shells for a command that does not exist.
pub(crate) const NOT_FOUND: u8 = 127;

/// One row of the error tables.
#[derive(Debug)]
pub struct ErrorRow {
    /// Name of the enum variant, unique among all tables.
    pub name: &'static str,
    /// Stable code for scripts. Several rows may share one, with the same exit code.
    pub code: &'static str,
    /// Exit code of the command.
    pub exit: u8,
    /// When the error occurs, in sentences.
    pub about: &'static [&'static str],
    /// The hint in order: each part a sentence, or a command and what it does, with `{…}` for values
    /// that are filled in.
    pub hint: &'static [(Option<&'static str>, &'static str)],
    /// Commands of the hint in order, with `{…}` for values that are filled in.
    pub commands: &'static [(HintPromise, &'static str)],
}

/// An error with the values that its hint needs.
pub(crate) trait ErrorCase: Debug {
    /// Returns the row of the table.
    fn row(&self) -> &'static ErrorRow;

    /// Returns the parts of the hint, with the values filled in.
    fn hint_parts(&self) -> Vec<HintPart>;
}

/// Declares the table of one kind of error: an enum with a variant for each row, and `ROWS`.
///
/// A row is `Name { value: Type } => EXIT "code" { … }`. Each line in the braces is a part of the
/// hint: `says "sentence"`, or a command with its promise, `ends`, `runs` or `later`, and the text
/// that follows it. Commands and texts may name the values of the row.
macro_rules! error_cases {
    (@part says $text:literal) => { HintPart::Sentence(format!($text)) };
    (@part $promise:ident $command:literal $does:literal) => {
        HintPart::Command { command: format!($command), does: format!($does) }
    };
    (@template says $text:literal) => { (None, $text) };
    (@template $promise:ident $command:literal $does:literal) => { (Some($command), $does) };
    (@promise ends) => { HintPromise::Ends };
    (@promise runs) => { HintPromise::Runs };
    (@promise later) => { HintPromise::Later };
    (@commands [$($done:tt)*]) => { &[$($done)*] };
    (@commands [$($done:tt)*] says $text:literal; $($rest:tt)*) => {
        error_cases!(@commands [$($done)*] $($rest)*)
    };
    (@commands [$($done:tt)*] $promise:ident $command:literal $does:literal; $($rest:tt)*) => {
        error_cases!(@commands [$($done)* (error_cases!(@promise $promise), $command),] $($rest)*)
    };
    (
        @row $name:ident $exit:ident $code:literal [$($doc:literal)*]
        $( $promise:ident $text:literal $($does:literal)?; )+
    ) => {
        ErrorRow {
            name: stringify!($name),
            code: $code,
            exit: $exit,
            about: &[$($doc),*],
            hint: &[$( error_cases!(@template $promise $text $($does)?) ),+],
            commands: error_cases!(@commands [] $($promise $text $($does)?;)+),
        }
    };
    (
        $(#[$kind_doc:meta])*
        $kind:ident { $(
            $(#[doc = $doc:literal])*
            $name:ident $({ $($field:ident: $type:ty),+ })? => $exit:ident $code:literal {
                $( $promise:ident $text:literal $($does:literal)?; )+
            }
        )+ }
    ) => {
        $(#[$kind_doc])*
        #[allow(clippy::enum_variant_names, reason = "a row is named after the error it is for")]
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub(crate) enum $kind {
            $( $(#[doc = $doc])* $name $({ $($field: $type),+ })?, )+
        }

        impl ErrorCase for $kind {
            fn row(&self) -> &'static ErrorRow {
                match self {
                    $( Self::$name { .. } => {
                        &error_cases!(
                            @row $name $exit $code [$($doc)*] $($promise $text $($does)?;)+
                        )
                    } )+
                }
            }

            fn hint_parts(&self) -> Vec<HintPart> {
                match self {
                    $( Self::$name $({ $($field),+ })? => vec![
                        $( error_cases!(@part $promise $text $($does)?) ),+
                    ], )+
                }
            }
        }

        /// Every row of this table.
        pub(super) const ROWS: &[ErrorRow] = &[
            $( error_cases!(
                @row $name $exit $code [$($doc)*] $($promise $text $($does)?;)+
            ), )+
        ];
    };
}

pub(super) use error_cases;
