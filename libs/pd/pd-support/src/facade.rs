// SPDX-License-Identifier: BSD-2-Clause

//! Lines that libraries write with the facade `log`. All of them share one rate.

use ::log::{LevelFilter, Log, Metadata, Record};

use crate::Level;
use crate::limit::Site;

struct Facade;

static SITE: Site = Site::new();

impl Log for Facade {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let level = match record.level() {
            ::log::Level::Error => Level::Error,
            ::log::Level::Warn => Level::Warn,
            ::log::Level::Info => Level::Info,
            ::log::Level::Debug | ::log::Level::Trace => Level::Debug,
        };
        if SITE.admits() {
            crate::write(
                level,
                format_args!("{}: {}", record.target(), record.args()),
            );
        }
    }

    fn flush(&self) {}
}

/// Takes lines of level `Info` and above; `log::set_max_level` changes that.
pub fn install() {
    // An error means that the PD has a logger of its own.
    if ::log::set_logger(&Facade).is_ok() {
        ::log::set_max_level(LevelFilter::Info);
    }
}
