// SPDX-License-Identifier: BSD-2-Clause

//! Datagrams that wait for their next hop's Ethernet address: for each client a few places, and one
//! datagram for each host (RFC 1122 section 2.3.2.2).

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use crate::ip::packet::Tuple;
use crate::ip::reassembly::PAYLOAD_MAX;
use crate::tables::id::{ClientId, Id, PlaceId};
use crate::tables::list::{Links, List};

/// Places of one client for datagrams that fit into a packet.
const SMALL: usize = 32;
/// Bytes of one: what an Ethernet frame has room for behind an IPv4 header.
const SMALL_BYTES: usize = 1480;
/// Places of one client; the last is for a datagram of any length.
const PLACES: usize = SMALL + 1;
/// Bytes of all places of one client.
const BYTES: usize = SMALL * SMALL_BYTES + PAYLOAD_MAX;

struct Place {
    tuple: Tuple,
    length: usize,
}

/// The places.
pub(crate) struct Pending {
    places: Vec<Place>,
    pub bytes: Vec<u8>,
    pub links: Links<PlaceId>,
    /// Of each client: free places for small datagrams, and for a large one.
    free: Vec<[List<PlaceId>; 2]>,
    /// Those whose next hop does not answer.
    undeliverable: List<PlaceId>,
}

impl Pending {
    pub(crate) fn new(clients: usize) -> Self {
        let mut links = Links::new(clients * PLACES);
        let mut free = vec![[List::default(); 2]; clients];
        for index in 0..clients * PLACES {
            let list = &mut free[index / PLACES][kind(index)];
            list.push_back(&mut links, PlaceId::new(index));
        }
        let place = || Place {
            tuple: Tuple::NONE,
            length: 0,
        };
        Pending {
            places: (0..clients * PLACES).map(|_| place()).collect(),
            bytes: vec![0; clients * BYTES],
            links,
            free,
            undeliverable: List::default(),
        }
    }

    /// A free place of a client for a UDP datagram, header included, of this length, or `None`. It
    /// belongs into a list.
    pub(crate) fn take(
        &mut self,
        client: ClientId,
        tuple: Tuple,
        length: usize,
    ) -> Option<PlaceId> {
        let kind = usize::from(length > SMALL_BYTES);
        let free = self.free.get_mut(client.index())?;
        let place = free[kind].pop_front(&mut self.links)?;
        self.places[place.index()] = Place { tuple, length };
        Some(place)
    }

    /// Gives a place back that is in no list.
    pub(crate) fn put_back(&mut self, place: PlaceId) {
        let index = place.index();
        self.free[index / PLACES][kind(index)].push_back(&mut self.links, place);
    }

    /// The next hop of these does not answer.
    pub(crate) fn fail(&mut self, mut places: List<PlaceId>) {
        while let Some(place) = places.pop_front(&mut self.links) {
            self.undeliverable.push_back(&mut self.links, place);
        }
    }

    /// Takes out a place whose next hop does not answer. It is in no list then.
    pub(crate) fn next_undeliverable(&mut self) -> Option<PlaceId> {
        self.undeliverable.pop_front(&mut self.links)
    }

    /// Whose place it is.
    pub(crate) fn client(&self, place: PlaceId) -> ClientId {
        ClientId::new(place.index() / PLACES)
    }

    /// The ends of the datagram in a place.
    pub(crate) fn tuple(&self, place: PlaceId) -> Tuple {
        self.places[place.index()].tuple
    }

    /// Where the UDP datagram in a place lies.
    pub(crate) fn range(&self, place: PlaceId) -> Range<usize> {
        let index = place.index();
        let start = index / PLACES * BYTES + index % PLACES * SMALL_BYTES;
        start..start + self.places[index].length
    }

    /// The UDP datagram in a place.
    pub(crate) fn datagram_mut(&mut self, place: PlaceId) -> &mut [u8] {
        let range = self.range(place);
        &mut self.bytes[range]
    }
}

fn kind(index: usize) -> usize {
    usize::from(index % PLACES == SMALL)
}
