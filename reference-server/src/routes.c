/* SPDX-License-Identifier: MIT */
#include "routes.h"

#include <string.h>

const phxs_route_t *route_for(const phxs_socket_handler_t *handler, phx_slice_t topic)
{
    for (size_t i = 0; i < handler->route_count; i++) {
        phx_slice_t pattern = phx_slice_of(handler->routes[i].pattern);
        bool wildcard = pattern.len > 0 && pattern.data[pattern.len - 1] == '*';
        if (wildcard) { /* JOIN-17 */
            pattern.len--;
            if (topic.len >= pattern.len && memcmp(topic.data, pattern.data, pattern.len) == 0) {
                return &handler->routes[i];
            }
        } else if (phx_slice_equal(topic, pattern)) {
            return &handler->routes[i];
        }
    }
    return NULL;
}
