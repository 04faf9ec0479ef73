// SPDX-License-Identifier: BSD-2-Clause

//! The Ethernet addresses of the hosts on the link: what is known, who is being asked, and who
//! waits for the answer.
//!
//! An address is *known* once its host has answered a request of ours, and *heard* if it has only
//! sent us a packet or asked for us. A heard address is good enough to answer its sender, is never
//! preferred to a known one, and goes first when the table is full. Either is probed when it is
//! used and no longer fresh: by requests to that very address, so that nobody else can answer.
//! Everything else in ARP replies that nobody asked for is ignored.

use alloc::vec::Vec;
use core::net::Ipv4Addr;

use smoltcp::time::{Duration, Instant};

use crate::config::MAX_CLIENTS;
use crate::ip::rate::{Bucket, Rate};
use crate::tables::list::{Links, List};
use crate::tables::map::{Host, Map};

/// Hosts in the table.
const HOSTS: usize = 1024;
/// Hosts that one client may be looking for at once. All clients together cannot fill the table.
const CLIENT_REQUESTS: u8 = 32;
/// Requests until a host counts as absent.
const TRIES: u8 = 3;
/// Between two requests for one host.
pub const RETRY: Duration = Duration::from_secs(1);
/// How long an answer is fresh.
const FRESH: Duration = Duration::from_secs(30);
/// How long an address that nobody used is worth trying: hosts move.
const FORGET: Duration = Duration::from_secs(600);
/// How exactly uses are noted, to find the host that was not used for longest.
const TOUCH: Duration = Duration::from_secs(1);
/// Probes of addresses that are not fresh, for all hosts together.
const PROBES: Rate = Rate::new(200, 50);

const NOBODY: u32 = u32::MAX;
/// Number of the gateway in the table.
pub const GATEWAY: usize = 0;

const _: () = assert!(MAX_CLIENTS * CLIENT_REQUESTS as usize + 1 < HOSTS);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Free,
    /// Requests are being sent to all, or would be if somebody waited: the address is not known.
    Asking,
    Heard,
    Known,
}

struct Entry {
    address: Ipv4Addr,
    state: State,
    mac: [u8; 6],
    /// When the address was heard or confirmed.
    since: Instant,
    touched: Instant,
    /// The last request.
    asked: Instant,
    /// Requests without an answer.
    tries: u8,
    /// The client that is charged while the host is being asked for.
    client: u8,
    /// Connections that wait.
    connections: List,
    /// Datagrams that wait, in [`crate::ethernet::pending::Pending`].
    datagrams: List,
}

/// An Ethernet address to send to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The address.
    pub mac: [u8; 6],
    /// A request to it is due.
    pub probe: bool,
}

/// How a host is being looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Search {
    /// Number of the host in the table.
    pub index: usize,
    /// It has not been asked for yet.
    pub is_new: bool,
}

/// What time has brought about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Ask for this host again.
    Ask(Ipv4Addr),
    /// The host with this number does not answer: whoever waits has to be told, then
    /// [`Neighbours::release`] is due.
    Absent(usize),
}

/// The table.
pub struct Neighbours {
    table: Map<Host, u32>,
    entries: Vec<Entry>,
    links: Links,
    free: List,
    /// In the order in which they were asked last.
    asking: List,
    /// Least recently used first.
    heard: List,
    known: List,
    requests: [u8; MAX_CLIENTS],
    probes: Bucket,
    gateway: Option<Ipv4Addr>,
    waiting: Links,
    /// Of each connection, the host that it waits for.
    waits_for: Vec<u32>,
}

impl Neighbours {
    /// For so many connections. This is the only allocation.
    #[must_use]
    pub fn new(seed: u64, gateway: Option<Ipv4Addr>, connections: usize) -> Self {
        let entry = || Entry {
            address: Ipv4Addr::UNSPECIFIED,
            state: State::Free,
            mac: [0; 6],
            since: Instant::ZERO,
            touched: Instant::ZERO,
            asked: Instant::ZERO,
            tries: 0,
            client: 0,
            connections: List::default(),
            datagrams: List::default(),
        };
        let mut neighbours = Neighbours {
            table: Map::new(HOSTS, seed),
            entries: (0..HOSTS).map(|_| entry()).collect(),
            links: Links::new(HOSTS),
            free: List::default(),
            asking: List::default(),
            heard: List::default(),
            known: List::default(),
            requests: [0; MAX_CLIENTS],
            probes: Bucket::new(),
            gateway,
            waiting: Links::new(connections),
            waits_for: (0..connections).map(|_| NOBODY).collect(),
        };
        for index in GATEWAY + 1..HOSTS {
            neighbours.free.push_back(&mut neighbours.links, index);
        }
        if let Some(address) = gateway {
            neighbours.entries[GATEWAY].address = address;
            neighbours.entries[GATEWAY].state = State::Asking;
            // There is room: it is the first.
            let _ = neighbours.table.insert(Host(address), GATEWAY as u32);
        }
        neighbours
    }

    /// The Ethernet address of a host, if it is known.
    pub fn lookup(&mut self, address: Ipv4Addr, now: Instant) -> Option<Found> {
        let index = self.table.get(&Host(address))? as usize;
        let entry = &mut self.entries[index];
        if matches!(entry.state, State::Asking | State::Free) {
            return None;
        }
        let mac = entry.mac;
        if index == GATEWAY {
            return Some(Found { mac, probe: false });
        }
        let rested = now >= entry.asked + RETRY;
        let unanswered = entry.tries >= TRIES && rested;
        if unanswered || now >= entry.since + FORGET {
            self.release(index);
            return None;
        }
        let stale = entry.state == State::Heard || now >= entry.since + FRESH;
        let probe = stale && (rested || entry.tries == 0) && self.probes.has(PROBES, now);
        if probe {
            entry.tries += 1;
            entry.asked = now;
            self.probes.take(PROBES, now);
        }
        self.touch(index, now);
        Some(Found { mac, probe })
    }

    /// A packet came from a host on the link. Returns the host's number if somebody has waited for
    /// that.
    pub fn heard(&mut self, address: Ipv4Addr, mac: [u8; 6], now: Instant) -> Option<usize> {
        // The gateway forwards packets of others, among them such as claim to come from here.
        let gateway = &self.entries[GATEWAY];
        if self.gateway == Some(address) || (gateway.state == State::Known && gateway.mac == mac) {
            return None;
        }
        let Some(index) = self.table.get(&Host(address)) else {
            self.insert_heard(address, mac, now);
            return None;
        };
        let index = index as usize;
        let entry = &mut self.entries[index];
        match entry.state {
            State::Known | State::Free => None,
            State::Heard => {
                if entry.mac != mac {
                    entry.mac = mac;
                    entry.tries = 0;
                }
                entry.since = now;
                self.touch(index, now);
                None
            }
            State::Asking => {
                self.settle(index, State::Heard, mac, now);
                Some(index)
            }
        }
    }

    /// A host has asked for this machine (RFC 826: it is about to send something). Returns the
    /// host's number if somebody has waited for its address.
    pub fn asked_by(&mut self, address: Ipv4Addr, mac: [u8; 6], now: Instant) -> Option<usize> {
        if let Some(index) = self.table.get(&Host(address)) {
            let entry = &mut self.entries[index as usize];
            if entry.state == State::Known && entry.mac == mac {
                entry.since = now;
                entry.tries = 0;
                return None;
            }
        }
        self.heard(address, mac, now)
    }

    /// A host has answered a request. Returns its number if one was out that it could have
    /// answered.
    pub fn answered(&mut self, address: Ipv4Addr, mac: [u8; 6], now: Instant) -> Option<usize> {
        let index = self.table.get(&Host(address))? as usize;
        let entry = &self.entries[index];
        let asked = entry.tries > 0;
        let expected = match entry.state {
            State::Free => false,
            State::Asking => asked,
            State::Heard | State::Known => asked && entry.mac == mac,
        };
        if !expected {
            return None;
        }
        self.settle(index, State::Known, mac, now);
        Some(index)
    }

    /// Somebody needs the address of a host that [`Self::lookup`] does not find. `None` if the
    /// client is looking for as many as it may. The gateway is asked for by [`crate::ethernet::gateway`].
    pub fn search(&mut self, address: Ipv4Addr, client: u8, now: Instant) -> Option<Search> {
        if let Some(index) = self.table.get(&Host(address)) {
            let index = index as usize;
            return Some(Search {
                index,
                is_new: false,
            });
        }
        if *self.requests.get(usize::from(client))? >= CLIENT_REQUESTS {
            return None;
        }
        let index = self.insert(address, now)?;
        self.requests[usize::from(client)] += 1;
        let entry = &mut self.entries[index];
        entry.state = State::Asking;
        entry.client = client;
        entry.tries = 1;
        entry.asked = now;
        self.asking.push_back(&mut self.links, index);
        Some(Search {
            index,
            is_new: true,
        })
    }

    /// The next thing that is due.
    pub fn due(&mut self, now: Instant) -> Option<Due> {
        let index = self.asking.front()?;
        let entry = &mut self.entries[index];
        if now < entry.asked + RETRY {
            return None;
        }
        if entry.tries >= TRIES {
            return Some(Due::Absent(index));
        }
        entry.tries += 1;
        entry.asked = now;
        let address = entry.address;
        self.asking.remove(&mut self.links, index);
        self.asking.push_back(&mut self.links, index);
        Some(Due::Ask(address))
    }

    /// When [`Self::due`] has something.
    #[must_use]
    pub fn next_due(&self) -> Option<Instant> {
        let index = self.asking.front()?;
        Some(self.entries[index].asked + RETRY)
    }

    /// Forgets a host for which nobody waits any more.
    pub fn release(&mut self, index: usize) {
        if index == GATEWAY {
            return;
        }
        self.leave_list(index);
        let entry = &mut self.entries[index];
        self.table.remove(&Host(entry.address));
        entry.state = State::Free;
        self.free.push_back(&mut self.links, index);
    }

    /// The gateway is to be asked. Returns where to send the request: to its address, or to all.
    pub fn ask_gateway(&mut self) -> Option<[u8; 6]> {
        let entry = &mut self.entries[GATEWAY];
        entry.tries = 1;
        (entry.state == State::Known).then_some(entry.mac)
    }

    /// The gateway does not answer: its address is not used any longer.
    pub fn lose_gateway(&mut self) {
        if self.gateway.is_some() {
            self.entries[GATEWAY].state = State::Asking;
        }
    }

    /// Lets a connection wait for a host, if it does not yet.
    pub fn wait(&mut self, index: usize, connection: usize) {
        if self.waits_for[connection] == index as u32 {
            return;
        }
        self.forget_connection(connection);
        self.waits_for[connection] = index as u32;
        let list = &mut self.entries[index].connections;
        list.push_back(&mut self.waiting, connection);
    }

    /// A connection waits no longer.
    pub fn forget_connection(&mut self, connection: usize) {
        let index = core::mem::replace(&mut self.waits_for[connection], NOBODY);
        if index != NOBODY {
            let list = &mut self.entries[index as usize].connections;
            list.remove(&mut self.waiting, connection);
        }
    }

    /// Takes out a connection that waits for a host.
    pub fn next_connection(&mut self, index: usize) -> Option<usize> {
        let connection = self.entries[index].connections.front()?;
        self.forget_connection(connection);
        Some(connection)
    }

    /// The datagrams that wait for a host.
    pub fn datagrams(&mut self, index: usize) -> &mut List {
        &mut self.entries[index].datagrams
    }

    /// Whether somebody waits for a host.
    #[must_use]
    pub fn is_awaited(&self, index: usize) -> bool {
        let entry = &self.entries[index];
        !entry.connections.is_empty() || !entry.datagrams.is_empty()
    }

    /// Datagrams that wait for any host. It walks the whole table: meant for the audit.
    #[must_use]
    pub fn held(&self) -> usize {
        self.entries.iter().map(|entry| entry.datagrams.len()).sum()
    }

    /// Whether a connection waits for a host.
    #[must_use]
    pub fn waits(&self, connection: usize) -> bool {
        self.waits_for[connection] != NOBODY
    }

    fn touch(&mut self, index: usize, now: Instant) {
        let entry = &mut self.entries[index];
        if now < entry.touched + TOUCH {
            return;
        }
        entry.touched = now;
        self.leave_list(index);
        self.enter_list(index);
    }

    /// The address of a host is there.
    fn settle(&mut self, index: usize, state: State, mac: [u8; 6], now: Instant) {
        self.leave_list(index);
        let entry = &mut self.entries[index];
        entry.state = state;
        entry.mac = mac;
        entry.since = now;
        entry.touched = now;
        entry.tries = 0;
        self.enter_list(index);
    }

    fn insert_heard(&mut self, address: Ipv4Addr, mac: [u8; 6], now: Instant) {
        if let Some(index) = self.insert(address, now) {
            let entry = &mut self.entries[index];
            entry.state = State::Heard;
            entry.mac = mac;
            self.heard.push_back(&mut self.links, index);
        }
    }

    /// A new entry, in no list. If the table is full, the host goes that was not used for longest.
    fn insert(&mut self, address: Ipv4Addr, now: Instant) -> Option<usize> {
        if self.free.is_empty() {
            let victim = self.heard.front().or(self.known.front())?;
            self.release(victim);
        }
        let index = self.free.pop_front(&mut self.links)?;
        // There are as many entries as hosts.
        let _ = self.table.insert(Host(address), index as u32);
        let entry = &mut self.entries[index];
        entry.address = address;
        entry.since = now;
        entry.touched = now;
        entry.asked = now;
        entry.tries = 0;
        Some(index)
    }

    fn enter_list(&mut self, index: usize) {
        let list = match self.entries[index].state {
            _ if index == GATEWAY => return,
            State::Free => return,
            State::Asking => &mut self.asking,
            State::Heard => &mut self.heard,
            State::Known => &mut self.known,
        };
        list.push_back(&mut self.links, index);
    }

    fn leave_list(&mut self, index: usize) {
        let entry = &self.entries[index];
        let list = match entry.state {
            _ if index == GATEWAY => return,
            State::Free => return,
            State::Asking => {
                self.requests[usize::from(entry.client)] -= 1;
                &mut self.asking
            }
            State::Heard => &mut self.heard,
            State::Known => &mut self.known,
        };
        list.remove(&mut self.links, index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GATEWAY_IP: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);

    fn host(number: u16) -> Ipv4Addr {
        Ipv4Addr::from_bits(0x0a00_0001 + u32::from(number))
    }

    /// Whether every host is in the list that its state names, and every search is on its client's
    /// account.
    fn check(neighbours: &Neighbours) {
        let count = |state| {
            let entries = neighbours.entries.iter().skip(GATEWAY + 1);
            entries.filter(|entry| entry.state == state).count()
        };
        assert_eq!(neighbours.free.len(), count(State::Free));
        assert_eq!(neighbours.asking.len(), count(State::Asking));
        assert_eq!(neighbours.heard.len(), count(State::Heard));
        assert_eq!(neighbours.known.len(), count(State::Known));
        assert_eq!(neighbours.table.len(), HOSTS - count(State::Free));
        let charged: usize = neighbours.requests.iter().map(|&n| usize::from(n)).sum();
        assert_eq!(charged, count(State::Asking));
        assert!(neighbours.requests.iter().all(|&n| n <= CLIENT_REQUESTS));
        for entry in &neighbours.entries {
            assert!(entry.state == State::Asking || entry.connections.is_empty());
        }
    }

    /// What the server does when a search has ended.
    fn wake(neighbours: &mut Neighbours, index: usize) {
        while neighbours.next_connection(index).is_some() {}
    }

    proptest! {
        #[test]
        fn the_table_agrees_with_itself(
            steps in prop::collection::vec((0u8..8, 0u16..1500, 0u8..4, 0u64..3_000), 1..3000),
        ) {
            let mut neighbours = Neighbours::new(1, Some(GATEWAY_IP), 16);
            let mut now = Instant::from_secs(1);
            for (what, number, small, millis) in steps {
                let address = host(number % 1200);
                let mac = [2, 0, 0, small, 0, 0];
                match what {
                    0 => {
                        neighbours.lookup(address, now);
                    }
                    1 => if let Some(index) = neighbours.heard(address, mac, now) {
                        wake(&mut neighbours, index);
                    },
                    2 => if let Some(index) = neighbours.asked_by(address, mac, now) {
                        wake(&mut neighbours, index);
                    },
                    3 => if let Some(index) = neighbours.answered(address, mac, now) {
                        wake(&mut neighbours, index);
                    },
                    4 | 5 => if neighbours.lookup(address, now).is_none()
                        && let Some(search) = neighbours.search(address, small, now)
                    {
                        neighbours.wait(search.index, usize::from(number) % 16);
                    },
                    6 => {
                        neighbours.forget_connection(usize::from(number) % 16);
                    }
                    _ => {
                        now += Duration::from_millis(millis);
                        while let Some(due) = neighbours.due(now) {
                            if let Due::Absent(index) = due {
                                wake(&mut neighbours, index);
                                neighbours.release(index);
                            }
                        }
                    }
                }
            }
            check(&neighbours);
        }
    }

    #[test]
    fn one_client_uses_up_its_own_searches_only() {
        let mut neighbours = Neighbours::new(1, None, 1);
        let now = Instant::from_secs(1);
        let found = (10..200).filter(|&n| neighbours.search(host(n), 0, now).is_some());
        assert_eq!(found.count(), usize::from(CLIENT_REQUESTS));
        assert!(neighbours.search(host(300), 1, now).is_some());
        // An answer makes room for the next.
        neighbours.answered(host(10), [2; 6], now);
        assert!(neighbours.search(host(301), 0, now).is_some());
        assert!(neighbours.search(host(302), 0, now).is_none());
    }
}
