// SPDX-License-Identifier: BSD-2-Clause

//! Datagrams that wait for their next hop's Ethernet address: for each client a few places, and one
//! datagram for each host (RFC 1122 section 2.3.2.2).

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use smoltcp::wire::IpProtocol;

use super::neighbours::HOSTS;
use crate::ip::output::{Marks, Outgoing};
use crate::ip::packet::Tuple;
use crate::ip::reassembly::PAYLOAD_MAX;
use crate::tables::id::{ClientId, HostId, Id, PlaceId};
use crate::tables::list::Lists;

/// Places of one client for datagrams that fit into a packet.
const SMALL: usize = 32;
/// Bytes of one: what an Ethernet frame has room for behind an IPv4 header.
const SMALL_BYTES: usize = 1480;
/// Places of one client; the last is for a datagram of any length.
const PLACES: usize = SMALL + 1;
/// Bytes of all places of one client.
const BYTES: usize = SMALL * SMALL_BYTES + PAYLOAD_MAX;

/// The places.
pub(crate) struct Pending {
    /// What is known of the datagram in each.
    places: Vec<Outgoing>,
    pub bytes: Vec<u8>,
    /// By number: the places that wait for a host, those whose next hop does not answer, and of
    /// each client the free ones for small datagrams, and for a large one.
    lists: Lists<PlaceId>,
}

/// The number of the list of those whose next hop does not answer.
const UNDELIVERABLE: usize = HOSTS;

/// The number of the list that a place is in while it is free.
fn free(client: usize, large: bool) -> usize {
    UNDELIVERABLE + 1 + 2 * client + usize::from(large)
}

impl Pending {
    pub(crate) fn new(clients: usize) -> Self {
        let count = clients * PLACES;
        let nothing = Outgoing {
            tuple: Tuple::NONE,
            marks: Marks::USUAL,
            protocol: IpProtocol::Udp,
            length: 0,
        };
        let mut pending = Pending {
            places: vec![nothing; count],
            bytes: vec![0; clients * BYTES],
            lists: Lists::new(count, free(clients, false)),
        };
        (0..count).for_each(|index| pending.put_back(PlaceId::new(index)));
        pending
    }

    /// Number of places that are free.
    #[cfg(feature = "audit")]
    pub(crate) fn free(&self) -> usize {
        let lists = UNDELIVERABLE + 1..;
        let lists = lists.take(2 * self.places.len() / PLACES);
        lists.map(|list| self.lists[list].len()).sum()
    }

    /// A free place of a client for a datagram, or `None`. It is in no list.
    pub(crate) fn take(&mut self, client: ClientId, outgoing: Outgoing) -> Option<PlaceId> {
        let large = outgoing.header() + outgoing.length > SMALL_BYTES;
        let place = self.lists.pop(free(client.index(), large))?;
        self.places[place.index()] = outgoing;
        Some(place)
    }

    /// Gives a place back.
    pub(crate) fn put_back(&mut self, place: PlaceId) {
        let (client, number) = (place.index() / PLACES, place.index() % PLACES);
        self.lists.put(place, free(client, number == SMALL));
    }

    /// Lets the datagram in a place wait for a host.
    pub(crate) fn hold(&mut self, place: PlaceId, host: HostId) {
        self.lists.put(place, host.index());
    }

    /// The place in which a datagram of a client waits for a host.
    pub(crate) fn held(&self, client: ClientId, host: HostId) -> Option<PlaceId> {
        let mut held = self.lists.iter(host.index());
        held.find(|place| place.index() / PLACES == client.index())
    }

    /// Whether a datagram waits for a host.
    pub(crate) fn is_awaited(&self, host: HostId) -> bool {
        !self.lists[host.index()].is_empty()
    }

    /// Takes out a place that waits for a host.
    pub(crate) fn pop(&mut self, host: HostId) -> Option<PlaceId> {
        self.lists.pop(host.index())
    }

    /// A host does not answer.
    pub(crate) fn fail(&mut self, host: HostId) {
        while let Some(place) = self.pop(host) {
            self.lists.put(place, UNDELIVERABLE);
        }
    }

    /// Takes out a place whose next hop does not answer.
    pub(crate) fn next_undeliverable(&mut self) -> Option<PlaceId> {
        self.lists.pop(UNDELIVERABLE)
    }

    /// What is known of the datagram in a place.
    pub(crate) fn outgoing(&self, place: PlaceId) -> Outgoing {
        self.places[place.index()]
    }

    /// Where the datagram in a place lies, header included.
    pub(crate) fn range(&self, place: PlaceId) -> Range<usize> {
        let index = place.index();
        let start = index / PLACES * BYTES + index % PLACES * SMALL_BYTES;
        let outgoing = &self.places[index];
        start..start + outgoing.header() + outgoing.length
    }

    /// The datagram in a place.
    pub(crate) fn datagram_mut(&mut self, place: PlaceId) -> &mut [u8] {
        let range = self.range(place);
        &mut self.bytes[range]
    }
}
