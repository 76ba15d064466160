//! Every installed file has its intended mode, whatever the umask.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use support::client::find_binary;

use crate::scratch::{InstallerOutput, Scratch};

fn install(scratch: &Scratch, umask: &str, arguments: &[&str]) {
    let script = format!("umask {umask}; exec \"$0\" \"$@\"");
    let mut command = scratch.command(Path::new("/bin/sh"));
    let bins = scratch.path("bins");
    command
        .args(["-c", &script])
        .arg(find_binary("trueup-install").unwrap())
        .args(["--bin-dir", bins.to_str().unwrap()])
        .args(arguments);
    InstallerOutput::new(command.output().unwrap()).exits(0);
}

fn visit_below(folder: &Path, visit: &mut dyn FnMut(&Path, &fs::Metadata)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let data = fs::symlink_metadata(&path).unwrap();
        if data.is_symlink() {
            continue;
        }
        visit(&path, &data);
        if data.is_dir() {
            visit_below(&path, visit);
        }
    }
}

#[test]
fn every_mode_is_set_regardless_of_the_umask() {
    for umask in ["000", "022", "077", "0277"] {
        let scratch = Scratch::new();
        let prefix = ["--prefix", "deep/out", "--no-claude"];
        // Installed once, and again over it.
        for _ in 0..2 {
            install(&scratch, umask, &prefix);
            scratch.binary("trueup", "#!/bin/sh\necho trueup 0.1.0 again\n");
        }
        let deep = scratch.path("deep");
        let mut placed = vec![(deep.clone(), fs::metadata(&deep).unwrap())];
        visit_below(&deep, &mut |path, data| {
            placed.push((path.to_owned(), data.clone()));
        });
        assert!(placed.len() > 10, "{placed:?}");
        for (path, data) in placed {
            let mode = data.mode() & 0o777;
            let name = path.strip_prefix(&deep).unwrap();
            let expected: &[u32] = if data.is_dir() {
                &[0o755, 0o700]
            } else if name.starts_with("out/bin") {
                &[0o755]
            } else {
                &[0o644, 0o600]
            };
            let path = path.display();
            assert!(expected.contains(&mode), "{path} is {mode:o} under umask {umask}");
        }
    }
}
