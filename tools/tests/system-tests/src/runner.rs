// SPDX-License-Identifier: BSD-2-Clause
//! Runs tests one after the other, each under a deadline.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Error, Result, anyhow};
use qemu_harness::Guest;

use crate::boot::Boots;
use crate::suite::{Run, Selection, Test};

/// After this time a test has failed, whatever it still waits for.
const DEADLINE: Duration = Duration::from_secs(240);
/// How long a test may take to notice that its guest was ended.
const GRACE: Duration = Duration::from_secs(10);

/// How many tests passed and failed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// passed
    pub passed: usize,
    /// failed
    pub failed: usize,
    /// not run, because this machine has not what they need
    pub skipped: usize,
}

/// A kind of surroundings that tests can share.
pub trait World: Send + Sized + 'static {
    /// Boots a guest.
    ///
    /// # Errors
    /// If it does not come up.
    fn boot(boots: &Boots, name: &str) -> Result<Self>;
    /// The guest, if there is one.
    fn guest(&self) -> Option<Arc<Guest>>;
    /// Prepares the thread that a test runs in.
    ///
    /// # Errors
    /// If the surroundings cannot be entered.
    fn enter(&self) -> Result<()> {
        Ok(())
    }
}

/// A boot that is kept for the next test of its kind.
struct Shared<W> {
    world: Option<W>,
    /// Why the last boot failed: the next tests need not wait for the same again.
    broken: Option<String>,
}

impl<W: World> Shared<W> {
    const fn new() -> Self {
        Self {
            world: None,
            broken: None,
        }
    }

    fn run(&mut self, boots: &Boots, name: &str, test: fn(&mut W) -> Result<()>) -> Result<()> {
        if let Some(reason) = &self.broken {
            return Err(anyhow!(
                "not run, because the guest did not come up before: {reason}"
            ));
        }
        let world = match self.world.take() {
            Some(world) => world,
            None => W::boot(boots, name).inspect_err(|e| self.broken = Some(format!("{e:#}")))?,
        };
        self.world = Some(under_deadline(world, test)?);
        Ok(())
    }

    /// All tests of this boot have passed.
    fn finish(self, boots: &Boots) {
        if let Some(guest) = self.world.and_then(|world| world.guest()) {
            boots.passed(&guest);
        }
    }
}

/// Runs the selected tests and prints a line for each.
pub fn run_all(selection: &Selection, boots: &Boots) -> Summary {
    let mut sockets = Shared::new();
    let mut ethernet = Shared::new();
    let mut lan = Shared::new();
    let mut summary = Summary::default();
    for test in selection.tests() {
        let start = Instant::now();
        let result = match test.run {
            Run::Sockets(body) => sockets.run(boots, "sockets", body),
            Run::Ethernet(body) => ethernet.run(boots, "ethernet", body),
            Run::Lan(body) => lan.run(boots, "lan", body),
            Run::Faults(body) => run_alone(boots, test.name, body),
            Run::FaultsWithoutRng(body) => run_alone(boots, test.name, body),
        };
        match &result {
            Ok(()) => summary.passed += 1,
            Err(_) => summary.failed += 1,
        }
        report(test, &result, start.elapsed());
    }
    sockets.finish(boots);
    ethernet.finish(boots);
    lan.finish(boots);
    summary
}

/// Runs a test on a boot of its own.
fn run_alone<W: World>(boots: &Boots, name: &str, test: fn(&mut W) -> Result<()>) -> Result<()> {
    let mut own = Shared::new();
    let result = own.run(boots, name, test);
    if result.is_ok() {
        own.finish(boots);
    }
    result
}

fn report(test: &Test, result: &Result<()>, took: Duration) {
    let seconds = took.as_secs_f64();
    match result {
        Ok(()) => println!("ok    {:<44} {seconds:6.1} s", test.name),
        Err(error) => {
            println!("FAIL  {:<44} {seconds:6.1} s", test.name);
            for line in format!("{error:#}").lines() {
                println!("      {line}");
            }
        }
    }
}

/// Runs a test in a thread of its own and gives its surroundings back if it passed. A test that
/// overruns its deadline loses its guest, which ends whatever it waits for.
fn under_deadline<W: World>(mut world: W, test: fn(&mut W) -> Result<()>) -> Result<W> {
    let guest = world.guest();
    let (sender, receiver) = mpsc::channel();
    let thread = thread::spawn(move || {
        let result = world.enter().and_then(|()| test(&mut world));
        // Nobody waits any more if the deadline has passed.
        let _ = sender.send((result, world));
    });
    let outcome = match receiver.recv_timeout(DEADLINE) {
        Ok((Ok(()), world)) => return Ok(world),
        Ok((Err(error), _world)) => error,
        Err(RecvTimeoutError::Disconnected) => panic_of(thread),
        Err(RecvTimeoutError::Timeout) => {
            if let Some(guest) = &guest {
                guest.kill();
            }
            let late = anyhow!("not done after {} s", DEADLINE.as_secs());
            match receiver.recv_timeout(GRACE) {
                Ok((Err(error), _)) => error.context(late),
                _ => late,
            }
        }
    };
    Err(match guest {
        Some(guest) => anyhow!("{outcome:#}\n{}", guest.epitaph()),
        None => outcome,
    })
}

fn panic_of(thread: thread::JoinHandle<()>) -> Error {
    let payload = thread.join().err();
    let text = payload.as_ref().and_then(|p| {
        p.downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| p.downcast_ref::<&str>().copied())
    });
    anyhow!("the test panicked: {}", text.unwrap_or("no message"))
}

#[cfg(test)]
mod self_tests {
    use super::*;

    struct Empty;

    impl World for Empty {
        fn boot(_: &Boots, _: &str) -> Result<Self> {
            Ok(Self)
        }
        fn guest(&self) -> Option<Arc<Guest>> {
            None
        }
    }

    #[test]
    fn errors_are_failures() {
        assert!(under_deadline(Empty, |_| Ok(())).is_ok());
        let error = under_deadline(Empty, |_| Err(anyhow!("wrong")))
            .err()
            .unwrap();
        assert_eq!(error.to_string(), "wrong");
    }
}
