/* SPDX-License-Identifier: MIT */
#include "client_suite/detour.h"

#include "base/memory.h"
#include "proxy/proxy.h"

#include <netinet/in.h>
#include <stdlib.h>

struct detour {
    faults_t *faults;
    proxy_t *proxy;
};

detour_t *detour_open(uv_loop_t *loop, int port, json_t *faults, text_t *error)
{
    detour_t *detour = mem_new(1, sizeof *detour);
    address_t server = {0};
    uv_ip4_addr("127.0.0.1", port, (struct sockaddr_in *)&server.storage);
    detour->faults = faults_new(faults);
    detour->proxy = proxy_start(loop, 0, &server, detour->faults, error);
    if (!detour->proxy) {
        detour_close(detour);
        return NULL;
    }
    return detour;
}

int detour_port(const detour_t *detour)
{
    return proxy_port(detour->proxy);
}

size_t detour_altered(const detour_t *detour)
{
    return faults_hits(detour->faults);
}

void detour_close(detour_t *detour)
{
    if (!detour) {
        return;
    }
    if (detour->proxy) {
        proxy_free(detour->proxy);
    }
    faults_free(detour->faults);
    free(detour);
}
