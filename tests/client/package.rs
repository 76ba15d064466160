//! The plugin passes the client's strict validation.

use std::path::Path;

use serde_json::json;
use support::client::{HarnessResult, Scratch, repository_root};

fn assert_valid(scratch: &Scratch, directory: &Path) -> HarnessResult<()> {
    let output = scratch
        .client_command()
        .args(["plugin", "validate", "--strict"])
        .arg(directory)
        .output()?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {stdout}{complained}", directory.display());
    Ok(())
}

#[test]
fn the_repository_is_a_valid_plugin() -> HarnessResult<()> {
    let Some(scratch) = Scratch::with_scripts(&json!({}), &[])? else {
        return Ok(());
    };
    assert_valid(&scratch, &repository_root())
}

#[test]
fn the_staged_plugin_is_valid() -> HarnessResult<()> {
    let Some(scratch) = Scratch::with_product()? else {
        return Ok(());
    };
    assert_valid(&scratch, &scratch.plugin())
}
