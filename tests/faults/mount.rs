//! Small file systems for tests, where this machine permits mounting.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use support::home::Home;

/// How long a file system may stay busy.
const PATIENCE: Duration = Duration::from_mins(1);

/// A mounted tmpfs; unmounted when dropped.
#[derive(Debug)]
pub(crate) struct Mount(PathBuf);

fn run(program: &str, arguments: &[&OsStr]) -> Result<(), String> {
    let output: Output = Command::new(program)
        .args(arguments)
        .output()
        .map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
}

impl Mount {
    /// Mounts a file system of `size` on a directory; prints why if that is not possible.
    pub(crate) fn over(place: &Path, size: &str) -> Option<Self> {
        let options = format!("size={size},mode=0755");
        let arguments = ["-t", "tmpfs", "-o", &options, "tmpfs"].map(OsStr::new).into_iter();
        let arguments: Vec<&OsStr> = arguments.chain([place.as_os_str()]).collect();
        match run("mount", &arguments) {
            Ok(()) => Some(Self(place.to_owned())),
            Err(reason) => {
                println!("SKIPPED: no file system can be mounted here: {reason}");
                None
            }
        }
    }

    /// Mounts a file or a directory on itself, so that it alone can be made read-only; prints why if
    /// that is not possible.
    pub(crate) fn over_itself(place: &Path) -> Option<Self> {
        match run("mount", &["--bind".as_ref(), place.as_os_str(), place.as_os_str()]) {
            Ok(()) => Some(Self(place.to_owned())),
            Err(reason) => {
                println!("SKIPPED: nothing can be mounted here: {reason}");
                None
            }
        }
    }

    /// A home whose repository, with a held item, is on a file system of 1 MiB.
    pub(crate) fn under_a_repository() -> Option<(Home, Self)> {
        let mut home = Home::new();
        let place = home.root().join("mounted");
        fs::create_dir(&place).unwrap();
        let mount = Self::over(&place, "1m")?;
        home.move_project(place);
        home.run_git(&["init", "--quiet", "--initial-branch=main"]);
        Some((home.with_held_item(), mount))
    }

    /// Makes it read-only, or writable again.
    pub(crate) fn read_only(&self, yes: bool) {
        // Of this mount alone: what is mounted on itself belongs to a larger file system.
        let options = if yes { "remount,bind,ro" } else { "remount,bind,rw" };
        let arguments = ["-o", options].map(OsStr::new).into_iter();
        let arguments: Vec<&OsStr> = arguments.chain([self.0.as_os_str()]).collect();
        // A process that another test forks inherits all files open here until it calls `exec`. The
        // kernel reports the file system as busy meanwhile.
        let began = Instant::now();
        loop {
            match run("mount", &arguments) {
                Err(reason) if reason.contains("busy") && began.elapsed() < PATIENCE => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                done => return done.unwrap(),
            }
        }
    }

    /// Fills it to the last byte; the file that does is removed by [`Self::free`].
    pub(crate) fn fill(&self) {
        let mut file = File::create(self.0.join("filler")).unwrap();
        let mut block = vec![b'x'; 4096];
        while !block.is_empty() {
            if file.write_all(&block).is_err() {
                block.truncate(block.len() / 2);
            }
        }
    }

    /// Frees the space again.
    pub(crate) fn free(&self) {
        fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        if let Err(reason) = run("umount", &[OsStr::new("-l"), self.0.as_os_str()]) {
            println!("{} stays mounted: {reason}", self.0.display());
        }
    }
}
