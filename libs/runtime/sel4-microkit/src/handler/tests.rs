// SPDX-License-Identifier: BSD-2-Clause

//! The event loop against a test peer of the kernel: which system calls it makes, in which order.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::string::String;
use std::vec::Vec;
use std::{format, vec};

use sel4::host::{self, Outcome, SystemCall};

use super::*;
use crate::DeferredActionSlot;

const NAMES: [(sel4::Word, &str); 6] = [
    (host::CALL, "call"),
    (host::REPLY_RECV, "reply_recv"),
    (host::NB_SEND_RECV, "nb_send_recv"),
    (host::SEND, "send"),
    (host::NB_SEND, "nb_send"),
    (host::RECV, "recv"),
];

/// Like `reply_recv 1 label 9`, with the destination where there is one.
fn shown(call: &SystemCall) -> String {
    let name = NAMES.iter().find(|(number, _)| *number == call.number);
    let name = name.map_or("?", |(_, name)| *name);
    match call.destination {
        0 => format!("{name} {} label {}", call.cap, call.info.label()),
        destination => format!("{name} {} to {destination}", call.cap),
    }
}

/// Lets the kernel deliver one message after the other, each a badge and a label. After the last,
/// the loop's receive panics. Returns the system calls that were made.
fn calls(messages: &[(u64, u64)], run: impl FnOnce()) -> Vec<String> {
    symbols::allow_all();
    let made = Rc::new(RefCell::new(vec![]));
    let log = made.clone();
    let mut messages = Vec::from(messages).into_iter();
    host::set_kernel(move |call| {
        log.borrow_mut().push(shown(&call));
        let receives = [host::RECV, host::REPLY_RECV, host::NB_SEND_RECV].contains(&call.number);
        let (badge, label) = if receives {
            messages.next().expect("no more messages")
        } else {
            (0, 0)
        };
        Outcome {
            badge,
            info: sel4::MessageInfo::new(label, 0, 0, 0),
            registers: [0; 4],
        }
    });
    assert!(catch_unwind(AssertUnwindSafe(run)).is_err(), "it has ended");
    made.take()
}

const CALL: u64 = 1 << 63;
const FAULT: u64 = 1 << 62;

/// Replies to a call with its label plus one, and to a fault of child 1. Defers what it is given.
struct Echo {
    deferred: Option<DeferredAction>,
}

impl Handler for Echo {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        Ok(())
    }

    fn protected(&mut self, _: Channel, info: MessageInfo) -> Result<MessageInfo, Infallible> {
        Ok(MessageInfo::new(info.label() + 1, 0))
    }

    fn fault(&mut self, child: Child, _: MessageInfo) -> Result<Option<MessageInfo>, Infallible> {
        Ok((child.index() == 1).then(|| MessageInfo::new(0, 0)))
    }

    fn take_deferred_action(&mut self) -> Option<DeferredAction> {
        self.deferred.take()
    }
}

fn echo(messages: &[(u64, u64)], deferred: Option<DeferredAction>) -> Vec<String> {
    calls(messages, || {
        let Ok(never) = (Echo { deferred }).run();
        match never {}
    })
}

/// The acknowledgement of interrupt 0 with which each life begins, then the first receive.
const START: [&str; 2] = ["call 138 label 0", "recv 1 label 0"];

#[test]
fn calls_are_replied_to_and_signals_are_not() {
    let made = echo(&[(1 << 3, 0), (CALL | 5, 8), (1 << 4, 0)], None);
    assert_eq!(made[..2], START);
    let expected = ["recv 1 label 0", "reply_recv 1 label 9", "recv 1 label 0"];
    assert_eq!(made[2..], expected);
}

#[test]
fn a_fault_is_replied_to_if_the_child_is_to_go_on() {
    let made = echo(&[(FAULT | 1, 6), (FAULT | 2, 6)], None);
    assert_eq!(made[2..], ["reply_recv 1 label 0", "recv 1 label 0"]);
}

#[test]
fn a_deferred_action_goes_out_with_the_next_receive() {
    let notify = Some(DeferredAction::new_notify(Channel::new(7)));
    let made = echo(&[(1 << 3, 0), (1 << 3, 0)], notify);
    assert_eq!(made[2..], ["nb_send_recv 1 to 17", "recv 1 label 0"]);

    // With a reply they are two.
    let acknowledge = Some(DeferredAction::new_irq_ack(Channel::new(0)));
    let made = echo(&[(CALL | 5, 8)], acknowledge);
    assert_eq!(made[2..], ["nb_send 138 label 0", "reply_recv 1 label 9"]);
}

#[test]
fn a_slot_holds_one_action_and_does_the_one_before() {
    let made = calls(&[], || {
        let mut slot = DeferredActionSlot::new();
        slot.defer_notify(Channel::new(2)).unwrap();
        slot.defer_notify(Channel::new(3)).unwrap();
        assert_eq!(
            slot.take(),
            Some(DeferredAction::new_notify(Channel::new(3)))
        );
        assert_eq!(slot.take(), None);
        panic!("the end");
    });
    assert_eq!(made, ["send 12 label 0"]);
}

#[test]
fn a_right_that_was_not_given_is_a_panic() {
    assert!(calls(&[], || Channel::new(0).notify()).is_empty());
    assert!(calls(&[], || drop(Channel::new(3).irq_ack())).is_empty());
}

#[test]
fn a_parked_pd_answers_calls_with_restarted_and_drops_the_rest() {
    let messages = [(1 << 3, 0), (CALL | 5, 8), (FAULT | 1, 6)];
    let made = calls(&messages, || crate::entry::park());
    let restarted = std::format!("reply_recv 1 label {}", crate::RESTARTED);
    let expected = [
        "recv 1 label 0",
        "recv 1 label 0",
        &restarted,
        "recv 1 label 0",
    ];
    // First the call that it was caught in.
    assert_eq!(
        made[0],
        std::format!("nb_send 4 label {}", crate::RESTARTED)
    );
    assert_eq!(made[1..], expected);
}

#[test]
fn a_restart_resumes_the_child_with_one_register() {
    host::set_kernel(|call| {
        let program_counter = crate::ENTRY_POINT as sel4::Word;
        assert_eq!((call.number, call.cap), (host::CALL, 205));
        assert_eq!(call.registers[..3], [1, 1, program_counter]);
        Outcome {
            badge: 0,
            info: sel4::MessageInfo::new(sel4::Error::IllegalOperation as u64, 0, 0, 0),
            registers: [0; 4],
        }
    });
    let refused = Child::new(3).restart(crate::ENTRY_POINT);
    assert_eq!(refused, Err(sel4::Error::IllegalOperation));
}
