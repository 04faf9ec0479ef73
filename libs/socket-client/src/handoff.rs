// SPDX-License-Identifier: BSD-2-Clause

//! From the one task that accepts to the many that serve.
//!
//! A connection is accepted only when a worker is idle, so that connections too many wait in the network server's backlog, where they
//! cost nothing here. One worker is woken for each connection, the one that was busy last.

use core::cell::RefCell;
use core::future::poll_fn;
use core::task::{Context, Poll, Waker};

use heapless::Vec;

struct State<S, const WORKERS: usize> {
    /// Accepted, and not yet taken by the worker that was woken for it.
    given: Vec<S, WORKERS>,
    /// Workers that wait.
    idle: Vec<Waker, WORKERS>,
    /// The accepting task, if it waits for a worker.
    acceptor: Option<Waker>,
}

/// Where the tasks meet. `WORKERS` is how many serve.
pub struct Handoff<S, const WORKERS: usize> {
    state: RefCell<State<S, WORKERS>>,
}

impl<S, const WORKERS: usize> Handoff<S, WORKERS> {
    /// Nobody is there yet.
    #[must_use]
    pub const fn new() -> Self {
        Handoff {
            state: RefCell::new(State {
                given: Vec::new(),
                idle: Vec::new(),
                acceptor: None,
            }),
        }
    }

    /// For a worker: waits for a connection.
    pub async fn take(&self) -> S {
        poll_fn(|cx| self.poll_take(cx)).await
    }

    fn poll_take(&self, cx: &mut Context<'_>) -> Poll<S> {
        let mut state = self.state.borrow_mut();
        if let Some(connection) = state.given.pop() {
            return Poll::Ready(connection);
        }
        if !state.idle.iter().any(|waker| waker.will_wake(cx.waker())) {
            // More than `WORKERS` tasks would be an error of the PD's author; the last one would never be woken.
            let added = state.idle.push(cx.waker().clone());
            debug_assert!(added.is_ok(), "more workers than places");
        }
        let acceptor = state.acceptor.take();
        drop(state);
        if let Some(acceptor) = acceptor {
            acceptor.wake();
        }
        Poll::Pending
    }

    /// For the accepting task: waits until a worker is idle.
    pub async fn worker_is_idle(&self) {
        poll_fn(|cx| {
            let mut state = self.state.borrow_mut();
            if state.idle.is_empty() {
                state.acceptor = Some(cx.waker().clone());
                Poll::Pending
            } else {
                Poll::Ready(())
            }
        })
        .await;
    }

    /// For the accepting task, after [`Self::worker_is_idle`]: gives a connection to a worker. Given back if none is idle.
    ///
    /// # Errors
    /// The connection.
    pub fn give(&self, connection: S) -> Result<(), S> {
        let mut state = self.state.borrow_mut();
        let Some(worker) = state.idle.pop() else {
            return Err(connection);
        };
        let given = state.given.push(connection);
        drop(state);
        worker.wake();
        given
    }
}

impl<S, const WORKERS: usize> Default for Handoff<S, WORKERS> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::pin::{Pin, pin};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    impl Count {
        fn take(&self) -> usize {
            self.0.swap(0, Ordering::Relaxed)
        }
    }

    fn poll<F: Future>(future: Pin<&mut F>, count: &Arc<Count>) -> Poll<F::Output> {
        let waker = count.clone().into();
        future.poll(&mut Context::from_waker(&waker))
    }

    #[test]
    fn one_worker_is_woken_for_each_connection() {
        let handoff = Handoff::<u32, 2>::new();
        let [acceptor, first, second] = [(); 3].map(|()| Arc::new(Count::default()));
        let mut idle = pin!(handoff.worker_is_idle());
        assert!(poll(idle.as_mut(), &acceptor).is_pending());
        assert_eq!(handoff.give(1), Err(1));

        let (mut a, mut b) = (pin!(handoff.take()), pin!(handoff.take()));
        assert!(poll(a.as_mut(), &first).is_pending());
        assert_eq!(acceptor.take(), 1);
        assert!(poll(a.as_mut(), &first).is_pending(), "polled for nothing");
        assert!(poll(b.as_mut(), &second).is_pending());
        assert!(poll(idle.as_mut(), &acceptor).is_ready());

        assert_eq!(handoff.give(7), Ok(()));
        assert_eq!(handoff.give(8), Ok(()));
        assert_eq!(handoff.give(9), Err(9));
        assert_eq!([first.take(), second.take()], [1, 1]);
        let mut taken = [poll(a, &first), poll(b, &second)].map(|taken| match taken {
            Poll::Ready(connection) => connection,
            Poll::Pending => panic!("it was given one"),
        });
        taken.sort_unstable();
        assert_eq!(taken, [7, 8]);
        let mut idle = pin!(handoff.worker_is_idle());
        assert!(poll(idle.as_mut(), &acceptor).is_pending());
    }
}
