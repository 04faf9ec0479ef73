// SPDX-License-Identifier: BSD-2-Clause
//! Boots the release image, loads it from the host and prints a table of figures.
//!
//! Times under emulation say little by themselves: on another machine, or with other programs on
//! this one, they differ. The columns on the right do not: they are the image's own counters.
//! `--ceiling` measures servers of the host instead, with the same load generator: what it can
//! reach where no guest is in the way.

#![forbid(unsafe_code)]

mod boot;
mod counters;
mod image;
mod load;
mod median;
mod plan;
mod table;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use host_peer::test_peer::{Flaw, TestPeer};
use qemu_harness::{Command, LogFolder};

use crate::load::{Target, WORKLOADS, Workload};
use crate::plan::{Plan, Servers};

/// Figures of the booted image.
#[derive(Debug, Parser)]
struct Arguments {
    /// The image to boot
    #[arg(long, default_value = "build/release/loader.img")]
    image: PathBuf,
    /// The image's report, for the memory that it needs
    #[arg(long)]
    report: Option<PathBuf>,
    /// QEMU's command line; image and network are replaced in it [default: what `make -s
    /// qemu-command` prints]
    #[arg(long, alias = "qemu-command")]
    qemu: Option<String>,
    /// Seconds that each row is measured in each round
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Rounds; the table shows medians
    #[arg(long, default_value_t = 4)]
    rounds: usize,
    /// Only the workloads whose names contain one of these words (a comma between them)
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Also print every counter of the image that changed, for one packet, by workload
    #[arg(long)]
    counters: bool,
    /// Measure servers of the host instead of an image
    #[arg(long)]
    ceiling: bool,
    /// Also write the figures to this file
    #[arg(long)]
    json: Option<PathBuf>,
    /// Folder for the guest's log, which is kept if something fails
    #[arg(long, default_value = "build/test-logs")]
    logs: PathBuf,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    ensure!(
        arguments.seconds > 0.0 && arguments.seconds.is_finite(),
        "--seconds must be above 0"
    );
    ensure!(arguments.rounds > 0, "--rounds must be above 0");
    let plan = Plan {
        workloads: selected(&arguments.only)?,
        duration: Duration::from_secs_f64(arguments.seconds),
        rounds: arguments.rounds,
    };
    let mut results = if arguments.ceiling {
        let servers = TestPeer::start(Flaw::None)?;
        let target = Target {
            echo: servers.echo,
            http: servers.http,
        };
        plan.measure(|| {
            Ok(Servers {
                target,
                image: None,
            })
        })?
    } else {
        measure_image(arguments, &plan)?
    };
    results.title = title(arguments);
    print!("{}", table::markdown(&results));
    if arguments.counters {
        print!("{}", table::details(&results));
    }
    if let Some(path) = &arguments.json {
        fs::write(path, table::json(&results))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn title(arguments: &Arguments) -> String {
    let what = if arguments.ceiling {
        "Servers of the host, no guest".to_owned()
    } else {
        arguments.image.display().to_string()
    };
    format!(
        "{what}; medians of {} rounds of {} s",
        arguments.rounds, arguments.seconds
    )
}

fn selected(words: &[String]) -> Result<Vec<&'static Workload>> {
    for word in words {
        ensure!(
            WORKLOADS.iter().any(|w| w.name.contains(word.as_str())),
            "no workload's name contains {word:?}; there are {}",
            WORKLOADS
                .iter()
                .map(|w| w.name)
                .collect::<Vec<_>>()
                .join(", ")
        );
    }
    // A word that is a whole name means that one alone: udp-1 is not udp-16.
    let is_name = |word: &str| WORKLOADS.iter().any(|w| w.name == word);
    let wanted = |name: &str, word: &str| match is_name(word) {
        true => name == word,
        false => name.contains(word),
    };
    Ok(WORKLOADS
        .iter()
        .filter(|w| words.is_empty() || words.iter().any(|word| wanted(w.name, word)))
        .collect())
}

fn measure_image(arguments: &Arguments, plan: &Plan) -> Result<table::Results> {
    let command = match &arguments.qemu {
        Some(line) => Command::parse(line)?,
        None => Command::from_make()?,
    };
    let command = command.with_image(&arguments.image)?;
    let logs = LogFolder::create(&arguments.logs, "bench")?;
    // The host has to read QEMU and the image, and to find memory: the first boot is slower.
    if let Some(image) = boot::boot(&command, &logs)?.image {
        image.guest.discard_log();
    }
    let mut results = plan.measure(|| boot::boot(&command, &logs))?;
    results.facts = image::facts(&arguments.image, arguments.report.as_deref())?;
    Ok(results)
}
