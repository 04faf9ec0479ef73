// SPDX-License-Identifier: BSD-2-Clause

//! `/stats.json`: the counters of all PDs at one moment.
//!
//! ```json
//! {
//!   "hostname": "isthmus", "address": "10.0.2.15/24", "gateway": "10.0.2.2",
//!   "now_ns": 1234, "tick_hz": 62500000,
//!   "pds": {
//!     "net_driver": { "role": "…", "number": 1, "state": "up", "uptime_ns": 1200, "counters": { "starts": 1, …, "mac_address": "52:…" } },
//!     "console": { "role": "…", "number": 4, "state": "statistics page not set up yet", "uptime_ns": 0, "counters": {} }
//!   }
//! }
//! ```
//!
//! `now_ns` counts from before boot, as everyone's clock does; `uptime_ns` from the PD's last
//! start. Names and units of the counters are those of the crate `stats`; numbers of unit "ticks"
//! are ticks of `tick_hz`.

use core::cell::RefCell;
use core::fmt;
use core::net::Ipv4Addr;

use stats::{Common, PdKind, Reader, StatsError, StatsPage, Value};

use crate::Site;

/// PDs that a site can show.
pub const MAX_PDS: usize = 63;
/// Counters of all PDs together; those beyond are left out.
const MAX_VALUES: usize = 768;

/// A PD whose counters are shown.
#[derive(Clone, Copy)]
pub struct PdSource {
    /// Its name in the system description.
    pub name: &'static str,
    /// What it is for, in a few words.
    pub role: &'static str,
    /// Its number in the system.
    pub number: usize,
    /// Its page.
    pub page: &'static StatsPage,
}

/// What is shown besides counters.
#[derive(Clone, Copy, Debug)]
pub struct Identity {
    /// The machine's name.
    pub hostname: &'static str,
    /// Its address.
    pub address: Ipv4Addr,
    /// Length of the network's prefix.
    pub prefix_len: u8,
    /// The next hop.
    pub gateway: Ipv4Addr,
}

/// The counters of all PDs at one moment, copied, so that the text made of them has the same length
/// each time.
///
/// A connection has one, outside of the futures that handle its requests: those are moved about for
/// each request, with whatever they may hold.
#[derive(Default)]
pub(crate) struct Counters {
    /// In ticks.
    now: u64,
    /// Of the site's PDs in their order.
    states: heapless::Vec<Result<PdKind, StatsError>, MAX_PDS>,
    values: heapless::Vec<u64, MAX_VALUES>,
}

/// The text.
pub(crate) struct Snapshot<'s> {
    pub site: &'s Site,
    pub counters: &'s RefCell<Counters>,
}

impl Snapshot<'_> {
    /// Reads the counters.
    pub fn take(&self) {
        let counters = &mut *self.counters.borrow_mut();
        counters.now = (self.site.now)();
        counters.states.clear();
        counters.values.clear();
        for source in self.site.pds.iter().take(MAX_PDS) {
            let state = Reader::open(source.page).map(|reader| {
                let values = reader.samples().map(|sample| sample.value.raw);
                let room = MAX_VALUES - counters.values.len();
                counters.values.extend(values.take(room));
                reader.kind()
            });
            // There is room: no more than MAX_PDS are taken.
            let _ = counters.states.push(state);
        }
    }

    fn write_pd(
        &self,
        f: &mut fmt::Formatter<'_>,
        source: &PdSource,
        state: &Result<PdKind, StatsError>,
        values: &mut impl Iterator<Item = u64>,
        now: u64,
    ) -> fmt::Result {
        let (name, role, number) = (Quoted(source.name), Quoted(source.role), source.number);
        write!(f, "{name}:{{\"role\":{role},\"number\":{number},")?;
        let kind = match state {
            Ok(kind) => kind,
            // The error's text has no character that JSON escapes.
            Err(error) => {
                let counters = "\"uptime_ns\":0,\"counters\":{}}";
                return write!(f, "\"state\":\"{error}\",{counters}");
            }
        };
        f.write_str("\"state\":\"up\",\"counters\":{")?;
        let counters = Common::COUNTERS.iter().chain(kind.counters());
        let mut started = now;
        for (index, (counter, raw)) in counters.zip(values).enumerate() {
            let (separator, name, unit) = (separator(index), counter.name, counter.unit);
            let value = Value { raw, unit };
            if value.is_number() {
                write!(f, "{separator}\"{name}\":{value}")?;
            } else {
                write!(f, "{separator}\"{name}\":\"{value}\"")?;
            }
            if index == Common::StartedAt as usize {
                started = raw;
            }
        }
        let uptime = self.site.clock.nanos(now.saturating_sub(started));
        write!(f, "}},\"uptime_ns\":{uptime}}}")
    }
}

impl fmt::Display for Snapshot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Nobody writes them while a response is being written.
        let counters = &*self.counters.try_borrow().map_err(|_| fmt::Error)?;
        let Site {
            identity, clock, ..
        } = *self.site;
        write!(
            f,
            "{{\"hostname\":{},\"address\":\"{}/{}\",\"gateway\":\"{}\",\"now_ns\":{},\"tick_hz\":{},\"pds\":{{",
            Quoted(identity.hostname),
            identity.address,
            identity.prefix_len,
            identity.gateway,
            clock.nanos(counters.now),
            clock.frequency(),
        )?;
        let mut values = counters.values.iter().copied();
        for (index, (source, state)) in self.site.pds.iter().zip(&counters.states).enumerate() {
            f.write_str(separator(index))?;
            self.write_pd(f, source, state, &mut values, counters.now)?;
        }
        f.write_str("}}\n")
    }
}

/// What stands in front of a member of a JSON object.
fn separator(index: usize) -> &'static str {
    if index == 0 { "" } else { "," }
}

/// A JSON string (RFC 8259 section 7).
struct Quoted<'t>(&'t str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                c if c < ' ' => write!(f, "\\u{:04x}", u32::from(c))?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}
