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

/// What is measured in one round.
pub struct Servers {
    /// where they answer
    pub target: Target,
    /// the image that they are in, if they are in one
    pub image: Option<Booted>,
}

/// An image that has been booted for a round.
pub struct Booted {
    /// the QEMU that it runs in
    pub guest: Guest,
    /// seconds from the start of QEMU to the first answer
    pub boot: f64,
}

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
    /// them and not one. Each round has servers of its own: what one leaves behind, in the image
    /// or in QEMU, does not slow down the next.
    ///
    /// # Errors
    /// If the servers do not start, or a workload fails: wrong contents, or no answer.
    pub fn measure(&self, mut start: impl FnMut() -> Result<Servers>) -> Result<Results> {
        let mut boots = Vec::new();
        let mut values: Vec<Vec<Vec<f64>>> = self
            .workloads
            .iter()
            .map(|workload| vec![Vec::new(); workload.figures.len()])
            .collect();
        let mut growth = vec![Sample::default(); self.workloads.len()];
        for round in 1..=self.rounds {
            eprintln!("round {round} of {}", self.rounds);
            let Servers { target, image } = start()?;
            let guest = image.as_ref().map(|image| &image.guest);
            for ((workload, values), growth) in
                self.workloads.iter().zip(&mut values).zip(&mut growth)
            {
                let measured = self
                    .run(workload, &target, guest, growth)
                    .with_context(|| match guest {
                        Some(guest) => format!("log: {}", guest.log().display()),
                        None => "servers of the host".to_owned(),
                    })?;
                for (values, value) in values.iter_mut().zip(measured) {
                    values.push(value);
                }
            }
            if let Some(image) = image {
                image.guest.discard_log();
                boots.push(image.boot);
            }
        }
        let mut results = Results {
            boots,
            ..Results::default()
        };
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

    /// Runs one workload; its figures, in their order.
    fn run(
        &self,
        workload: &Workload,
        target: &Target,
        guest: Option<&Guest>,
        growth: &mut Sample,
    ) -> Result<Vec<f64>> {
        let before = sample(target, guest)?;
        let measured = (workload.run)(target, self.duration);
        thread::sleep(PAUSE);
        let mut counted = Sample::default();
        let after = sample(target, guest).map(|after| counted.add_growth(&before, &after));
        let measured = measured.with_context(|| {
            let counted = counted.changes();
            format!("the image counted {counted}: workload {}", workload.name)
        })?;
        after?;
        growth.add(counted);
        ensure!(
            measured.len() == workload.figures.len(),
            "{}: a figure is missing",
            workload.name
        );
        Ok(measured)
    }
}

fn sample(target: &Target, guest: Option<&Guest>) -> Result<Sample> {
    match guest {
        Some(guest) => Sample::take(guest, target.http).context("cannot read the counters"),
        None => Ok(Sample::default()),
    }
}
