// SPDX-License-Identifier: BSD-2-Clause
//! Boots the image in QEMU and checks from the host that it does what it promises.
//!
//! Each test has a name, a result line of its own and no part in another's success. Those that
//! need the same surroundings share one boot until one of them fails; a test that makes a
//! protection domain fault has a boot of its own.

#![forbid(unsafe_code)]

mod boot;
mod lan;
mod link;
mod runner;
mod suite;
mod tests;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use clap::Parser;
use qemu_harness::{Command, LogFolder};

use crate::boot::Boots;
use crate::runner::Summary;
use crate::suite::{Selection, Suite};

/// Tests of the booted image from the host.
#[derive(Debug, Parser)]
struct Arguments {
    /// Run only tests whose name contains one of these words
    filter: Vec<String>,
    /// The image to boot: the one for tests, which can be told to make a protection domain fault
    #[arg(long, default_value = "build/release-test/loader.img")]
    image: PathBuf,
    /// QEMU's command line; image and network are replaced in it [default: what `make -s
    /// qemu-command` prints]
    #[arg(long, alias = "qemu-command")]
    qemu: Option<String>,
    /// Folder for the logs of guests; those of passed tests are removed
    #[arg(long, default_value = "build/test-logs")]
    logs: PathBuf,
    /// Keep the logs of passed tests, too
    #[arg(long)]
    keep_logs: bool,
    /// Run the tests that need a network of their own (a TAP in a network namespace) instead of
    /// the others
    #[arg(long)]
    lan: bool,
    /// Print the names of the tests and end
    #[arg(long)]
    list: bool,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("system-tests: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// The number of failed tests.
fn run(arguments: &Arguments) -> Result<usize> {
    let suite = if arguments.lan {
        Suite::Lan
    } else {
        Suite::Anywhere
    };
    let selection = Selection::new(suite, &arguments.filter)?;
    if arguments.list {
        for test in selection.tests() {
            println!("{}", test.name);
        }
        return Ok(0);
    }
    if suite == Suite::Lan
        && let Some(reason) = testnet::unavailable()
    {
        println!("These tests are skipped: {reason}");
        println!("  help: run them as root, or with `unshare --map-root-user` before make");
        report(&Summary {
            skipped: selection.tests().len(),
            ..Summary::default()
        });
        return Ok(0);
    }
    let command = match &arguments.qemu {
        Some(line) => Command::parse(line)?,
        None => Command::from_make()?,
    };
    let boots = Boots {
        command: command.with_image(&arguments.image)?,
        logs: Arc::new(LogFolder::create(&arguments.logs, "system-tests")?),
        keep_logs: arguments.keep_logs,
    };
    let summary = runner::run_all(&selection, &boots);
    report(&summary);
    Ok(summary.failed)
}

fn report(summary: &Summary) {
    print!("{} passed, {} failed", summary.passed, summary.failed);
    match summary.skipped {
        0 => println!(),
        skipped => println!(", {skipped} skipped"),
    }
}
