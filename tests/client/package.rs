//! The plugin's package is valid to the client's strictest check.

use std::path::Path;

use serde_json::json;
use support::client::{Outcome, Scratch, repository};

fn assert_valid(scratch: &Scratch, directory: &Path) -> Outcome<()> {
    let output = scratch
        .client()
        .args(["plugin", "validate", "--strict"])
        .arg(directory)
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{}: {said}{complained}",
        directory.display()
    );
    Ok(())
}

#[test]
fn the_repository_is_a_valid_plugin() -> Outcome<()> {
    let Some(scratch) = Scratch::with_scripts(&json!({}), &[])? else {
        return Ok(());
    };
    assert_valid(&scratch, &repository())
}

#[test]
fn the_staged_plugin_is_valid() -> Outcome<()> {
    let Some(scratch) = Scratch::with_product()? else {
        return Ok(());
    };
    assert_valid(&scratch, &scratch.plugin())
}
