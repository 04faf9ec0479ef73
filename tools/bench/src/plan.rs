// SPDX-License-Identifier: BSD-2-Clause
//! Which workloads are run, how long and how often.

use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use qemu_harness::Guest;

use crate::counters::Sample;
use crate::load::{Target, Workload};
use crate::table::{Results, Row};

/// Between two workloads, so that the last segments of one do not count for the next.
const PAUSE: Duration = Duration::from_millis(200);

/// What is to be measured.
pub struct Plan {
    /// the workloads, in this order
    pub workloads: Vec<&'static Workload>,
    /// how long each is measured in a round
    pub duration: Duration,
    /// how often
    pub rounds: usize,
}

impl Plan {
    /// Runs all workloads once a round, so that a change of the machine's mood touches all of
    /// them and not one.
    ///
    /// # Errors
    /// If a workload fails: wrong contents, or no answer.
    pub fn measure(&self, target: &Target, guest: Option<&Guest>) -> Result<Results> {
        let mut values: Vec<Vec<Vec<f64>>> = self
            .workloads
            .iter()
            .map(|workload| vec![Vec::new(); workload.figures.len()])
            .collect();
        let mut growth = vec![Sample::default(); self.workloads.len()];
        for round in 1..=self.rounds {
            eprintln!("round {round} of {}", self.rounds);
            for ((workload, values), growth) in
                self.workloads.iter().zip(&mut values).zip(&mut growth)
            {
                let before = sample(target, guest)?;
                let measured = (workload.run)(target, self.duration)
                    .with_context(|| format!("workload {}", workload.name))?;
                thread::sleep(PAUSE);
                growth.add_growth(&before, &sample(target, guest)?);
                ensure!(
                    measured.len() == values.len(),
                    "{}: a figure is missing",
                    workload.name
                );
                for (values, value) in values.iter_mut().zip(measured) {
                    values.push(value);
                }
            }
        }
        let mut results = Results::default();
        for ((workload, values), growth) in self.workloads.iter().zip(values).zip(growth) {
            for (i, (figure, values)) in workload.figures.iter().zip(values).enumerate() {
                results.rows.push(Row {
                    figure,
                    values,
                    // The workload's counters stand in the row of its first figure.
                    per_packet: if i == 0 { growth.per_packet() } else { None },
                });
            }
            results.growth.push((workload.name, growth));
        }
        Ok(results)
    }
}

fn sample(target: &Target, guest: Option<&Guest>) -> Result<Sample> {
    match guest {
        Some(guest) => Sample::take(guest, target.http).context("cannot read the counters"),
        None => Ok(Sample::default()),
    }
}
