// SPDX-License-Identifier: BSD-2-Clause

//! Test `orphans`, the callee: is restarted at any instruction while it answers calls.

#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use sdk_test_pds::{Words, begin, restart_page, words};
use sel4_microkit::{
    Channel, Handler, Infallible, MessageInfo, get_mr, persistent, protection_domain,
    restart_count, set_mr,
};

persistent! {
    static LIVES: AtomicU64 = AtomicU64::new(0);
}

struct Server {
    page: &'static Words,
}

#[protection_domain]
fn init() -> Server {
    begin();
    let page = words!(page_vaddr);
    page[restart_page::LIVES].store(LIVES.fetch_add(1, Relaxed) + 1, Relaxed);
    page[restart_page::COUNTED].store(restart_count(), Relaxed);
    page[restart_page::READY].store(1, Relaxed);
    Server { page }
}

impl Handler for Server {
    type Error = Infallible;

    fn protected(&mut self, _: Channel, msg_info: MessageInfo) -> Result<MessageInfo, Infallible> {
        self.page[restart_page::ROUNDS].fetch_add(1, Relaxed);
        set_mr(0, get_mr(0) + 1);
        Ok(msg_info)
    }
}
