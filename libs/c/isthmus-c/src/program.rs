// SPDX-License-Identifier: BSD-2-Clause

//! The program's entry points, and the functions of `microkit.h`.

use core::ffi::{CStr, c_char, c_int};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use pd_support::{Pd, info, wait};
use posix::Error;
use sel4_microkit::{
    Channel, ChannelSet, Child, DeferredAction, Handler, Infallible, MessageInfo, get_mr,
    protection_domain, set_mr,
};

use crate::files::put;
use crate::start;

// SAFETY: `c/program.c` defines them with these types.
unsafe extern "C" {
    safe fn isthmus_init();
    safe fn isthmus_notified(channel: u32);
    safe fn isthmus_protected(channel: u32, message: Message) -> Message;
    safe fn isthmus_fault(child: u32, message: Message, answer: &mut Message) -> i8;
}

/// `microkit_msginfo`: the label from bit 12 on, the number of words below it.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct Message(u64);

impl Message {
    fn new(info: &MessageInfo) -> Self {
        Message(info.label() << 12 | info.count() as u64)
    }

    fn info(self) -> MessageInfo {
        MessageInfo::new(self.0 >> 12, self.0 as usize & 0x7f)
    }
}

/// Signals that have come while the program waited in the middle of a turn; bit n is channel n.
static PENDING: AtomicU64 = AtomicU64::new(0);
/// The program handles a call of a peer.
static IN_CALL: AtomicBool = AtomicBool::new(false);
/// A deferred signal (bit 6 clear) or acknowledgement (bit 6 set), plus one.
static DEFERRED: AtomicU64 = AtomicU64::new(0);

const IRQ_ACK: u64 = 1 << 6;

/// The program as the event loop sees it.
struct Program;

impl Program {
    fn remember(channels: ChannelSet) {
        let bits = channels
            .iter()
            .fold(0, |bits, channel| bits | 1 << channel.index());
        PENDING.store(PENDING.load(Relaxed) | bits, Relaxed);
    }

    /// Hands out what has come, and what comes meanwhile.
    fn deliver() {
        loop {
            let mut bits = PENDING.swap(0, Relaxed);
            if bits == 0 {
                return;
            }
            while bits != 0 {
                isthmus_notified(bits.trailing_zeros());
                bits &= bits - 1;
            }
        }
    }
}

impl Handler for Program {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        Program::remember(channels);
        Program::deliver();
        Ok(())
    }

    fn protected(
        &mut self,
        channel: Channel,
        msg_info: MessageInfo,
    ) -> Result<MessageInfo, Infallible> {
        IN_CALL.store(true, Relaxed);
        let answer = isthmus_protected(channel.index() as u32, Message::new(&msg_info));
        IN_CALL.store(false, Relaxed);
        Ok(answer.info())
    }

    fn fault(
        &mut self,
        child: Child,
        msg_info: MessageInfo,
    ) -> Result<Option<MessageInfo>, Infallible> {
        let mut answer = Message(0);
        let answers = isthmus_fault(child.index() as u32, Message::new(&msg_info), &mut answer);
        Ok((answers != 0).then(|| answer.info()))
    }

    fn take_deferred_action(&mut self) -> Option<DeferredAction> {
        let deferred = DEFERRED.swap(0, Relaxed).checked_sub(1)?;
        let channel = Channel::new((deferred & (IRQ_ACK - 1)) as usize);
        Some(match deferred & IRQ_ACK {
            0 => DeferredAction::new_notify(channel),
            _ => DeferredAction::new_irq_ack(channel),
        })
    }
}

#[protection_domain]
fn start_program() -> impl Handler {
    let pd = Pd::<stats::NoCounters>::start();
    start::prepare();
    isthmus_init();
    Program::deliver();
    pd.run(Program)
}

/// Waits for a signal in the middle of the program. What comes is for `notified` later.
pub fn pause() -> Result<(), Error> {
    if IN_CALL.load(Relaxed) {
        return Err(Error::EDEADLK);
    }
    match wait(&mut Program) {
        Ok(channels) => Program::remember(channels),
        Err(never) => match never {},
    }
    Ok(())
}

/// The program has ended: with 0 it rests, otherwise it has failed and is started again.
#[unsafe(no_mangle)]
extern "C" fn _exit(code: c_int) -> ! {
    assert!(code == 0, "exit({code})");
    info!("the program has ended");
    loop {
        // In a call it is refused, and the caller waits.
        IN_CALL.store(false, Relaxed);
        let _ = pause();
    }
}

/// Ends the program with a text, as a failure.
///
/// # Safety
/// `text` must be a string.
#[unsafe(no_mangle)]
unsafe extern "C" fn isthmus_panic(text: *const c_char) -> ! {
    // SAFETY: the caller's promise.
    let text = unsafe { CStr::from_ptr(text) };
    panic!("{}", text.to_str().unwrap_or("?"));
}

#[unsafe(no_mangle)]
extern "C" fn microkit_notify(channel: u32) {
    Channel::new(channel as usize).notify();
}

#[unsafe(no_mangle)]
extern "C" fn microkit_irq_ack(channel: u32) {
    let acknowledged = Channel::new(channel as usize).irq_ack();
    acknowledged.unwrap_or_else(|error| panic!("{error}"));
}

#[unsafe(no_mangle)]
extern "C" fn microkit_deferred_notify(channel: u32) {
    defer(u64::from(channel));
}

#[unsafe(no_mangle)]
extern "C" fn microkit_deferred_irq_ack(channel: u32) {
    defer(u64::from(channel) | IRQ_ACK);
}

/// One that was there already goes at once.
fn defer(action: u64) {
    assert!(
        action % IRQ_ACK < Channel::COUNT as u64,
        "channel ids are 0 to 61"
    );
    if let Some(earlier) = Program.take_deferred_action() {
        let done = earlier.execute_now();
        done.unwrap_or_else(|error| panic!("{error}"));
    }
    DEFERRED.store(action + 1, Relaxed);
}

#[unsafe(no_mangle)]
extern "C" fn microkit_ppcall(channel: u32, message: Message) -> Message {
    Message::new(&Channel::new(channel as usize).pp_call(message.info()))
}

#[unsafe(no_mangle)]
extern "C" fn microkit_mr_set(register: u8, value: u64) {
    set_mr(register.into(), value);
}

#[unsafe(no_mangle)]
extern "C" fn microkit_mr_get(register: u8) -> u64 {
    get_mr(register.into())
}

#[unsafe(no_mangle)]
extern "C" fn microkit_pd_restart(child: u32, entry_point: u64) {
    child_of(child, |child| child.restart(entry_point as usize));
}

#[unsafe(no_mangle)]
extern "C" fn microkit_pd_stop(child: u32) {
    child_of(child, |child| child.stop());
}

#[unsafe(no_mangle)]
extern "C" fn microkit_pd_resume(child: u32) {
    child_of(child, |child| child.resume());
}

fn child_of<E: core::fmt::Display>(child: u32, act: impl FnOnce(Child) -> Result<(), E>) {
    act(Child::new(child as usize)).unwrap_or_else(|error| panic!("child {child}: {error}"));
}

#[unsafe(no_mangle)]
extern "C" fn microkit_dbg_putc(character: c_int) {
    put(1, &[character as u8]);
}

/// # Safety
/// `text` must be a string.
#[unsafe(no_mangle)]
unsafe extern "C" fn microkit_dbg_puts(text: *const c_char) {
    // SAFETY: the caller's promise.
    put(1, unsafe { CStr::from_ptr(text) }.to_bytes());
}
