/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads a table from a file and prints what tests/tables.rs expects. */
#include <stdio.h>

#include "isthmus/wiring.h"

int main(int argc, char **argv)
{
    static _Alignas(8) char bytes[1 << 16];
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (!file || fread(bytes, 1, sizeof bytes, file) == 0) {
        return 1;
    }
    const struct isthmus_wiring *table = isthmus_wiring((uintptr_t)bytes);
    if (!table) {
        return 2;
    }
    printf("%.32s\n", isthmus_peers(table)[0].name);
    const struct isthmus_memory *first = isthmus_memory(table, "window", NULL);
    printf("%#llx %s %.32s\n", (unsigned long long)first->address,
           first->rights & ISTHMUS_MEMORY_WRITE ? "rw" : "r",
           isthmus_peers(table)[first->peer].name);
    const struct isthmus_memory *second =
        isthmus_memory(table, "window", "a_client_with_a_name_of_32_bytes");
    printf("%#llx %s\n", (unsigned long long)second->address,
           second->rights & ISTHMUS_MEMORY_WRITE ? "rw" : "r");
    const struct isthmus_channel *irq = isthmus_channel(table, "virtio_net", NULL);
    printf("%u %s\n", irq->id, irq->flags & ISTHMUS_CHANNEL_INTERRUPT ? "interrupt" : "channel");
    const struct isthmus_channel *sockets = isthmus_channel(table, "sockets", NULL);
    printf("%u %s\n", sockets->id, sockets->flags & ISTHMUS_CHANNEL_CALLED ? "called" : "?");
    printf("%s\n", isthmus_channel(table, "sockets", "echo_server") ? "some" : "none");
    const struct isthmus_client *client = isthmus_clients(table);
    printf("%u %.32s %u-%u\n", table->clients, isthmus_peers(table)[client->peer].name,
           client->tcp_listen[1].first, client->tcp_listen[1].last);
    printf("%u %u\n", client->tcp_connect[0].ports.first, client->tcp_connect[0].prefix_len);
    const struct isthmus_network *network = isthmus_network(table);
    printf("%.32s %u %u\n", network->hostname, network->gateway[3], network->datagram_send);
    printf("%u %u %.64s\n", network->dns[1][3], network->dns[2][3], network->domain);
    printf("%u %u %u\n", network->address6[15], network->prefix_len6, network->autoconf);
    return 0;
}
