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
use time::Clock;

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

impl Counters {
    /// Reads every page; `now` in ticks.
    pub fn read(&mut self, sources: &[PdSource], now: u64) {
        self.now = now;
        self.states.clear();
        self.values.clear();
        for source in sources.iter().take(MAX_PDS) {
            let state = Reader::open(source.page).map(|reader| {
                let values = reader.samples().map(|sample| sample.value.raw);
                self.values
                    .extend(values.take(MAX_VALUES - self.values.len()));
                reader.kind()
            });
            // There is room: no more than MAX_PDS are taken.
            let _ = self.states.push(state);
        }
    }
}

/// The text.
pub(crate) struct Snapshot<'s> {
    pub site: &'s Site,
    pub counters: &'s RefCell<Counters>,
}

/// While it is being written.
struct Text<'s> {
    clock: Clock,
    counters: &'s Counters,
}

impl Text<'_> {
    fn write_pd(
        &self,
        f: &mut fmt::Formatter<'_>,
        source: &PdSource,
        state: &Result<PdKind, StatsError>,
        values: &mut impl Iterator<Item = u64>,
    ) -> fmt::Result {
        write!(
            f,
            "{}:{{\"role\":{},\"number\":{},",
            Quoted(source.name),
            Quoted(source.role),
            source.number
        )?;
        let kind = match state {
            Ok(kind) => kind,
            // The error's text has no character that JSON escapes.
            Err(error) => {
                return write!(
                    f,
                    "\"state\":\"{error}\",\"uptime_ns\":0,\"counters\":{{}}}}"
                );
            }
        };
        f.write_str("\"state\":\"up\",\"counters\":{")?;
        let counters = Common::COUNTERS.iter().chain(kind.counters());
        let now = self.counters.now;
        let mut started = now;
        let mut separator = "";
        for (counter, raw) in counters.zip(values) {
            let unit = counter.unit;
            let value = Value { raw, unit };
            if value.is_number() {
                write!(f, "{separator}\"{}\":{value}", counter.name)?;
            } else {
                write!(f, "{separator}\"{}\":\"{value}\"", counter.name)?;
            }
            if counter.name == Common::COUNTERS[Common::StartedAt as usize].name {
                started = raw;
            }
            separator = ",";
        }
        let uptime = self.clock.nanos(now.saturating_sub(started));
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
        let text = Text { clock, counters };
        let mut values = counters.values.iter().copied();
        let mut separator = "";
        for (source, state) in self.site.pds.iter().zip(&counters.states) {
            f.write_str(separator)?;
            text.write_pd(f, source, state, &mut values)?;
            separator = ",";
        }
        f.write_str("}}\n")
    }
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
