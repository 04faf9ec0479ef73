// SPDX-License-Identifier: BSD-2-Clause

//! How this machine comes to its IPv6 addresses and routers (RFC 4862, RFC 4861 section 6.3): what
//! is declared, and what routers advertise.

use super::Network;
use super::address::Address;
use super::link6::{Declared, NEVER, OnLink, Own, Router, State, host_in};
use super::packet::Packet;
use super::paths::{LINK_MTU, MIN_MTU6};
use crate::config::Config;
use crate::counters::Counter;
use crate::ethernet::ndp::{MTU, PREFIX, SOURCE_ADDRESS, card, options};
use crate::frames::TxQueue;
use crate::time::{Duration, Instant, earliest};

/// How long another host has to say that it has an address.
const SILENCE: Duration = Duration::from_secs(1);
/// From one request to routers to the next, and how many there are.
const SOLICIT: Duration = Duration::from_secs(4);
const SOLICITATIONS: u8 = 3;
/// From one report of groups to the next, and how many there are.
const REPORT: Duration = Duration::from_secs(1);
const REPORTS: u8 = 2;
/// Nobody can end an address sooner than that by a forged advertisement (RFC 4862 section 5.5.3).
const TWO_HOURS: Duration = Duration::from_secs(7200);
/// The lifetime that does not end.
const INFINITE: u32 = u32::MAX;
/// Bytes of a router's message without options.
const MESSAGE: usize = 16;
/// Flags of a prefix (RFC 4861 section 4.6.2).
const ON_LINK: u8 = 0x80;
const AUTONOMOUS: u8 = 0x40;

/// What is to be sent, and when.
pub(crate) struct Autoconf {
    pub declared: Declared,
    /// Whether there is to be IPv6 on the link.
    pub wanted: bool,
    /// When something is due.
    pub due: Option<Instant>,
    mac: Option<[u8; 6]>,
    solicit_at: Option<Instant>,
    solicitations: u8,
    report_at: Option<Instant>,
    reports: u8,
}

impl Autoconf {
    /// `config` has been checked.
    pub(crate) fn new(config: &Config) -> Self {
        Autoconf {
            declared: Declared::new(config),
            wanted: config.autoconf || config.address6.is_some(),
            due: None,
            mac: None,
            solicit_at: None,
            solicitations: 0,
            report_at: None,
            reports: 0,
        }
    }

    /// Nothing is to be sent until IPv6 begins anew.
    pub(crate) fn stop(&mut self) {
        self.due = None;
        self.mac = None;
        self.solicit_at = None;
        self.report_at = None;
    }

    /// The groups are to be reported, twice.
    pub(crate) fn report_soon(&mut self, now: Instant) {
        self.reports = REPORTS;
        self.report_at = earliest(&[self.report_at, Some(now)]);
    }
}

/// A number of seconds from now.
fn after(now: Instant, seconds: u32) -> Instant {
    match seconds {
        INFINITE => NEVER,
        seconds => now + Duration::from_secs(seconds.into()),
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

impl Network {
    /// The driver has started. If it is the same device, nothing has changed.
    pub(super) fn start6(&mut self) {
        let mac = self.interface.mac;
        if self.link6.enabled && self.autoconf.mac != Some(mac) {
            self.autoconf.mac = Some(mac);
            self.link6.begin(&self.autoconf.declared, mac, self.now);
            self.autoconf.report_soon(self.now);
            self.plan6();
        }
    }

    /// There may be another network: all addresses are tried anew, and routers asked.
    pub(crate) fn restart6(&mut self) {
        self.autoconf.mac = None;
        self.start6();
    }

    /// Something has changed: it is found out when something is due. Not at each wake-up, because
    /// all lists are looked at.
    pub(crate) fn plan6(&mut self) {
        self.groups_changed();
        let link = &self.link6;
        let tentative = link.own.iter().filter_map(|own| match own.state {
            State::Tentative { at, .. } => Some(at),
            _ => None,
        });
        let valid = link.own.iter().map(|own| own.valid);
        let valid = valid.chain(link.on_link.iter().map(|prefix| prefix.valid));
        let valid = valid.chain(link.routers.iter().map(|router| router.valid));
        self.autoconf.due = earliest(&[
            tentative.min(),
            valid.filter(|&valid| valid != NEVER).min(),
            self.autoconf.solicit_at,
            self.autoconf.report_at,
            self.dhcp.due,
        ]);
    }

    /// Does what is due.
    pub(crate) fn run_timers6<T: TxQueue>(&mut self, tx: &mut T) {
        let now = self.now;
        if self.autoconf.due.is_none_or(|due| due > now) {
            return;
        }
        self.run_dhcp(tx);
        self.link6.own.retain(|own| own.valid > now);
        self.link6.on_link.retain(|prefix| prefix.valid > now);
        self.link6.routers.retain(|router| router.valid > now);
        if self.autoconf.report_at.take_if(|at| *at <= now).is_some() {
            self.report_groups(tx);
            self.report_groups4(tx);
            self.groups.told();
            self.autoconf.reports = self.autoconf.reports.saturating_sub(1);
            self.autoconf.report_at = (self.autoconf.reports > 0).then_some(now + REPORT);
        }
        while let Some((address, asked)) = self.try_next(now) {
            self.link6.news |= asked;
            if !asked {
                self.ask_for_own(address, tx);
            } else if address.is_link_local() && self.link6.autoconf {
                self.autoconf.solicitations = SOLICITATIONS;
                self.autoconf.solicit_at = Some(now);
            }
        }
        if self.autoconf.solicit_at.take_if(|at| *at <= now).is_some() {
            self.ask_routers(tx);
            self.autoconf.solicitations = self.autoconf.solicitations.saturating_sub(1);
            self.autoconf.solicit_at = (self.autoconf.solicitations > 0).then_some(now + SOLICIT);
        }
        self.plan6();
    }

    /// The next address that is to be tried, or whose trial is over. Returns whether it is the
    /// latter.
    fn try_next(&mut self, now: Instant) -> Option<(Address, bool)> {
        self.link6.own.iter_mut().find_map(|own| match own.state {
            State::Tentative { at, asked } if at <= now => {
                own.state = match asked {
                    true => State::Ready,
                    false => State::Tentative {
                        at: now + SILENCE,
                        asked: true,
                    },
                };
                Some((own.address, asked))
            }
            _ => None,
        })
    }

    /// A router advertises itself (RFC 4861 section 6.3.4). `None` if the message is malformed.
    pub(crate) fn router_advertised<T: TxQueue>(
        &mut self,
        packet: &Packet,
        tx: &mut T,
    ) -> Option<()> {
        let rest = packet.payload.get(MESSAGE..)?;
        let (router, now) = (packet.source, self.now);
        drop(options(rest)?);
        if !router.is_link_local() {
            return None;
        }
        if !self.link6.autoconf {
            self.stats.inc(Counter::IcmpIgnored);
            return Some(());
        }
        let seconds = u16::from_be_bytes([packet.payload[6], packet.payload[7]]);
        self.set_router(router, after(now, seconds.into()), seconds > 0);
        if let Some(mac) = card(rest, SOURCE_ADDRESS)
            && let Some(host) = self.neighbours.asked_by(router, mac, now)
        {
            self.send_held(host, tx);
        }
        for (kind, option) in options(rest)? {
            match (kind, option) {
                (MTU, [.., a, b, c, d]) if option.len() == 8 => {
                    let mtu = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
                    if (MIN_MTU6..=LINK_MTU).contains(&mtu) {
                        self.link6.mtu = mtu;
                    }
                }
                (PREFIX, &[_, _, bits, flags, ref rest @ ..]) => {
                    // One that is too short says nothing.
                    if let Some(&network) = rest.get(12..).and_then(<[u8]>::first_chunk::<16>)
                        && let (Some(valid), Some(preferred)) = (number(rest, 0), number(rest, 4))
                    {
                        let network = Address::v6(network.into());
                        self.prefix(network, bits, flags, (valid, preferred));
                    }
                }
                _ => {}
            }
        }
        self.plan6();
        Some(())
    }

    /// A router is there until then, or no longer. That it is there ends the requests.
    fn set_router(&mut self, address: Address, valid: Instant, there: bool) {
        let routers = &mut self.link6.routers;
        if !there {
            let declared = self.autoconf.declared.is_router(address);
            routers.retain(|router| router.address != address || declared);
            return;
        }
        self.autoconf.solicit_at = None;
        let mut known = routers.iter_mut();
        if let Some(router) = known.find(|router| router.address == address) {
            // What is declared stays.
            if router.valid != NEVER {
                router.valid = valid;
            }
            return;
        }
        drop(known);
        routers.push(Router { address, valid });
    }

    /// A router says which prefix is used on the link (RFC 4862 section 5.5.3).
    fn prefix(&mut self, network: Address, bits: u8, flags: u8, (valid, preferred): (u32, u32)) {
        if network.is_link_local() || network.is_multicast() || bits > 128 || preferred > valid {
            return;
        }
        let (now, link) = (self.now, &mut self.link6);
        let (until, preferred) = (after(now, valid), after(now, preferred));
        let declared = &self.autoconf.declared.addresses;
        if flags & ON_LINK != 0 {
            let is_it = |known: Address, its: u8| its == bits && known.is_in(network, bits);
            let mut declared = declared.iter();
            let declared = declared.any(|&(address, its)| is_it(address, its));
            let mut found = false;
            for known in link.on_link.iter_mut() {
                if is_it(known.network, known.bits) {
                    found = true;
                    // What is declared stays; what is over goes with the next timer.
                    known.valid = if declared { NEVER } else { until };
                }
            }
            if !found && valid > 0 {
                link.on_link.push(OnLink {
                    network,
                    bits,
                    valid: until,
                });
            }
        }
        if flags & AUTONOMOUS == 0 || bits != 64 {
            return;
        }
        let address = host_in(network, self.interface.mac);
        // What is declared stays.
        if declared.iter().any(|&(declared, _)| declared == address) {
            return;
        }
        if let Some(own) = link.own.iter_mut().find(|own| own.address == address) {
            own.preferred = preferred;
            let left_short = own.valid <= now + TWO_HOURS;
            own.valid = match until {
                until if until > now + TWO_HOURS || until > own.valid => until,
                _ if left_short => own.valid,
                _ => now + TWO_HOURS,
            };
            return;
        }
        let added = valid > 0
            && link.own.push(Own {
                address,
                prefix: bits,
                state: State::Tentative {
                    at: now,
                    asked: false,
                },
                preferred,
                valid: until,
                told: false,
            });
        if added {
            self.autoconf.report_soon(now);
        }
    }
}
