// SPDX-License-Identifier: BSD-2-Clause

//! Which tasks run, and when.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::task::{Poll, Waker};

use executor::Executor;

/// What the tasks of one test share. Tests run in threads of their own.
#[derive(Default)]
struct Shared {
    log: RefCell<Vec<&'static str>>,
    wakers: RefCell<Vec<Waker>>,
    yields: Cell<usize>,
}

fn executor() -> &'static Executor {
    Box::leak(Box::new(Executor::new()))
}

fn run(executor: &'static Executor) {
    while executor.turn() {}
}

fn shared() -> &'static Shared {
    Box::leak(Box::default())
}

async fn park(shared: &'static Shared) {
    let mut parked = false;
    poll_fn(|cx| {
        if parked {
            return Poll::Ready(());
        }
        parked = true;
        shared.wakers.borrow_mut().push(cx.waker().clone());
        Poll::Pending
    })
    .await;
}

#[embassy_executor::task(pool_size = 2)]
async fn parks(shared: &'static Shared, name: &'static str) {
    park(shared).await;
    shared.log.borrow_mut().push(name);
}

#[test]
fn a_task_runs_when_it_was_woken_and_not_before() {
    let (executor, shared) = (executor(), shared());
    executor.spawner().spawn(parks(shared, "a").unwrap());
    executor.spawner().spawn(parks(shared, "b").unwrap());
    assert!(parks(shared, "c").is_err(), "the pool has two places");
    run(executor);
    run(executor);
    assert!(shared.log.borrow().is_empty());
    let wakers = shared.wakers.take();
    wakers[0].wake_by_ref();
    wakers[0].wake_by_ref();
    run(executor);
    assert_eq!(shared.log.borrow().len(), 1);
    wakers[1].wake_by_ref();
    run(executor);
    let mut log = shared.log.take();
    log.sort_unstable();
    assert_eq!(log, ["a", "b"]);
    // Wakers of finished tasks may be kept and used.
    wakers.into_iter().for_each(Waker::wake);
    run(executor);
    assert!(shared.log.borrow().is_empty());
}

#[embassy_executor::task]
async fn yields(shared: &'static Shared) {
    for _ in 0..100 {
        let mut yielded = false;
        poll_fn(|cx| {
            if std::mem::replace(&mut yielded, true) {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        shared.yields.set(shared.yields.get() + 1);
    }
}

#[test]
fn a_turn_polls_a_task_once_however_often_it_wakes_itself() {
    let (executor, shared) = (executor(), shared());
    executor.spawner().spawn(yields(shared).unwrap());
    for turn in 0..100 {
        assert!(executor.turn(), "it is awake again");
        assert_eq!(shared.yields.get(), turn);
    }
    assert!(!executor.turn());
    assert_eq!(shared.yields.get(), 100);
}

#[embassy_executor::task(pool_size = 2)]
async fn passes_on(shared: &'static Shared, name: &'static str) {
    loop {
        shared.log.borrow_mut().push(name);
        shared
            .wakers
            .borrow_mut()
            .drain(..)
            .for_each(|waker| waker.wake());
        park(shared).await;
    }
}

#[test]
fn tasks_that_wake_each_other_have_one_poll_a_turn_too() {
    let (executor, shared) = (executor(), shared());
    executor.spawner().spawn(passes_on(shared, "a").unwrap());
    executor.spawner().spawn(passes_on(shared, "b").unwrap());
    executor.turn();
    for _ in 0..50 {
        let before = shared.log.borrow().len();
        assert!(executor.turn());
        let polled = shared.log.borrow().len() - before;
        assert!((1..=2).contains(&polled), "{polled} polls of two tasks");
    }
}

#[embassy_executor::task]
async fn starts_another(executor: &'static Executor, shared: &'static Shared) {
    executor.spawner().spawn(logs(shared).unwrap());
    assert!(!executor.turn(), "which would be a loop without an end");
    shared.log.borrow_mut().push("first");
}

#[embassy_executor::task]
async fn logs(shared: &'static Shared) {
    shared.log.borrow_mut().push("second");
}

#[test]
fn a_turn_within_a_task_does_nothing_and_spawned_tasks_follow() {
    let (executor, shared) = (executor(), shared());
    executor
        .spawner()
        .spawn(starts_another(executor, shared).unwrap());
    run(executor);
    assert_eq!(shared.log.take(), ["first", "second"]);
}
