// SPDX-License-Identifier: BSD-2-Clause
//! Processor time that a process has used, thread by thread (Linux's /proc).

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

/// Processor time of a QEMU. It does not grow while other programs have the machine's processors,
/// so it says more than elapsed time where others are at work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuTime {
    /// of all threads but the first: they run the guest's code
    pub guest: Duration,
    /// of the first thread: devices and the user-mode network
    pub devices: Duration,
}

impl CpuTime {
    /// What the process with this id has used so far.
    ///
    /// # Errors
    /// If it does not run, or the kernel does not count it.
    pub(crate) fn of_process(id: u32) -> Result<Self> {
        let tasks = format!("/proc/{id}/task");
        let mut time = Self::default();
        for task in fs::read_dir(&tasks).with_context(|| format!("cannot read {tasks}"))? {
            let task = task?;
            // A thread that ends while we look counts no more.
            let Some(used) = of_thread(&task.path()) else {
                continue;
            };
            if task.file_name().to_str() == Some(&id.to_string()) {
                time.devices += used;
            } else {
                time.guest += used;
            }
        }
        Ok(time)
    }
}

fn of_thread(task: &Path) -> Option<Duration> {
    // The first number is the time on a processor in nanoseconds (kernel documentation, "Scheduler
    // Statistics").
    let statistics = fs::read_to_string(task.join("schedstat")).ok()?;
    let nanoseconds = statistics.split_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_time_grows() {
        let before = CpuTime::of_process(std::process::id()).unwrap();
        let start = std::time::Instant::now();
        let mut sum = 0u64;
        while start.elapsed() < Duration::from_millis(50) {
            sum = sum.wrapping_add(std::hint::black_box(1));
        }
        let after = CpuTime::of_process(std::process::id()).unwrap();
        // The test runs in a thread that is not the process's first.
        assert!(sum > 0 && after.guest > before.guest);
    }

    #[test]
    fn a_process_that_is_not_there_has_no_time() {
        assert!(CpuTime::of_process(u32::MAX).is_err());
    }
}
