// SPDX-License-Identifier: BSD-2-Clause

//! A suite of small systems that shows what an SDK and the PD runtime can do: each is built, booted
//! in QEMU and judged by what it prints.
//!
//! ```text
//! MICROKIT_SDK=… [MICROKIT_BOARD=…] [MICROKIT_CONFIG=debug|release] sdk-tests [--build FOLDER] [NAME…]
//! ```
//!
//! It runs in the project's folder. The SDK is whichever `MICROKIT_SDK` names; nothing here knows
//! which one that is. One line a test, then `N passed, N failed`. What a failed test printed is
//! kept, and the line says where.

#![forbid(unsafe_code)]

mod build;
mod judge;
mod suite;

use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use qemu_harness::{Command, Guest, LogFolder, Mark};
use sel4_abi::{Abi, Selection};

use build::Builder;
use judge::{Verdict, judge};
use suite::{SUITE, Test};

/// QEMU as for the project's own image, without a network card (the one that it adds by itself
/// wants a ROM file of another package). It counts time in instructions, 16 ns each, which is one
/// tick of the timer: what a test does at a random instruction does not depend on the host.
const QEMU: &str = "qemu-system-aarch64 -machine virt,virtualization=on -cpu cortex-a53 -m size=2G -nic none \
    -icount shift=4,sleep=off -display none -monitor none -serial stdio \
    -device loader,file=loader.img,addr=0x70000000,cpu-num=0";
/// A test takes about two seconds; a machine that is busy with other things may need many times
/// that.
const PATIENCE: Duration = Duration::from_secs(90);
/// How long a system that has printed all it should is watched for something that it should not.
const AFTERMATH: Duration = Duration::from_millis(300);
const POLL: Duration = Duration::from_millis(20);

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("sdk-tests: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all tests passed.
fn run() -> Result<bool> {
    let selection = Selection::from_env()?;
    let abi = Abi::read(&selection)?;
    let (folder, names) = arguments(&selection)?;
    let tests = chosen(&names)?;
    let builder = Builder::new(selection, folder.clone())?;
    builder.build_pds()?;
    let logs = LogFolder::create(&folder.join("logs"), "sdk-tests")?;

    let mut failed = 0;
    for test in &tests {
        let started = Instant::now();
        match boot(test, &builder, &abi, &logs) {
            Ok(()) => println!(
                "ok    {:<12} {:>5.1} s",
                test.name,
                started.elapsed().as_secs_f64()
            ),
            Err(error) => {
                failed += 1;
                println!("FAIL  {}: {error:#}", test.name);
            }
        }
    }
    println!("{} passed, {failed} failed", tests.len() - failed);
    Ok(failed == 0)
}

/// Build folder and names of tests.
fn arguments(selection: &Selection) -> Result<(PathBuf, Vec<String>)> {
    let mut folder = PathBuf::from("build")
        .join(&selection.config)
        .join("sdk-tests");
    let mut names = Vec::new();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--build" => folder = words.next().context("--build needs a folder")?.into(),
            option if option.starts_with('-') => {
                bail!("unknown option {option}; there is --build FOLDER")
            }
            _ => names.push(word),
        }
    }
    Ok((folder, names))
}

/// The tests of these names, or all.
fn chosen(names: &[String]) -> Result<Vec<&'static Test>> {
    if names.is_empty() {
        return Ok(SUITE.iter().collect());
    }
    names
        .iter()
        .map(|name| {
            let all = || {
                SUITE
                    .iter()
                    .map(|test| test.name)
                    .collect::<Vec<_>>()
                    .join(", ")
            };
            SUITE
                .iter()
                .find(|test| test.name == name)
                .with_context(|| format!("no test is called {name}; there are {}", all()))
        })
        .collect()
}

/// Runs one test. The log is kept if it fails.
fn boot(test: &Test, builder: &Builder, abi: &Abi, logs: &LogFolder) -> Result<()> {
    let image = builder.image(test.name)?;
    let expected = test.expected(abi);
    let command = Command::parse(QEMU)?.with_image(&image)?;
    let guest = Guest::boot(&command, logs, test.name)?;
    let reason = match watch(&guest, &expected) {
        Verdict::Passed => {
            guest.discard_log();
            return Ok(());
        }
        Verdict::Failed(reason) => reason,
        Verdict::Waiting(line) if guest.is_running() => {
            format!("no line with \"{line}\" within {} s", PATIENCE.as_secs())
        }
        Verdict::Waiting(line) => format!("QEMU ended before a line with \"{line}\""),
    };
    bail!("{reason}\n      its output: {}", guest.log().display())
}

/// Waits until there is nothing left to wait for.
fn watch(guest: &Guest, expected: &[&str]) -> Verdict {
    let so_far = || judge(&guest.console().lines_since(Mark::default()), expected);
    let deadline = Instant::now() + PATIENCE;
    loop {
        let ended = !guest.is_running();
        match so_far() {
            Verdict::Passed => {
                thread::sleep(AFTERMATH);
                return so_far();
            }
            Verdict::Waiting(_) if !ended && Instant::now() < deadline => thread::sleep(POLL),
            verdict => return verdict,
        }
    }
}
