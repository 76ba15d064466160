//! Which of two versions is the older one.

use crate::error::{Error, Result};
use crate::layout::Layout;

/// The version that this program installs.
const THIS_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Refuses to replace a newer version, whose database this one may not know.
pub(crate) fn check_not_older(layout: &Layout, installed: &str, is_forced: bool) -> Result<()> {
    let is_older = parse(THIS_VERSION).zip(parse(installed)).is_some_and(|(new, old)| new < old);
    if is_forced || !is_older {
        return Ok(());
    }
    Err(Error::Refused {
        path: layout.stage.clone(),
        why: format!("has trueup {installed}, and this is the older {THIS_VERSION}"),
        hint: "--force installs it all the same; it refuses a database that the newer one has upgraded"
            .to_owned(),
    })
}

/// Parses a version such as `0.2.0` or `0.2.0-rc.1`, which comes before the one without addition.
fn parse(text: &str) -> Option<(Vec<u64>, bool, &str)> {
    let (numbers, addition) = text.split_once('-').unwrap_or((text, ""));
    let numbers = numbers.split('.').map(|number| number.parse().ok()).collect::<Option<_>>()?;
    Some((numbers, addition.is_empty(), addition))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn versions_are_ordered() {
        let ordered = ["0.1.0-rc.1", "0.1.0", "0.1.9", "0.1.10", "0.2.0-rc.1", "0.2.0", "1.0.0"];
        assert!(ordered.map(|text| parse(text).unwrap()).is_sorted());
        assert_eq!(parse("x"), None);
    }
}
