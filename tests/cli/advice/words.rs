//! Quoting: a shell reads each word of a printed command as the original text.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::process::Command;

use proptest::prelude::*;
use trueup_core::text::{CommandLine, visible_line};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// A shell passes the original word on, and cleaning the line removes nothing.
    #[test]
    fn a_shell_takes_every_word_for_what_it_is(
        word in prop_oneof![
            proptest::collection::vec(1_u8..=255, 0..20),
            "[ -~\\x1b\u{202e}\u{200d}\n\t`'\"$\\\\]{0,20}".prop_map(String::into_bytes),
        ]
    ) {
        // A shell removes trailing line breaks from the output of `$(…)`.
        prop_assume!(word.last() != Some(&b'\n'));
        let line = CommandLine::new("printf %s").with_word(OsStr::from_bytes(&word));
        prop_assert_eq!(&visible_line(line.as_str(), usize::MAX), line.as_str());
        let output = Command::new("sh").args(["-c", line.as_str()]).output();
        prop_assert_eq!(output.unwrap().stdout, word);
    }
}
