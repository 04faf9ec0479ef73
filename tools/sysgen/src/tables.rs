// SPDX-License-Identifier: BSD-2-Clause
//! The wiring table of each PD.

use std::collections::BTreeSet;

use wiring::{
    ADMINISTRATION, Channel, DECLARED, DHCP, DHCP_OR_DECLARED, DHCP_OR_LINK_LOCAL, ICMP, Limits,
    MAX_NAME_SERVERS, MULTICAST, Memory, Network, Peer, SEES_SOCKETS, Table, Text,
};

use crate::declaration::{At, Declaration, Pd, Service};
use crate::forms::{Fallback, Ports, Target};
use crate::plan::{Content, Plan};

/// Returns the wiring table of a PD.
pub fn table<'a>(plan: &'a Plan<'_>, index: usize) -> Table<'a> {
    let declaration = plan.declaration;
    let pd = &plan.pds[index];
    let peer = |other: usize| {
        let declared = &declaration.pds[other];
        Peer {
            name: &declared.name,
            about: &declared.about,
            number: plan.pds[other].number,
            priority: *declared.priority as u8,
            stack: *declared.stack as usize,
            is_child: plan.parent == Some(index) && other != index,
            is_client: declaration.uses(declared, Service::Sockets),
        }
    };
    let memory = pd.maps.iter().enumerate().map(|(index, map)| {
        let region = &plan.regions[map.region];
        Memory {
            index,
            role: map.role,
            peer: map.peer.map(peer),
            address: map.vaddr as usize,
            size: region.size as usize,
            is_writable: map.writable,
            is_device: matches!(region.content, Content::Device(_)),
        }
    });
    let interrupts = pd.irqs.iter().map(|irq| Channel {
        role: irq.device,
        id: irq.id,
        ..Channel::default()
    });
    let ends = plan.channels.iter().flat_map(|channel| {
        let [first, second] = channel.ends;
        [(channel.role, first, second), (channel.role, second, first)]
    });
    let ends: Vec<_> = ends.filter(|(_, own, _)| own.pd == index).collect();
    let channels = ends.iter().map(|(role, own, other)| Channel {
        role,
        peer: Some(peer(other.pd)),
        id: own.id,
        may_notify: own.notifies,
        may_call: own.calls,
        is_called: other.calls,
    });
    let mut others: BTreeSet<usize> = pd.maps.iter().filter_map(|map| map.peer).collect();
    others.extend(ends.iter().map(|(_, _, other)| other.pd));
    let is_server = declaration.server_of(Service::Sockets) == Some(index);
    let clients = declaration
        .clients()
        .filter(|&client| is_server || client == index);
    let clients: Vec<_> = clients.map(|client| &declaration.pds[client]).collect();
    Table {
        peers: std::iter::once(index).chain(others).map(peer).collect(),
        memory: memory.collect(),
        channels: interrupts.chain(channels).collect(),
        network: (is_server || !clients.is_empty()).then(|| network(declaration)),
        clients: clients
            .iter()
            .map(|pd| (pd.name.as_str(), limits(declaration, pd)))
            .collect(),
    }
}

fn network(declaration: &Declaration) -> Network {
    let interface = &declaration.interface;
    let mut dns = [[0; 4]; MAX_NAME_SERVERS];
    for (place, server) in dns.iter_mut().zip(&interface.dns) {
        *place = server.0.octets();
    }
    let declared = interface.declared().map(|(prefix, _)| prefix);
    let gateway = interface.gateway.as_ref().map(|at| at.0.octets());
    let origin = match (interface.asks_dhcp(), interface.fallback.as_deref()) {
        (false, _) => DECLARED,
        (true, None) => DHCP,
        (true, Some(Fallback::Declared(_))) => DHCP_OR_DECLARED,
        (true, Some(Fallback::LinkLocal)) => DHCP_OR_LINK_LOCAL,
    };
    Network {
        hostname: Text::new(&interface.hostname).expect("its length has been checked"),
        address: declared.map_or([0; 4], |prefix| prefix.0.octets()),
        gateway: gateway.unwrap_or_default(),
        prefix_len: declared.map_or(0, |prefix| u32::from(prefix.1)).into(),
        origin: origin.into(),
        buffers: wiring::Buffers::from(&declaration.buffers),
        dns,
        domain: Text::new(&interface.domain).expect("its length has been checked"),
        address6: interface
            .address6
            .as_ref()
            .map_or([0; 16], |at| at.0.octets()),
        gateway6: interface
            .gateway6
            .as_ref()
            .map_or([0; 16], |at| at.0.octets()),
        prefix_len6: interface
            .address6
            .as_ref()
            .map_or(0, |at| u32::from(at.1))
            .into(),
        autoconf: u32::from(interface.autoconf).into(),
    }
}

fn limits(declaration: &Declaration, pd: &Pd) -> Limits {
    let ranges = |list: &[At<Ports>]| list.iter().map(|ports| ports.0).collect::<Vec<_>>();
    let targets = |list: &[At<Target>]| list.iter().map(|target| target.0).collect::<Vec<_>>();
    let mut limits = Limits::new(
        declaration.quota(pd),
        &ranges(&pd.tcp_listen),
        &ranges(&pd.udp_bind),
        &targets(&pd.tcp_connect),
        &targets(&pd.udp_send),
    )
    .expect("the lengths of lists have been checked");
    if let Some(rate) = &pd.packets_per_second {
        limits.packets_per_second = rate.get().into();
    }
    if let Some(rate) = &pd.bytes_per_second {
        limits.bytes_per_second = rate.get().into();
    }
    let rights = [
        (pd.administration, ADMINISTRATION),
        (pd.reads_counters, SEES_SOCKETS),
        (pd.icmp, ICMP),
        (pd.multicast, MULTICAST),
    ];
    let rights = rights.iter().filter(|(has, _)| *has);
    limits.with(rights.map(|(_, right)| right).sum())
}
