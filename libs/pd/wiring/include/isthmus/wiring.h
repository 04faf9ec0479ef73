/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The wiring table of a protection domain, for programs in C. src/lib.rs of this crate has the
 * layout. A program declares `uintptr_t wiring_vaddr;`: Microkit's tool puts the table's address
 * there.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ISTHMUS_NOBODY 0xffffffffu

enum { ISTHMUS_PEER_CHILD = 1, ISTHMUS_PEER_CLIENT = 2 };
enum { ISTHMUS_MEMORY_READ = 1, ISTHMUS_MEMORY_WRITE = 2, ISTHMUS_MEMORY_DEVICE = 4 };
enum {
    ISTHMUS_CHANNEL_NOTIFY = 1,
    ISTHMUS_CHANNEL_CALL = 2,
    ISTHMUS_CHANNEL_CALLED = 4,
    ISTHMUS_CHANNEL_INTERRUPT = 8
};

struct isthmus_wiring {
    char magic[8];
    uint32_t size;
    uint16_t peers, memory, channels, clients, networks;
    uint8_t reserved[10];
};

struct isthmus_peer {
    char name[32];
    char about[64];
    uint32_t number, priority;
    uint64_t stack;
    uint32_t flags, reserved[3];
};

struct isthmus_memory {
    char role[32];
    uint64_t address, size;
    uint32_t peer, rights;
    uint64_t reserved;
};

struct isthmus_channel {
    char role[32];
    uint32_t id, peer, flags, reserved;
};

enum {
    ISTHMUS_ADMINISTRATION = 1,
    ISTHMUS_SEES_SOCKETS = 2,
    ISTHMUS_ICMP = 4,
    ISTHMUS_MULTICAST = 8
};

/* `first` is 0 behind the last entry of a list. */
struct isthmus_ports {
    uint16_t first, last;
};

struct isthmus_destination {
    uint8_t network[16]; /* of IPv4 mapped: ::ffff:10.0.0.0, and 96 bits more */
    struct isthmus_ports ports;
    uint32_t prefix_len;
};

struct isthmus_client {
    uint32_t peer;
    uint16_t stream_sockets, datagram_sockets;
    uint32_t stream_memory, datagram_memory, capture;
    struct isthmus_ports tcp_listen[8], udp_bind[8];
    struct isthmus_destination tcp_connect[8], udp_send[8];
    uint32_t packets_per_second, bytes_per_second[2]; /* the low half first; 0 if without limit */
    uint32_t rights; /* ISTHMUS_ADMINISTRATION and others */
};

struct isthmus_network {
    char hostname[32];
    uint8_t address[4], gateway[4];
    uint32_t prefix_len, stream_receive, stream_send, datagram_receive, datagram_send;
    uint8_t dns[3][4]; /* zeros behind the last one */
    char domain[64];
    uint8_t address6[16], gateway6[16]; /* zeros if there is none */
    uint32_t prefix_len6, autoconf;
    uint32_t origin; /* of the address: 0 declared; 1 DHCP; until then 2 declared, 3 link-local */
};

/* The table at an address, or NULL if there is none of this version. */
static inline const struct isthmus_wiring *isthmus_wiring(uintptr_t address)
{
    const struct isthmus_wiring *table = (const struct isthmus_wiring *)address;
    return table && memcmp(table->magic, "ISTHWIR\7", 8) == 0 ? table : NULL;
}

static inline const struct isthmus_peer *isthmus_peers(const struct isthmus_wiring *table)
{
    return (const struct isthmus_peer *)(table + 1);
}

static inline const struct isthmus_memory *isthmus_memories(const struct isthmus_wiring *table)
{
    return (const struct isthmus_memory *)(isthmus_peers(table) + table->peers);
}

static inline const struct isthmus_channel *isthmus_channels(const struct isthmus_wiring *table)
{
    return (const struct isthmus_channel *)(isthmus_memories(table) + table->memory);
}

static inline const struct isthmus_client *isthmus_clients(const struct isthmus_wiring *table)
{
    return (const struct isthmus_client *)(isthmus_channels(table) + table->channels);
}

/* What the declaration says about the network, or NULL if it tells this PD nothing. */
static inline const struct isthmus_network *isthmus_network(const struct isthmus_wiring *table)
{
    return table->networks ? (const void *)(isthmus_clients(table) + table->clients) : NULL;
}

static inline int isthmus_is_named(const char name[32], const char *wanted)
{
    return strncmp(name, wanted, 32) == 0;
}

static inline int isthmus_is_peer(const struct isthmus_wiring *table, uint32_t index,
                                  const char *wanted)
{
    return !wanted || (index < table->peers
                       && isthmus_is_named(isthmus_peers(table)[index].name, wanted));
}

/* Memory of a role; with a peer of that name, or with anybody if `peer` is NULL. NULL: none. */
static inline const struct isthmus_memory *isthmus_memory(const struct isthmus_wiring *table,
                                                          const char *role, const char *peer)
{
    for (uint16_t i = 0; i < table->memory; i++) {
        const struct isthmus_memory *memory = &isthmus_memories(table)[i];
        if (isthmus_is_named(memory->role, role) && isthmus_is_peer(table, memory->peer, peer)) {
            return memory;
        }
    }
    return NULL;
}

/* The channel of a role; to a peer of that name, or to anybody if `peer` is NULL. NULL: none. */
static inline const struct isthmus_channel *isthmus_channel(const struct isthmus_wiring *table,
                                                            const char *role, const char *peer)
{
    for (uint16_t i = 0; i < table->channels; i++) {
        const struct isthmus_channel *channel = &isthmus_channels(table)[i];
        if (isthmus_is_named(channel->role, role) && isthmus_is_peer(table, channel->peer, peer)) {
            return channel;
        }
    }
    return NULL;
}
