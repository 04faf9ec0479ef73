// SPDX-License-Identifier: BSD-2-Clause

//! Tests `restart` and `orphans`, the parent: restarts its child 1,000 times, at whatever
//! instruction a timer interrupt finds it.

#![no_std]
#![no_main]

use core::sync::atomic::Ordering::Relaxed;

use sdk_test_pds::{Words, begin, restart_page, say, timer, words};
use sel4_microkit::{
    Channel, ChannelSet, Child, ENTRY_POINT, Handler, MessageInfo, protection_domain,
};

const IRQ: Channel = Channel::new(0);
const VICTIM: Child = Child::new(0);
const RESTARTS: u64 = 1000;
/// Upper bound for the length of `_start` and what it calls before Rust code runs: 96 instructions.
const START_BYTES: usize = 0x180;

struct Breaker {
    /// Written by the child.
    page: &'static Words,
    restarts: u64,
    /// Restarts that found the child in `_start`.
    in_start: u64,
    /// A bit for each instruction of `_start` at which the child was restarted.
    places: u128,
    /// Ticks until the next restart of those that go through `_start` instruction by instruction.
    sweep: u64,
    /// Restarts that found the child with its initialisation done.
    after_init: u64,
    random: u64,
}

#[protection_domain]
fn init() -> Breaker {
    begin();
    let mut breaker = Breaker {
        page: words!(page_vaddr),
        restarts: 0,
        in_start: 0,
        places: 0,
        sweep: 0,
        after_init: 0,
        random: 0x9e37_79b9_7f4a_7c15,
    };
    // The child has a lower priority: it has not run yet.
    assert_eq!(breaker.page[restart_page::LIVES].load(Relaxed), 0);
    if let Err(error) = VICTIM.restart(ENTRY_POINT) {
        panic!("{error}");
    }
    breaker.set_timer();
    breaker
}

impl Breaker {
    /// The first restarts come at growing distances, so that some find the child in the middle of
    /// its very first start. Of those after them a third goes through `_start` tick by tick,
    /// and the others come at random.
    fn set_timer(&mut self) {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let delay = match self.restarts {
            first @ 0..50 => timer::microseconds(first * 4),
            n if n % 3 == 0 => self.sweep,
            n if n % 3 == 1 => self.random % timer::microseconds(500),
            _ => self.random % timer::microseconds(3000),
        };
        timer::set_deadline(timer::now() + delay);
    }
}

impl Handler for Breaker {
    type Error = sel4::Error;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), sel4::Error> {
        assert!(channels.contains(IRQ));
        timer::disable();
        if let Err(error) = IRQ.irq_ack() {
            panic!("{error}");
        }
        let lives = self.page[restart_page::LIVES].load(Relaxed);
        if self.restarts < RESTARTS {
            let pc = *VICTIM.tcb().tcb_read_registers(false, 1)?.pc() as usize;
            if (ENTRY_POINT..ENTRY_POINT + START_BYTES).contains(&pc) {
                self.in_start += 1;
                self.places |= 1 << ((pc - ENTRY_POINT) / 4);
            }
            if self.restarts.is_multiple_of(3) {
                self.sweep += if pc == ENTRY_POINT { 8 } else { 1 };
            }
            if self.page[restart_page::READY].swap(0, Relaxed) != 0 {
                self.after_init += 1;
            }
            VICTIM.restart(ENTRY_POINT)?;
            self.restarts += 1;
            if self.restarts < RESTARTS {
                self.set_timer();
            } else {
                timer::set_deadline(timer::now() + timer::microseconds(300_000));
            }
            return Ok(());
        }
        say!(
            "{RESTARTS} restarts: {} at {} instructions of _start, {} after init; {lives} lives reached Rust",
            self.in_start,
            self.places.count_ones(),
            self.after_init
        );
        assert!(self.in_start >= 20, "too few restarts in _start");
        assert!(self.places.count_ones() >= 20, "too few places in _start");
        assert!(self.after_init >= 50, "too few restarts after init");
        // The restart that the child counts is the one whose `_start` got as far as counting.
        let counted = self.page[restart_page::COUNTED].load(Relaxed);
        assert!(
            counted >= lives - 1 && counted <= RESTARTS,
            "{counted} restarts counted"
        );
        assert_eq!(
            self.page[restart_page::READY].load(Relaxed),
            1,
            "the last life did not get ready"
        );
        assert!(self.page[restart_page::ROUNDS].load(Relaxed) > 0);
        say!("the child is well");
        self.page[restart_page::FINISHED].store(1, Relaxed);
        Ok(())
    }

    fn fault(
        &mut self,
        _: Child,
        msg_info: MessageInfo,
    ) -> Result<Option<MessageInfo>, sel4::Error> {
        panic!(
            "after {} restarts the child faulted: {:x?}",
            self.restarts,
            msg_info.fault()
        );
    }
}
