// SPDX-License-Identifier: BSD-2-Clause
//! The wiring table of each PD, and the configuration.

use net_config::{BuildError, ClientSpec};
use wiring::{ChannelSpec, MemorySpec, PeerSpec, TableSpec};

use crate::declaration::Declaration;
use crate::plan::{End, Plan};
use crate::schema::Service;

/// The wiring table of a PD.
pub fn table(declaration: &Declaration<'_>, plan: &Plan, index: usize) -> TableSpec {
    let name = |pd: usize| declaration.pds[pd].name.to_string();
    let pd = &plan.pds[index];
    let memory = pd.maps.iter().map(|map| {
        let region = &plan.regions[map.region];
        MemorySpec {
            role: map.role.clone(),
            peer: map.peer.map(name),
            address: map.vaddr,
            size: region.size,
            is_writable: map.writable,
            is_device: region.device.is_some(),
        }
    });
    let interrupts = pd.irqs.iter().map(|irq| ChannelSpec {
        role: irq.device.clone(),
        id: irq.id,
        ..ChannelSpec::default()
    });
    let channel = |role: &str, own: End, other: End| ChannelSpec {
        role: role.to_string(),
        peer: Some(name(other.pd)),
        id: own.id,
        may_notify: own.notifies,
        may_call: own.calls,
        is_called: other.calls,
    };
    let channels = plan.channels.iter().filter_map(|planned| {
        let [first, second] = planned.ends;
        if first.pd == index {
            Some(channel(&planned.role, first, second))
        } else {
            (second.pd == index).then(|| channel(&planned.role, second, first))
        }
    });
    let memory: Vec<MemorySpec> = memory.collect();
    let channels: Vec<ChannelSpec> = interrupts.chain(channels).collect();
    let is_known = |other: &str| {
        memory
            .iter()
            .any(|memory| memory.peer.as_deref() == Some(other))
            || channels
                .iter()
                .any(|channel| channel.peer.as_deref() == Some(other))
    };
    let others = (0..declaration.pds.len())
        .filter(|&other| other != index && is_known(declaration.pds[other].name));
    let peers = std::iter::once(index)
        .chain(others)
        .map(|other| peer(declaration, plan, index, other))
        .collect();
    TableSpec {
        peers,
        memory,
        channels,
    }
}

fn peer(declaration: &Declaration<'_>, plan: &Plan, owner: usize, index: usize) -> PeerSpec {
    let pd = &declaration.pds[index];
    PeerSpec {
        name: pd.name.to_string(),
        about: pd.about.to_string(),
        number: plan.pds[index].number,
        priority: pd.priority,
        stack: pd.stack,
        is_child: plan.parent == Some(owner) && index != owner,
        is_client: pd.limits.is_some(),
    }
}

/// The configuration of the network: clients in the order of the declaration.
///
/// # Errors
/// See [`BuildError`].
pub fn configuration(declaration: &Declaration<'_>) -> Result<Vec<u8>, BuildError> {
    let server = declaration.server_of(Service::Sockets);
    let clients: Vec<ClientSpec<'_>> = server
        .into_iter()
        .flat_map(|server| declaration.users_of(server))
        .filter_map(|client| {
            let pd = &declaration.pds[client];
            let limits = pd.limits.as_ref()?;
            Some(ClientSpec {
                name: pd.name,
                stream_sockets: limits.stream_sockets,
                datagram_sockets: limits.datagram_sockets,
                tcp_listen: &limits.tcp_listen,
                udp_bind: &limits.udp_bind,
                tcp_connect: &limits.tcp_connect,
            })
        })
        .collect();
    net_config::encode(&declaration.interface, &declaration.buffers, &clients)
}
