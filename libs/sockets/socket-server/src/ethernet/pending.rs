// SPDX-License-Identifier: BSD-2-Clause

//! Datagrams that wait for their next hop's Ethernet address: for each client a few places, and one
//! datagram for each host (RFC 1122 section 2.3.2.2).

use alloc::vec;
use alloc::vec::Vec;

use crate::ip::reassembly::PAYLOAD_MAX;
use crate::ip::send::Route;
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
    route: Route,
    length: usize,
}

/// The places.
pub(crate) struct Pending {
    places: Vec<Place>,
    bytes: Vec<u8>,
    pub links: Links,
    /// Of each client: free places for small datagrams, and for a large one.
    free: Vec<[List; 2]>,
}

impl Pending {
    pub(crate) fn new(clients: usize) -> Self {
        let mut links = Links::new(clients * PLACES);
        let free = (0..clients)
            .map(|client| {
                let mut free = [List::default(); 2];
                for place in 0..PLACES {
                    let kind = usize::from(place == SMALL);
                    free[kind].push_back(&mut links, client * PLACES + place);
                }
                free
            })
            .collect();
        let place = || Place {
            route: Route::NOWHERE,
            length: 0,
        };
        Pending {
            places: (0..clients * PLACES).map(|_| place()).collect(),
            bytes: vec![0; clients * BYTES],
            links,
            free,
        }
    }

    /// A free place of a client for a UDP datagram, header included, of this length, or `None`. It
    /// belongs into a list.
    pub(crate) fn take(&mut self, client: u8, route: Route, length: usize) -> Option<usize> {
        let kind = usize::from(length > SMALL_BYTES);
        let free = self.free.get_mut(usize::from(client))?;
        let index = free[kind].pop_front(&mut self.links)?;
        self.places[index] = Place { route, length };
        Some(index)
    }

    /// Gives a place back that is in no list.
    pub(crate) fn put_back(&mut self, index: usize) {
        let kind = usize::from(index % PLACES == SMALL);
        self.free[index / PLACES][kind].push_back(&mut self.links, index);
    }

    /// Whose place it is.
    pub(crate) fn client(&self, index: usize) -> u8 {
        (index / PLACES) as u8
    }

    pub(crate) fn route(&self, index: usize) -> Route {
        self.places[index].route
    }

    fn range(&self, index: usize) -> core::ops::Range<usize> {
        let start = index / PLACES * BYTES + index % PLACES * SMALL_BYTES;
        start..start + self.places[index].length
    }

    /// The UDP datagram in a place.
    pub(crate) fn datagram(&self, index: usize) -> &[u8] {
        &self.bytes[self.range(index)]
    }

    pub(crate) fn datagram_mut(&mut self, index: usize) -> &mut [u8] {
        let range = self.range(index);
        &mut self.bytes[range]
    }

    /// Places in use.
    pub(crate) fn used(&self) -> usize {
        let free = self.free.iter().flatten().map(List::len);
        self.places.len() - free.sum::<usize>()
    }
}
