// SPDX-License-Identifier: BSD-2-Clause
//! What the shell scripts that a user meets first say and return.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

fn words(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// tools/run.sh with a shell command in place of QEMU.
fn run(command: &str) -> Output {
    Command::new(script("run.sh"))
        .args(["sh", "-c", command])
        .output()
        .unwrap()
}

#[test]
fn a_qemu_that_was_told_to_end_has_succeeded() {
    for command in ["exit 0", "kill -INT $$", "kill -TERM $$", "kill -HUP $$"] {
        let output = run(command);
        assert_eq!(output.status.code(), Some(0), "{command}");
        // The shell's own word for the signal may stand there.
        assert!(!words(&output.stderr).contains("QEMU"), "{command}");
    }
}

#[test]
fn a_qemu_that_crashed_has_failed() {
    for (command, status, why) in [
        ("kill -SEGV $$", 128 + 11, "ended by SIGSEGV"),
        ("kill -ABRT $$", 128 + 6, "ended by SIGABRT"),
        ("kill -KILL $$", 128 + 9, "ended by SIGKILL"),
        ("exit 1", 1, "status 1"),
    ] {
        let output = run(command);
        assert_eq!(output.status.code(), Some(status), "{command}");
        let stderr = words(&output.stderr);
        assert!(stderr.contains(why), "{command}: {stderr}");
    }
}

/// A folder with a copy of tools/setup.sh and the few programs that it finds, removed at the end.
struct BareMachine(PathBuf);

impl BareMachine {
    /// `sudo` and `apt-get` only print what they are called with; `user` is what `id -u` prints.
    fn new(name: &str, user: u32) -> Self {
        let folder = std::env::temp_dir().join(format!("setup-{name}-{}", std::process::id()));
        let bin = folder.join("bin");
        fs::create_dir_all(&bin).unwrap();
        fs::create_dir_all(folder.join("tools")).unwrap();
        fs::copy(script("setup.sh"), folder.join("tools/setup.sh")).unwrap();
        for program in ["dirname", "mkdir", "flock", "python3", "cat"] {
            let path = std::env::split_paths(&std::env::var_os("PATH").unwrap())
                .map(|folder| folder.join(program))
                .find(|path| path.is_file())
                .unwrap();
            symlink(path, bin.join(program)).unwrap();
        }
        let log = folder.join("calls");
        for (program, text) in [
            ("id", format!("echo {user}")),
            ("sudo", format!("echo sudo \"$@\" >>{}", log.display())),
            (
                "apt-get",
                format!("echo apt-get \"$@\" >>{}", log.display()),
            ),
        ] {
            let path = bin.join(program);
            fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self(folder)
    }

    /// What the script says, and the calls of `sudo` and `apt-get`.
    fn set_up(&self) -> (String, String) {
        let output = Command::new("/bin/bash")
            .arg(self.0.join("tools/setup.sh"))
            .env("PATH", self.0.join("bin"))
            .output()
            .unwrap();
        let calls = fs::read_to_string(self.0.join("calls")).unwrap_or_default();
        (words(&output.stderr), calls)
    }
}

impl Drop for BareMachine {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn setup_says_what_it_installs_and_that_it_uses_sudo() {
    let (said, calls) = BareMachine::new("user", 1000).set_up();
    let mut lines = said.lines();
    let packages = lines.next().unwrap();
    assert!(packages.contains("qemu-system-arm"), "{said}");
    let commands = lines.next().unwrap();
    assert!(commands.contains("sudo apt-get update"), "{said}");
    assert!(commands.contains("sudo apt-get install"), "{said}");
    assert!(calls.contains("sudo apt-get update\n"), "{calls}");
    for package in calls
        .lines()
        .filter(|call| call.contains(" install "))
        .filter_map(|call| call.split(' ').next_back())
    {
        assert!(
            packages.contains(package),
            "{package} is not in: {packages}"
        );
    }
}

#[test]
fn setup_as_root_needs_no_sudo() {
    let (said, calls) = BareMachine::new("root", 0).set_up();
    assert!(
        said.contains("apt-get install") && !said.contains("sudo"),
        "{said}"
    );
    assert!(
        calls.starts_with("apt-get update\n") && !calls.contains("sudo"),
        "{calls}"
    );
}
