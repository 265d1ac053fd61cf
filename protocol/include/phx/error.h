/* SPDX-License-Identifier: MIT */
#ifndef PHX_ERROR_H
#define PHX_ERROR_H

#pragma GCC visibility push(default)

/* Every function of the library that can fail returns 0 or one of these. */
typedef enum phx_error {
    PHX_OK = 0,
    PHX_ENOMEM = -1,     /* memory ran out */
    PHX_EJSON = -2,      /* not JSON text (RFC 8259), or not UTF-8 */
    PHX_ESHAPE = -3,     /* JSON, but not a message: too few elements, a missing key, the wrong container */
    PHX_EKIND = -4,      /* a binary message of a kind that has no business here (BIN-07) */
    PHX_ETRUNCATED = -5, /* a binary message shorter than its own lengths say, or empty (BIN-07) */
    PHX_ETOOLONG = -6,   /* a header string of more than 255 bytes (BIN-09) */
    PHX_ENOTOBJECT = -7, /* a 2.0.0 push or broadcast whose payload is not an object (MSG-05) */
    PHX_EV1BINARY = -8,  /* a binary payload has no form in 1.0.0 (V1-08) */
    PHX_EBASE64 = -9,    /* not padded standard base64 */
    PHX_EUTF8 = -10,     /* a string that is not UTF-8 has no place in a text message */
} phx_error_t;

/* What an error means, for people. Never NULL. */
const char *phx_strerror(int error);

#pragma GCC visibility pop

#endif
