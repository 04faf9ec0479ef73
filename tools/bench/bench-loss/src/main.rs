// SPDX-License-Identifier: BSD-2-Clause
//! Goodput of a download on cables that lose frames and delay them, from the booted image to Linux
//! and, on the same cable, from Linux to Linux.
//!
//! What matters is the quotient: the machine, its load and the emulation are in both figures of a
//! row, the emulation of the guest in the first alone.

#![forbid(unsafe_code)]

mod far;
mod measure;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Parser;
use qemu_harness::Command;
use testnet::Conditions;

use crate::far::{Image, Linux};

/// Goodput of the image and of Linux on bad cables.
#[derive(Debug, Parser)]
struct Arguments {
    /// The image to boot
    #[arg(long, default_value = "build/release/loader.img")]
    image: PathBuf,
    /// QEMU's command line; image and network are replaced in it [default: what `make -s
    /// qemu-command` prints]
    #[arg(long)]
    qemu: Option<String>,
    /// Frames lost of 100, in each direction (a comma between them)
    #[arg(long, value_delimiter = ',', default_values_t = [0.0, 0.1, 1.0, 3.0])]
    loss: Vec<f64>,
    /// Round trips in milliseconds that the cable adds (a comma between them)
    #[arg(long, value_delimiter = ',', default_values_t = [0.4, 10.0, 50.0])]
    round_trip: Vec<f64>,
    /// Seconds after which a download is not waited for any more
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// Rounds, each with other losses; the table shows medians
    #[arg(long, default_value_t = 3)]
    rounds: u64,
    /// Folder for the guest's log
    #[arg(long, default_value = "build/test-logs")]
    logs: PathBuf,
}

fn main() -> ExitCode {
    if let Some(reason) = testnet::unavailable() {
        eprintln!("bench-loss: {reason}");
        eprintln!("  help: run it as root, or with `unshare --map-root-user` before make");
        return ExitCode::FAILURE;
    }
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-loss: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let percent = arguments
        .loss
        .iter()
        .all(|loss| (0.0..100.0).contains(loss));
    ensure!(percent, "--loss must be 0 or more, and below 100");
    ensure!(arguments.rounds > 0, "--rounds must be above 0");
    let limit = Duration::try_from_secs_f64(arguments.seconds)?;
    let command = match &arguments.qemu {
        Some(line) => Command::parse(line)?,
        None => Command::from_make()?,
    };
    let image = Image::boot(&command.with_image(&arguments.image)?, &arguments.logs)?;
    let linux = Linux::start()?;
    println!("| round trip | loss | image, MB/s | Linux, MB/s | image / Linux |");
    println!("| --- | --- | --- | --- | --- |");
    for &round_trip in &arguments.round_trip {
        for &loss in &arguments.loss {
            let delay = Duration::try_from_secs_f64(round_trip / 2000.0)?;
            let mut figures = [Vec::new(), Vec::new()];
            for seed in 0..arguments.rounds {
                let conditions = Conditions {
                    loss: loss / 100.0,
                    delay,
                    seed,
                    ..Conditions::default()
                };
                let cables = [&image.cable, &linux.cable];
                for (cable, figures) in cables.into_iter().zip(&mut figures) {
                    figures.push(cable.download(conditions, limit)?);
                }
            }
            let [ours, theirs] = figures.map(median);
            println!(
                "| {round_trip} ms | {loss} % | {ours:.2} | {theirs:.2} | {:.2} |",
                ours / theirs
            );
        }
    }
    image.discard_log();
    Ok(())
}

/// The middle one; of an even number the lower of the two.
fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    let middle = figures.len().saturating_sub(1) / 2;
    figures.get(middle).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.0);
        assert_eq!(median(vec![5.0]), 5.0);
    }
}
