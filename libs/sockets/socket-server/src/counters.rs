// SPDX-License-Identifier: BSD-2-Clause

//! What the core counts, in the words of its PD's page of counters. [`Counter`] says what each of
//! them means.

use socket_proto::Operation;
pub(crate) use stats::NetServer as Counter;
use stats::Writer;

/// The page.
pub(crate) type Counters = Writer<Counter>;

/// The counters of calls, in the order of `Operation::ALL`.
const CALLS: [Counter; Operation::ALL.len()] = [
    Counter::CallsAttach,
    Counter::CallsSocket,
    Counter::CallsBind,
    Counter::CallsListen,
    Counter::CallsAccept,
    Counter::CallsConnect,
    Counter::CallsSend,
    Counter::CallsRecv,
    Counter::CallsShutdown,
    Counter::CallsClose,
    Counter::CallsSockName,
    Counter::CallsPeerName,
    Counter::CallsGetOption,
    Counter::CallsPoll,
    Counter::CallsSetOption,
    Counter::CallsQuery,
    Counter::CallsBatch,
    Counter::CallsCapture,
    Counter::CallsCaptured,
    Counter::CallsJoin,
    Counter::CallsLeave,
    Counter::CallsChange,
];

/// The counter of an operation's calls.
pub(crate) fn calls_of(operation: Operation) -> Counter {
    CALLS[operation as usize - 1]
}
