// SPDX-License-Identifier: BSD-2-Clause
//! The registry SDK's initialiser: seL4's root task. It makes the protection domains that the spec
//! describes from the untyped memory, and a second thread, the monitor, which prints the faults of
//! PDs without a parent. Then it starts them and suspends itself: with its thread all capabilities
//! of the root task are out of everybody's reach.
//!
//! Whatever goes wrong is printed with what was being made for whom, and nothing is started: a
//! system that runs is a complete one.

#![no_std]
#![no_main]

mod bootinfo;
mod build;
mod console;
mod fill;
mod kernel;
mod layout;
mod memory;
mod monitor;
mod start;
mod vspace;

use core::panic::PanicInfo;

use bootinfo::BootInfo;
use build::Builder;
use kernel::Kernel;
use sdk_spec::Spec;

/// Called by the start code, once.
#[unsafe(no_mangle)]
extern "C" fn initialiser_main(bootinfo: *const BootInfo) -> ! {
    // SAFETY: the kernel passes the address of the page with its boot information, which nobody
    // writes again.
    let bootinfo = unsafe { &*bootinfo };
    // SAFETY: this is the address that the kernel mapped this thread's IPC buffer at, and the only
    // use of it.
    let kernel = unsafe { Kernel::new(bootinfo.ipc_buffer) };
    let spec = match Spec::decode(start::spec_bytes()) {
        Ok(spec) => spec,
        Err(error) => {
            Builder::new(kernel, bootinfo, Spec::default()).bare_console();
            stop(format_args!("{error}"));
        }
    };
    let mut builder = Builder::new(kernel, bootinfo, spec);
    let failure = match builder.run() {
        Ok(()) => builder.end(),
        Err(failure) => failure,
    };
    stop(format_args!("{}: {failure}", builder.progress()))
}

/// Says why there will be no system.
fn stop(why: core::fmt::Arguments<'_>) -> ! {
    console::line(format_args!("initialiser: {why}"));
    loop {
        start::wait();
    }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    stop(format_args!("{info}"))
}
