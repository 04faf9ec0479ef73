// SPDX-License-Identifier: BSD-2-Clause

//! The Ethernet addresses of the hosts on the link: what is known, who is being asked, and who
//! waits for the answer.
//!
//! An address is *known* once its host has answered a request of ours, and *heard* if it has only
//! sent us a packet or asked for us. A heard address is good enough to answer its sender, is never
//! preferred to a known one, and goes first when the table is full. Either is probed when it is
//! used and no longer fresh: by requests to that very address, so that nobody else can answer.
//! Everything else in ARP replies that nobody asked for is ignored.

use core::net::Ipv4Addr;

use crate::config::MAX_CLIENTS;
use crate::ip::address::Address;
use crate::ip::rate::{Bucket, Rate};
use crate::tables::id::{ClientId, ConnectionId, HostId, Id};
use crate::tables::list::Lists;
use crate::tables::map::Map;
use crate::tables::pool::Pool;
use crate::time::{Duration, Instant};

/// Hosts in the table.
pub const HOSTS: usize = 2048;
/// Hosts that one client may be looking for at once. All clients together cannot fill the table.
const CLIENT_REQUESTS: u8 = 32;
/// Requests until a host counts as absent.
const TRIES: u8 = 3;
/// Hosts whose Ethernet addresses an administrator may say.
const FIXED: usize = 32;
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

/// The numbers of the lists of connections whose hosts do not answer, and have answered.
const ABSENT: usize = HOSTS;
const FOUND: usize = HOSTS + 1;

/// Number of the gateway in the table.
pub const GATEWAY: HostId = HostId::GATEWAY;

const _: () = assert!(MAX_CLIENTS * CLIENT_REQUESTS as usize + FIXED + 1 < HOSTS);

/// What is known of a host's Ethernet address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The entry is not in use.
    Free,
    /// Requests are being sent to all, or would be if somebody waited: the address is not known.
    Asking,
    /// Its host has sent something.
    Heard,
    /// Its host has answered.
    Known,
    /// An administrator has said the address: it is neither asked for nor forgotten.
    Fixed,
}

struct Entry {
    address: Address,
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
    client: ClientId,
}

impl Entry {
    fn new(address: Address, now: Instant) -> Self {
        Entry {
            address,
            state: State::Free,
            mac: [0; 6],
            since: now,
            touched: now,
            asked: now,
            tries: 0,
            client: ClientId::FIRST,
        }
    }
}

/// What time has brought about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Ask for this host again.
    Ask(Address),
    /// This host does not answer: [`Neighbours::give_up`] is due.
    Absent(HostId),
}

/// The table.
pub struct Neighbours {
    table: Map<Address, HostId>,
    entries: Pool<HostId, Entry>,
    /// By state. Those that are asked for are in the order in which they were asked last, the
    /// others least recently used first.
    lists: Lists<HostId>,
    /// What was learnt before is not fresh.
    distrusted: Instant,
    requests: [u8; MAX_CLIENTS],
    probes: Bucket,
    /// A host whose address is to be confirmed by a request to that address.
    pub probe: Option<(Address, [u8; 6])>,
    /// The connections that wait, by host; and those whose wait is over and who have not been
    /// told.
    pub waiting: Lists<ConnectionId>,
}

impl Neighbours {
    /// For so many connections. This is the only allocation.
    pub fn new(seed: u64, gateway: Option<Ipv4Addr>, connections: usize) -> Self {
        let mut neighbours = Neighbours {
            table: Map::new(HOSTS, seed),
            entries: Pool::new(HOSTS, || Entry::new(Address::ANY4, Instant::ZERO)),
            lists: Lists::new(HOSTS, State::Fixed as usize + 1),
            distrusted: Instant::ZERO,
            requests: [0; MAX_CLIENTS],
            probes: Bucket::new(PROBES),
            probe: None,
            waiting: Lists::new(connections, FOUND + 1),
        };
        let first = neighbours.entries.take();
        debug_assert_eq!(first, Some(GATEWAY));
        neighbours.set_gateway(gateway);
        neighbours
    }

    /// The gateway has another address, which is that of no other host in the table.
    pub fn set_gateway(&mut self, gateway: Option<Ipv4Addr>) {
        let before = self.entries[GATEWAY].address;
        if self.table.get(&before) == Some(GATEWAY) {
            self.table.remove(&before);
        }
        let address = gateway.map_or(Address::ANY4, Address::v4);
        self.entries[GATEWAY] = Entry::new(address, Instant::ZERO);
        if gateway.is_some() {
            self.entries[GATEWAY].state = State::Asking;
            // There is room: an entry is the gateway's.
            let _ = self.table.insert(address, GATEWAY);
        }
    }

    /// Says the Ethernet address of a host once and for all. Returns its number, for somebody may
    /// have waited; `None` if there are as many such hosts as there may be.
    pub fn fix(&mut self, address: Address, mac: [u8; 6], now: Instant) -> Option<HostId> {
        let host = match self.table.get(&address) {
            Some(host) => host,
            None if self.lists[State::Fixed as usize].len() < FIXED => self.insert(address, now)?,
            None => return None,
        };
        self.settle(host, State::Fixed, mac, now);
        Some(host)
    }

    /// The Ethernet address that an administrator has said.
    pub fn fixed(&self, host: HostId) -> Option<[u8; 6]> {
        self.is_fixed(host).then(|| self.entries[host].mac)
    }

    /// Whether an administrator has said the Ethernet address.
    pub fn is_fixed(&self, host: HostId) -> bool {
        self.entries[host].state == State::Fixed
    }

    /// A host that is being asked for, other than the gateway.
    pub fn asking(&self) -> Option<HostId> {
        self.lists[State::Asking as usize].front()
    }

    /// What is known of the host with this number among those in the table: its address and
    /// Ethernet address, how, and since when.
    pub fn nth(&self, number: usize) -> Option<(Address, [u8; 6], State, Instant)> {
        let used = |host: &HostId| self.entries[*host].state != State::Free;
        let entry = &self.entries[self.entries.ids().filter(used).nth(number)?];
        Some((entry.address, entry.mac, entry.state, entry.since))
    }

    /// What has been learnt until now may be wrong: it is used, and asked for again.
    pub fn distrust(&mut self, now: Instant) {
        self.distrusted = now;
    }

    /// The Ethernet address of a host, if it is known. It may be due for a [`Self::probe`].
    pub fn lookup(&mut self, address: Address, now: Instant) -> Option<[u8; 6]> {
        let host = self.table.get(&address)?;
        let entry = &mut self.entries[host];
        if matches!(entry.state, State::Asking | State::Free) {
            return None;
        }
        let mac = entry.mac;
        if host == GATEWAY || entry.state == State::Fixed {
            return Some(mac);
        }
        let rested = now >= entry.asked + RETRY;
        let unanswered = entry.tries >= TRIES && rested;
        if unanswered || now >= entry.since + FORGET {
            self.release(host);
            return None;
        }
        let old = now >= entry.since + FRESH || entry.since < self.distrusted;
        let stale = entry.state == State::Heard || old;
        if stale && (rested || entry.tries == 0) && self.probes.has(now) {
            self.probe = Some((address, mac));
            entry.tries += 1;
            entry.asked = now;
            self.probes.take(now);
        }
        self.touch(host, now);
        Some(mac)
    }

    /// A packet came from a host on the link. Returns the host's number if somebody has waited for
    /// that.
    pub fn heard(&mut self, address: Address, mac: [u8; 6], now: Instant) -> Option<HostId> {
        // The gateway forwards packets of others, among them such as claim to come from here.
        let known = self.table.get(&address);
        let gateway = &self.entries[GATEWAY];
        let forwarded = address.is_v4() && gateway.state == State::Known && gateway.mac == mac;
        if known == Some(GATEWAY) || forwarded {
            return None;
        }
        let Some(host) = known else {
            self.insert_heard(address, mac, now);
            return None;
        };
        let entry = &mut self.entries[host];
        match entry.state {
            State::Known | State::Free | State::Fixed => None,
            State::Heard => {
                if entry.mac != mac {
                    entry.mac = mac;
                    entry.tries = 0;
                }
                entry.since = now;
                self.touch(host, now);
                None
            }
            State::Asking => {
                self.settle(host, State::Heard, mac, now);
                Some(host)
            }
        }
    }

    /// A host has asked for this machine (RFC 826: it is about to send something). Returns the
    /// host's number if somebody has waited for its address.
    pub fn asked_by(&mut self, address: Address, mac: [u8; 6], now: Instant) -> Option<HostId> {
        if let Some(host) = self.table.get(&address) {
            let entry = &mut self.entries[host];
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
    pub fn answered(&mut self, address: Address, mac: [u8; 6], now: Instant) -> Option<HostId> {
        let host = self.table.get(&address)?;
        let entry = &self.entries[host];
        let asked = entry.tries > 0;
        let expected = match entry.state {
            State::Free | State::Fixed => false,
            State::Asking => asked,
            State::Heard | State::Known => asked && entry.mac == mac,
        };
        if !expected {
            return None;
        }
        self.settle(host, State::Known, mac, now);
        Some(host)
    }

    /// The number of a host in the table, be its address known or not.
    pub fn find(&self, address: Address) -> Option<HostId> {
        self.table.get(&address)
    }

    /// The address of a host in the table.
    pub fn address(&self, host: HostId) -> Address {
        self.entries[host].address
    }

    /// Somebody needs the address of a host that is not in the table: a request is to be sent.
    /// `None` if the client is looking for as many as it may.
    pub fn search(&mut self, address: Address, client: ClientId, now: Instant) -> Option<HostId> {
        if *self.requests.get(client.index())? >= CLIENT_REQUESTS {
            return None;
        }
        let host = self.insert(address, now)?;
        self.requests[client.index()] += 1;
        let entry = &mut self.entries[host];
        entry.client = client;
        entry.tries = 1;
        self.enter(host, State::Asking);
        Some(host)
    }

    /// The next thing that is due.
    pub fn due(&mut self, now: Instant) -> Option<Due> {
        let host = self.lists[State::Asking as usize].front()?;
        let entry = &mut self.entries[host];
        if now < entry.asked + RETRY {
            return None;
        }
        if entry.tries >= TRIES {
            return Some(Due::Absent(host));
        }
        entry.tries += 1;
        entry.asked = now;
        let address = entry.address;
        self.enter(host, State::Asking);
        Some(Due::Ask(address))
    }

    /// When [`Self::due`] has something.
    pub fn next_due(&self) -> Option<Instant> {
        let host = self.lists[State::Asking as usize].front()?;
        Some(self.entries[host].asked + RETRY)
    }

    /// Forgets a host for which nobody waits, and which is not the gateway.
    fn release(&mut self, host: HostId) {
        self.enter(host, State::Free);
        self.table.remove(&self.entries[host].address);
        self.entries.put_back(host);
    }

    /// The gateway is to be asked. Returns where to send the request: to its address, or to all.
    pub fn ask_gateway(&mut self) -> Option<[u8; 6]> {
        let entry = &mut self.entries[GATEWAY];
        entry.tries = 1;
        (entry.state == State::Known).then_some(entry.mac)
    }

    /// A host does not answer: it is forgotten, and the connections that waited are told.
    pub fn give_up(&mut self, host: HostId) {
        self.end_waits(host, ABSENT);
        if host == GATEWAY {
            self.enter(host, State::Asking);
        } else {
            self.release(host);
        }
    }

    /// Whether a connection waits for a host.
    pub fn is_awaited(&self, host: HostId) -> bool {
        !self.waiting[host.index()].is_empty()
    }

    /// Lets a connection wait for a host, if it does not yet.
    pub fn wait(&mut self, connection: ConnectionId, host: HostId) {
        if self.waiting.of(connection) != Some(host.index()) {
            self.waiting.put(connection, host.index());
        }
    }

    fn end_waits(&mut self, host: HostId, how: usize) {
        while let Some(connection) = self.waiting.pop(host.index()) {
            self.waiting.put(connection, how);
        }
    }

    /// Takes out a connection whose wait is over. Returns it, and whether the address is there.
    pub fn next_waited(&mut self) -> Option<(ConnectionId, bool)> {
        let absent = self.waiting.pop(ABSENT).map(|id| (id, false));
        absent.or_else(|| Some((self.waiting.pop(FOUND)?, true)))
    }

    fn touch(&mut self, host: HostId, now: Instant) {
        let entry = &mut self.entries[host];
        if now < entry.touched + TOUCH {
            return;
        }
        entry.touched = now;
        let state = entry.state;
        self.enter(host, state);
    }

    /// The address of a host is there.
    fn settle(&mut self, host: HostId, state: State, mac: [u8; 6], now: Instant) {
        self.enter(host, state);
        let entry = &mut self.entries[host];
        entry.mac = mac;
        entry.since = now;
        entry.touched = now;
        entry.tries = 0;
        self.end_waits(host, FOUND);
    }

    fn insert_heard(&mut self, address: Address, mac: [u8; 6], now: Instant) {
        if let Some(host) = self.insert(address, now) {
            self.entries[host].mac = mac;
            self.enter(host, State::Heard);
        }
    }

    /// A new entry, in no list. If the table is full, the host goes that was not used for longest.
    fn insert(&mut self, address: Address, now: Instant) -> Option<HostId> {
        if self.entries.is_full() {
            let oldest = |state| self.lists[state as usize].front();
            let victim = oldest(State::Heard).or(oldest(State::Known))?;
            self.release(victim);
        }
        let host = self.entries.take()?;
        // There are as many entries as hosts.
        let _ = self.table.insert(address, host);
        self.entries[host] = Entry::new(address, now);
        Some(host)
    }

    /// Gives a host a state, and puts it at the end of that state's list. The gateway is in none.
    fn enter(&mut self, host: HostId, state: State) {
        let entry = &mut self.entries[host];
        let before = core::mem::replace(&mut entry.state, state);
        if host == GATEWAY {
            return;
        }
        if before == State::Asking && state != State::Asking {
            self.requests[entry.client.index()] -= 1;
        }
        match state {
            State::Free => self.lists.remove(host),
            _ => self.lists.put(host, state as usize),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::id::ConnectionId;
    use proptest::prelude::*;

    const GATEWAY_IP: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);

    fn host(number: u16) -> Address {
        Address::v4(Ipv4Addr::from_bits(0x0a00_0001 + u32::from(number)))
    }

    /// Whether every host is in the list that its state names, and every search is on its client's
    /// account.
    fn check(neighbours: &mut Neighbours) {
        let count = |state| {
            let hosts = neighbours.entries.ids().skip(1);
            hosts
                .filter(|&host| neighbours.entries[host].state == state)
                .count()
        };
        assert_eq!(HOSTS - neighbours.entries.used(), count(State::Free));
        assert_eq!(
            neighbours.lists[State::Asking as usize].len(),
            count(State::Asking)
        );
        assert_eq!(
            neighbours.lists[State::Heard as usize].len(),
            count(State::Heard)
        );
        assert_eq!(
            neighbours.lists[State::Known as usize].len(),
            count(State::Known)
        );
        assert_eq!(neighbours.table.len(), HOSTS - count(State::Free));
        let charged: usize = neighbours.requests.iter().map(|&n| usize::from(n)).sum();
        assert_eq!(charged, count(State::Asking));
        assert!(neighbours.requests.iter().all(|&n| n <= CLIENT_REQUESTS));
        for host in neighbours.entries.ids() {
            let entry = &neighbours.entries[host];
            assert!(entry.state == State::Asking || !neighbours.is_awaited(host));
        }
        assert_eq!(neighbours.next_waited(), None);
    }

    /// What the server does when a search has ended.
    fn wake(neighbours: &mut Neighbours, found: bool) {
        while let Some((_, is_found)) = neighbours.next_waited() {
            assert_eq!(is_found, found);
        }
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
                        1 => {
                            neighbours.heard(address, mac, now);
                            wake(&mut neighbours, true);
                        }
                        2 => {
                            neighbours.asked_by(address, mac, now);
                            wake(&mut neighbours, true);
                        }
                        3 => {
                            neighbours.answered(address, mac, now);
                            wake(&mut neighbours, true);
                        }
                        4 | 5 => if neighbours.lookup(address, now).is_none()
                            && let Some(host) = neighbours
    .find(address).or_else(|| neighbours.search(address, ClientId::new(small.into()), now))
                        {
                            neighbours.wait(ConnectionId::new(usize::from(number) % 16), host);
                        },
                        6 => {
                            neighbours.waiting.remove(ConnectionId::new(usize::from(number) % 16));
                        }
                        _ => {
                            now += Duration::from_millis(millis);
                            while let Some(due) = neighbours.due(now) {
                                if let Due::Absent(host) = due {
                                    neighbours.give_up(host);
                                    wake(&mut neighbours, false);
                                }
                            }
                        }
                    }
                }
                check(&mut neighbours);
            }
        }

    #[test]
    fn one_client_uses_up_its_own_searches_only() {
        let mut neighbours = Neighbours::new(1, None, 1);
        let first = ClientId::FIRST;
        let now = Instant::from_secs(1);
        let found = (10..200).filter(|&n| neighbours.search(host(n), first, now).is_some());
        assert_eq!(found.count(), usize::from(CLIENT_REQUESTS));
        assert!(
            neighbours
                .search(host(300), ClientId::new(1), now)
                .is_some()
        );
        // An answer makes room for the next.
        neighbours.answered(host(10), [2; 6], now);
        assert!(neighbours.search(host(301), first, now).is_some());
        assert!(neighbours.search(host(302), first, now).is_none());
    }
}
