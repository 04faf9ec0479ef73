// SPDX-License-Identifier: BSD-2-Clause

//! An executor for tests, and the event loop of a client with async tasks.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake};

use socket_client::{Instant, Net};

use crate::Wire;

#[derive(Default)]
struct Flag {
    awake: AtomicBool,
    wakes: AtomicUsize,
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.awake.store(true, Ordering::Relaxed);
        self.wakes.fetch_add(1, Ordering::Relaxed);
    }
}

struct Task<'a> {
    future: Pin<Box<dyn Future<Output = ()> + 'a>>,
    flag: Arc<Flag>,
    polls: usize,
}

/// Tasks, by the number that [`Tasks::spawn`] gave them.
#[derive(Default)]
pub struct Tasks<'a> {
    tasks: Vec<Option<Task<'a>>>,
}

impl<'a> Tasks<'a> {
    /// Adds a task, awake.
    pub fn spawn(&mut self, future: impl Future<Output = ()> + 'a) -> usize {
        let flag = Arc::new(Flag::default());
        flag.awake.store(true, Ordering::Relaxed);
        self.tasks.push(Some(Task {
            future: Box::pin(future),
            flag,
            polls: 0,
        }));
        self.tasks.len() - 1
    }

    /// Whether a task has come to its end.
    pub fn is_done(&self, task: usize) -> bool {
        self.tasks[task].is_none()
    }

    /// How often a task has been polled.
    pub fn polls(&self, task: usize) -> usize {
        self.tasks[task].as_ref().map_or(0, |task| task.polls)
    }

    /// Polls each task that is awake once, and returns whether any is awake after that.
    pub fn turn(&mut self) -> bool {
        // Tasks that are woken by others of this turn have their poll in the next.
        let awake: Vec<bool> = self
            .tasks
            .iter()
            .map(|task| {
                let flag = task.as_ref().map(|task| &task.flag.awake);
                flag.is_some_and(|awake| awake.swap(false, Ordering::Relaxed))
            })
            .collect();
        for (slot, _) in self.tasks.iter_mut().zip(awake).filter(|(_, awake)| *awake) {
            let Some(task) = slot else { continue };
            task.polls += 1;
            let waker = task.flag.clone().into();
            let mut cx = Context::from_waker(&waker);
            if let Poll::Ready(()) = task.future.as_mut().poll(&mut cx) {
                *slot = None;
            }
        }
        let mut tasks = self.tasks.iter().flatten();
        tasks.any(|task| task.flag.awake.load(Ordering::Relaxed))
    }

    /// The PD's event loop until nothing can happen without the test peer or time.
    pub fn run(&mut self, net: &Net<&Wire>) {
        let wire = *net.client().transport();
        loop {
            wire.take_notified();
            net.run(|| self.turn());
            wire.settle();
            if !wire.take_notified() {
                break;
            }
        }
    }

    /// As [`Self::run`], and goes on with the world until `end`.
    pub fn run_until(&mut self, net: &Net<&Wire>, end: Instant) {
        let wire = *net.client().transport();
        self.run(net);
        while wire.time() < end {
            wire.go_on((end - wire.time()).as_nanos() as u64);
            if wire.take_notified() {
                self.run(net);
            }
        }
    }
}
