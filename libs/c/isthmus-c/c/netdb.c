/* SPDX-License-Identifier: BSD-2-Clause
 *
 * netdb.h and the older half of arpa/inet.h. Who finds addresses is in src/names.rs.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Addresses of one name, eight of each family; see the crate resolver. */
#define MOST 16
#define NAME 256
#define FLAGS (AI_PASSIVE | AI_CANONNAME | AI_NUMERICHOST | AI_V4MAPPED | AI_ALL | AI_ADDRCONFIG | AI_NUMERICSERV)

/* An address of either family; the port has the same place in both. */
union address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

int isthmus_addresses(const char *host, int family, int flags, union address *found, size_t capacity, char *name,
    size_t name_length);
int isthmus_name(const struct sockaddr *address, socklen_t length, char *name, size_t room);
int isthmus_port(const char *service);
bool isthmus_service(uint16_t port, char *name, size_t length);

int h_errno;

/* An entry of a list, in one piece of memory. */
struct entry {
    struct addrinfo info;
    union address address;
    char name[];
};

static struct addrinfo *entry(const union address *address, uint16_t port, int type, const char *name)
{
    size_t length = name == NULL ? 0 : strlen(name) + 1;
    struct entry *entry = calloc(1, sizeof *entry + length);

    if (entry == NULL) {
        return NULL;
    }
    entry->address = *address;
    entry->address.in.sin_port = htons(port);
    entry->info = (struct addrinfo) {
        .ai_family = address->any.sa_family,
        .ai_socktype = type,
        .ai_protocol = type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP,
        .ai_addrlen = address->any.sa_family == AF_INET ? sizeof entry->address.in : sizeof entry->address.in6,
        .ai_addr = (struct sockaddr *) &entry->address,
    };
    if (name != NULL) {
        entry->info.ai_canonname = memcpy(entry->name, name, length);
    }
    return &entry->info;
}

void freeaddrinfo(struct addrinfo *list)
{
    while (list != NULL) {
        struct addrinfo *next = list->ai_next;

        free(list);
        list = next;
    }
}

static int port_of(const char *service, int flags)
{
    if (service == NULL) {
        return 0;
    }
    if ((flags & AI_NUMERICSERV) != 0 && service[strspn(service, "0123456789")] != '\0') {
        return -1;
    }
    return isthmus_port(service);
}

/* Whether an address means something on one link only, so that it has a scope. */
static bool is_local(const struct in6_addr *address)
{
    return (address->s6_addr[0] == 0xfe && (address->s6_addr[1] & 0xc0) == 0x80)
        || (address->s6_addr[0] == 0xff && (address->s6_addr[1] & 0x0f) <= 2);
}

/* Takes "%eth0" or "%1" from the end of a host, which is then in `cut`. 0 without one, -1 if there is no such interface. */
static int scope_of(const char **host, char *cut)
{
    const char *percent = *host == NULL ? NULL : strchr(*host, '%');
    size_t length = percent == NULL ? 0 : (size_t) (percent - *host);
    int scope;

    if (percent == NULL) {
        return 0;
    }
    if (length >= INET6_ADDRSTRLEN || percent[1] == '\0') {
        return -1;
    }
    memcpy(cut, *host, length);
    cut[length] = '\0';
    *host = cut;
    scope = percent[1 + strspn(percent + 1, "0123456789")] == '\0' ? atoi(percent + 1) : (int) if_nametoindex(percent + 1);
    return scope > 0 ? scope : -1;
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
    static const struct addrinfo none;
    union address found[MOST];
    char name[NAME] = "", cut[INET6_ADDRSTRLEN];
    struct addrinfo *first = NULL, **end = &first;
    int count, port, scope;

    hints = hints == NULL ? &none : hints;
    if (host == NULL && service == NULL) {
        return EAI_NONAME;
    }
    if ((hints->ai_flags & ~FLAGS) != 0 || ((hints->ai_flags & AI_CANONNAME) != 0 && host == NULL)) {
        return EAI_BADFLAGS;
    }
    if (hints->ai_family != AF_UNSPEC && hints->ai_family != AF_INET && hints->ai_family != AF_INET6) {
        return EAI_FAMILY;
    }
    if (hints->ai_socktype != 0 && hints->ai_socktype != SOCK_STREAM && hints->ai_socktype != SOCK_DGRAM) {
        return EAI_SOCKTYPE;
    }
    port = port_of(service, hints->ai_flags);
    if (port < 0) {
        return (hints->ai_flags & AI_NUMERICSERV) != 0 ? EAI_NONAME : EAI_SERVICE;
    }
    scope = scope_of(&host, cut);
    /* Only the text of an address has a scope. */
    count = scope < 0 ? EAI_NONAME : isthmus_addresses(host, hints->ai_family,
        hints->ai_flags | (scope != 0 ? AI_NUMERICHOST : 0), found, MOST, name, sizeof name);
    if (count < 0) {
        return count;
    }
    if (scope != 0) {
        if (found[0].any.sa_family != AF_INET6 || !is_local(&found[0].in6.sin6_addr)) {
            return EAI_NONAME;
        }
        found[0].in6.sin6_scope_id = scope;
    }
    for (int i = 0; i < count; i++) {
        for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
            int protocol = type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
            const char *canonical = first == NULL && (hints->ai_flags & AI_CANONNAME) != 0 ? name : NULL;

            if ((hints->ai_socktype != 0 && hints->ai_socktype != type)
                || (hints->ai_protocol != 0 && hints->ai_protocol != protocol)) {
                continue;
            }
            *end = entry(&found[i], (uint16_t) port, type, canonical);
            if (*end == NULL) {
                freeaddrinfo(first);
                return EAI_MEMORY;
            }
            end = &(*end)->ai_next;
        }
    }
    *list = first;
    return first == NULL ? EAI_SOCKTYPE : 0;
}

/* The text of an address, with its scope if it has one. */
static void text_of(const union address *address, char *text, size_t length)
{
    char interface[IF_NAMESIZE];
    size_t end;

    if (address->any.sa_family == AF_INET) {
        inet_ntop(AF_INET, &address->in.sin_addr, text, length);
        return;
    }
    inet_ntop(AF_INET6, &address->in6.sin6_addr, text, length);
    end = strlen(text);
    if (address->in6.sin6_scope_id == 0) {
        return;
    }
    if (is_local(&address->in6.sin6_addr) && if_indextoname(address->in6.sin6_scope_id, interface) != NULL) {
        snprintf(text + end, length - end, "%%%s", interface);
    } else {
        snprintf(text + end, length - end, "%%%u", (unsigned) address->in6.sin6_scope_id);
    }
}

int getnameinfo(const struct sockaddr *given, socklen_t length, char *host, socklen_t host_length, char *service,
    socklen_t service_length, int flags)
{
    union address address = { .any.sa_family = AF_UNSPEC };
    char name[NAME];
    uint16_t port;

    memcpy(&address, given, length < sizeof address ? length : sizeof address);
    if (!(address.any.sa_family == AF_INET && length >= sizeof address.in)
        && !(address.any.sa_family == AF_INET6 && length >= sizeof address.in6)) {
        return EAI_FAMILY;
    }
    if (host != NULL && host_length > 0) {
        int missing = (flags & NI_NUMERICHOST) != 0 ? EAI_NONAME : isthmus_name(given, length, name, sizeof name);

        if (missing != 0) {
            if ((flags & NI_NAMEREQD) != 0) {
                return missing;
            }
            text_of(&address, name, sizeof name);
        }
        if (snprintf(host, host_length, "%s", name) >= (int) host_length) {
            return EAI_OVERFLOW;
        }
    }
    port = ntohs(address.in.sin_port);
    if (service != NULL && service_length > 0) {
        if ((flags & NI_NUMERICSERV) != 0 || !isthmus_service(port, name, sizeof name)) {
            snprintf(name, sizeof name, "%u", port);
        }
        if (snprintf(service, service_length, "%s", name) >= (int) service_length) {
            return EAI_OVERFLOW;
        }
    }
    return 0;
}

const char *gai_strerror(int error)
{
    switch (error) {
    case 0: return "no error";
    case EAI_BADFLAGS: return "a flag is not known";
    case EAI_NONAME: return "no such name";
    case EAI_AGAIN: return "no answer for the moment";
    case EAI_FAIL: return "the name server has failed";
    case EAI_NODATA: return "the name has no address";
    case EAI_FAMILY: return "no such family of addresses";
    case EAI_SOCKTYPE: return "no such type of socket";
    case EAI_SERVICE: return "no such service";
    case EAI_ADDRFAMILY: return "the name has no address of that family";
    case EAI_MEMORY: return "no memory left";
    case EAI_SYSTEM: return "errno says it";
    case EAI_OVERFLOW: return "the buffer is too small";
    default: return "unknown error";
    }
}

const char *hstrerror(int error)
{
    return gai_strerror(error == HOST_NOT_FOUND ? EAI_NONAME : error == TRY_AGAIN ? EAI_AGAIN : EAI_FAIL);
}

struct hostent *gethostbyname(const char *host)
{
    static union address found[MOST];
    static char name[NAME];
    static char *addresses[MOST + 1], *none[] = { NULL };
    static struct hostent entry;
    int count = isthmus_addresses(host, AF_INET, 0, found, MOST, name, sizeof name);

    if (count < 0) {
        h_errno = count == EAI_AGAIN ? TRY_AGAIN : count == EAI_NONAME || count == EAI_NODATA ? HOST_NOT_FOUND : NO_RECOVERY;
        return NULL;
    }
    for (int i = 0; i < count; i++) {
        addresses[i] = (char *) &found[i].in.sin_addr;
    }
    addresses[count] = NULL;
    entry = (struct hostent) {
        .h_name = name,
        .h_aliases = none,
        .h_addrtype = AF_INET,
        .h_length = sizeof found[0].in.sin_addr,
        .h_addr_list = addresses,
    };
    return &entry;
}

struct servent *getservbyname(const char *name, const char *protocol)
{
    static char *none[] = { NULL };
    static struct servent entry;
    int port = name[strspn(name, "0123456789")] == '\0' ? -1 : isthmus_port(name);

    if (port < 0) {
        return NULL;
    }
    entry = (struct servent) {
        .s_name = (char *) name,
        .s_aliases = none,
        .s_port = htons((uint16_t) port),
        .s_proto = (char *) (protocol == NULL ? "tcp" : protocol),
    };
    return &entry;
}

struct servent *getservbyport(int port, const char *protocol)
{
    static char name[NAME];

    return isthmus_service(ntohs((uint16_t) port), name, sizeof name) ? getservbyname(name, protocol) : NULL;
}

int inet_aton(const char *text, struct in_addr *address)
{
    return inet_pton(AF_INET, text, address) == 1;
}

in_addr_t inet_addr(const char *text)
{
    struct in_addr address;

    return inet_aton(text, &address) ? address.s_addr : INADDR_NONE;
}

char *inet_ntoa(struct in_addr address)
{
    static char text[INET_ADDRSTRLEN];

    return (char *) inet_ntop(AF_INET, &address, text, sizeof text);
}

/* The interfaces of the server: 1 is the device, 2 loopback (docs/socket-protocol.md, query). */
unsigned if_nametoindex(const char *name)
{
    return strcmp(name, "eth0") == 0 ? 1 : strcmp(name, "lo") == 0 ? 2 : 0;
}

char *if_indextoname(unsigned index, char *name)
{
    if (index != 1 && index != 2) {
        errno = ENXIO;
        return NULL;
    }
    return strcpy(name, index == 1 ? "eth0" : "lo");
}

const struct in6_addr in6addr_any = IN6ADDR_ANY_INIT;
const struct in6_addr in6addr_loopback = IN6ADDR_LOOPBACK_INIT;
