// SPDX-License-Identifier: BSD-2-Clause

//! What changes the interface, its addresses and routes while the server runs. Rare, so that
//! everything made from them is made anew.

use core::net::Ipv4Addr;

use socket_proto::Errno;

use super::Network;
use super::address::Address;
use super::interface::{Place, Via};
use super::link6::{self, Router, Via6};
use super::packet::is_host;
use crate::config::network_mask;
use crate::counters::Counter;
use crate::ethernet::gateway::Gateway;
use crate::ethernet::is_card;
use crate::ethernet::neighbours::GATEWAY;
use crate::frames::{RxQueue, TxQueue};

/// Whether these bits name a network and no host.
fn is_network((network, bits): (Address, u8)) -> bool {
    match network.to_v4() {
        Some(v4) => bits <= 32 && v4.to_bits() & !network_mask(bits) == 0,
        None => {
            let behind = u128::MAX.checked_shr(bits.into()).unwrap_or(0);
            bits <= 128 && network.to_v6().to_bits() & behind == 0
        }
    }
}

impl Network {
    /// Adds an address; its network is on the link. One of IPv6 is tried first.
    ///
    /// # Errors
    /// `EINVAL` if no host can have it, `EEXIST` if it is there, `ENOBUFS` if the list is full.
    pub(crate) fn add_address(&mut self, address: Address, bits: u8) -> Result<(), Errno> {
        match address.to_v4() {
            Some(v4) if !is_host(v4) || !(1..=32).contains(&bits) => Err(Errno::EINVAL),
            Some(v4) => self.add_address4((v4, bits)),
            None if !link6::is_host(address) || !(1..=128).contains(&bits) => Err(Errno::EINVAL),
            None => self.add_address6((address, bits)),
        }
    }

    fn add_address4(&mut self, place: Place) -> Result<(), Errno> {
        if self.interface.has(place.0) {
            return Err(Errno::EEXIST);
        }
        if !self.interface.addresses.push(place) {
            return Err(Errno::ENOBUFS);
        }
        self.addresses_changed();
        Ok(())
    }

    fn add_address6(&mut self, place: (Address, u8)) -> Result<(), Errno> {
        let declared = &mut self.autoconf.declared.addresses;
        if self.link6.state(place.0).is_some() || declared.any(|&(own, _)| own == place.0) {
            return Err(Errno::EEXIST);
        }
        if !declared.push(place) {
            return Err(Errno::ENOBUFS);
        }
        self.autoconf.wanted = true;
        if !self.interface.up {
            return Ok(());
        }
        if !core::mem::replace(&mut self.link6.enabled, true) {
            self.restart6();
            return Ok(());
        }
        if !self.link6.add(place, self.now) {
            self.autoconf.declared.addresses.retain(|own| *own != place);
            return Err(Errno::ENOBUFS);
        }
        self.autoconf.report_soon(self.now);
        self.plan6();
        Ok(())
    }

    /// Removes an address, and routes whose routers are not on the link without it. Sockets keep
    /// it, and cannot send.
    ///
    /// # Errors
    /// `EADDRNOTAVAIL` if it is not there.
    pub(crate) fn remove_address(&mut self, address: Address) -> Result<(), Errno> {
        match address.to_v4() {
            Some(v4) if !self.interface.has(v4) => return Err(Errno::EADDRNOTAVAIL),
            Some(v4) => {
                self.interface.addresses.retain(|(own, _)| *own != v4);
                self.addresses_changed();
            }
            None => self.remove_address6(address)?,
        }
        self.interface.lost = true;
        Ok(())
    }

    fn remove_address6(&mut self, address: Address) -> Result<(), Errno> {
        let declared = &mut self.autoconf.declared.addresses;
        let found = declared.iter().find(|(own, _)| *own == address).copied();
        let link = &mut self.link6;
        if found.is_none() && link.state(address).is_none() {
            return Err(Errno::EADDRNOTAVAIL);
        }
        declared.retain(|(own, _)| *own != address);
        link.own.retain(|own| own.address != address);
        link.on_link.retain(|net| net.network != address);
        self.autoconf.report_soon(self.now);
        self.plan6();
        Ok(())
    }

    fn addresses_changed(&mut self) {
        let (interface, routes) = (&mut self.interface, &mut self.routes);
        interface.addresses_changed();
        let reached = |via: &Via| interface.is_neighbour(via.router);
        routes.by_router.retain(reached);
        self.routes_changed();
    }

    fn routes_changed(&mut self) {
        self.routes.update(&self.interface);
        let router = self.routes.default_router();
        if router != self.gateway.address {
            self.follow(router);
        }
    }

    /// Another router is the gateway, or none is. What an administrator has said of the old one and
    /// of the new one stays.
    fn follow(&mut self, router: Option<Ipv4Addr>) {
        let now = self.now;
        let before = self.gateway.address;
        let after = router.and_then(|router| self.neighbours.find(router.into()));
        let kept = [before.map(|_| GATEWAY), after].map(|host| self.neighbours.fixed(host?));
        self.give_up(GATEWAY);
        if let Some(host) = after {
            self.give_up(host);
        }
        self.neighbours.set_gateway(router);
        self.gateway = Gateway::new(router);
        self.gateway.start(now);
        for (router, mac) in [before, router].into_iter().zip(kept) {
            if let (Some(router), Some(mac)) = (router, mac) {
                self.neighbours.fix(router.into(), mac, now);
            }
        }
    }

    /// Adds a route by a router.
    ///
    /// # Errors
    /// `EINVAL` if it leads to no network, or is of two families; `ENETDOWN` if the interface is
    /// shut down, `ENETUNREACH` if the router is not on the link, `EEXIST` if there is a route to
    /// this network, `ENOBUFS` if the list is full.
    pub(crate) fn add_route(&mut self, to: (Address, u8), router: Address) -> Result<(), Errno> {
        if !is_network(to) || to.0.is_v4() != router.is_v4() {
            return Err(Errno::EINVAL);
        }
        if !self.interface.up {
            return Err(Errno::ENETDOWN);
        }
        match (to.0.to_v4(), router.to_v4()) {
            (Some(network), Some(router)) => self.add_route4((network, to.1), router),
            _ => self.add_route6(Via6 { to, router }),
        }
    }

    fn add_route4(&mut self, to: Place, router: Ipv4Addr) -> Result<(), Errno> {
        if !self.interface.is_neighbour(router) || !is_host(router) || self.interface.has(router) {
            return Err(Errno::ENETUNREACH);
        }
        let routes = &mut self.routes.by_router;
        if routes.any(|via| via.to == to) {
            return Err(Errno::EEXIST);
        }
        if !routes.push(Via { to, router }) {
            return Err(Errno::ENOBUFS);
        }
        self.routes_changed();
        Ok(())
    }

    fn add_route6(&mut self, via: Via6) -> Result<(), Errno> {
        let link = &mut self.link6;
        if !link6::is_host(via.router) || !link.enabled || !link.is_neighbour(via.router) {
            return Err(Errno::ENETUNREACH);
        }
        let declared = &mut self.autoconf.declared.routes;
        if declared.any(|known| *known == via) {
            return Err(Errno::EEXIST);
        }
        if !declared.push(via) {
            return Err(Errno::ENOBUFS);
        }
        if !link.add_route(via) {
            declared.retain(|known| *known != via);
            return Err(Errno::ENOBUFS);
        }
        Ok(())
    }

    /// Removes the route to a network; by this router, if one is given.
    ///
    /// # Errors
    /// `ESRCH` if there is none.
    pub(crate) fn remove_route(
        &mut self,
        to: (Address, u8),
        router: Option<Address>,
    ) -> Result<(), Errno> {
        let is_it = |its: (Address, u8), by: Address| to == its && router.is_none_or(|r| r == by);
        if to.0.is_v4() {
            let routes = &mut self.routes.by_router;
            let is_it = |via: &Via| is_it((via.to.0.into(), via.to.1), via.router.into());
            if !routes.any(is_it) {
                return Err(Errno::ESRCH);
            }
            routes.retain(|via| !is_it(via));
            self.routes_changed();
            return Ok(());
        }
        let (declared, link) = (&mut self.autoconf.declared.routes, &mut self.link6);
        let known = declared.any(|via| is_it(via.to, via.router));
        let told = |router: &Router| is_it((Address::ANY6, 0), router.address);
        if !known && !link.routers.any(told) {
            return Err(Errno::ESRCH);
        }
        declared.retain(|via| !is_it(via.to, via.router));
        link.by_router.retain(|via| !is_it(via.to, via.router));
        link.routers
            .retain(|via| !is_it((Address::ANY6, 0), via.address));
        link.routed = link.by_router.any(|_| true);
        self.plan6();
        Ok(())
    }

    /// Says the Ethernet address of a neighbour once and for all.
    ///
    /// # Errors
    /// `EINVAL` if no card has it, `ENETUNREACH` if the host is not on the link, `ENOBUFS` if there
    /// are too many of them.
    pub(crate) fn add_neighbour<T: TxQueue>(
        &mut self,
        address: Address,
        mac: [u8; 6],
        tx: &mut T,
    ) -> Result<(), Errno> {
        if !is_card(mac) {
            return Err(Errno::EINVAL);
        }
        let near = match address.to_v4() {
            Some(v4) => is_host(v4) && self.interface.is_neighbour(v4),
            None => link6::is_host(address) && self.link6.is_neighbour(address),
        };
        if !near || self.is_own(address) {
            return Err(Errno::ENETUNREACH);
        }
        let host = self.neighbours.fix(address, mac, self.now);
        self.send_held(host.ok_or(Errno::ENOBUFS)?, tx);
        Ok(())
    }

    /// Forgets a neighbour. Who waits for it is told that it does not answer.
    ///
    /// # Errors
    /// `ENOENT` if it is not known.
    pub(crate) fn remove_neighbour(&mut self, address: Address) -> Result<(), Errno> {
        let host = self.neighbours.find(address).ok_or(Errno::ENOENT)?;
        self.give_up(host);
        if host == GATEWAY {
            self.gateway.start(self.now);
        }
        Ok(())
    }

    /// Drops what has come while the interface is shut down. Returns what is left of the budget.
    #[cold]
    pub(crate) fn discard<R: RxQueue>(&self, mut budget: usize, rx: &mut R) -> usize {
        while budget > 0 && rx.front().is_some() {
            rx.pop();
            self.stats.inc(Counter::DropsInterfaceDown);
            budget -= 1;
        }
        budget
    }

    /// Shuts the interface down, or starts it. Addresses and routes of IPv4 are kept, those of IPv6
    /// are tried anew, as on Linux. What DHCP has given is given back, and asked for.
    pub(crate) fn set_up<T: TxQueue>(&mut self, up: bool, tx: &mut T) {
        if self.interface.up == up {
            return;
        }
        if !up {
            self.stop_dhcp(tx);
        }
        self.interface.up = up;
        self.interface.link_changed();
        if up {
            self.link6.enabled = self.autoconf.wanted;
            self.routes_changed();
            self.begin_link();
            return;
        }
        // Addresses of IPv6 go, for which sockets may go on to ask.
        self.interface.lost |= self.link6.enabled;
        self.link6.enabled = false;
        self.link6.clear();
        self.autoconf.stop();
        self.routes_changed();
        while let Some(host) = self.neighbours.asking() {
            self.give_up(host);
        }
    }
}
