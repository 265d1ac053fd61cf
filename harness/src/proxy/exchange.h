/* SPDX-License-Identifier: MIT */
/* HTTP through the proxy: handshakes, and the exchanges of long-poll with the messages inside. */
#ifndef PROXY_EXCHANGE_H
#define PROXY_EXCHANGE_H

#include "proxy/fault.h"
#include "proxy/split.h"

/* What is known of a request when its answer comes. */
typedef struct passage {
    bool upgrade;
    char *method, *path, *conversation; /* owned */
    vsn_t vsn;
} passage_t;
void passage_free(passage_t *passage);

/* How a request or response goes on. */
typedef struct relayed {
    text_t bytes;
    double delay_ms;
    bool drop, cut;
} relayed_t;

/* The request, faults applied; `raw` are its bytes as they came. */
relayed_t relay_request(faults_t *faults, const raw_request_t *request, span_t raw, passage_t *passage);

/* The answer to it, likewise. */
relayed_t relay_response(faults_t *faults, const http_response_t *response, span_t raw,
                         const passage_t *passage);

#endif
