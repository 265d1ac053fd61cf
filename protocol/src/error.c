/* SPDX-License-Identifier: MIT */
#include "phx/error.h"

const char *phx_strerror(int error)
{
    switch ((phx_error_t)error) {
    case PHX_OK:
        return "no error";
    case PHX_ENOMEM:
        return "memory ran out";
    case PHX_EJSON:
        return "the text is not JSON (RFC 8259) in UTF-8";
    case PHX_ESHAPE:
        return "the JSON is not a message: 2.0.0 wants an array of five elements, 1.0.0 an object with the "
               "keys "
               "topic, event, payload and ref";
    case PHX_EKIND:
        return "a binary message of this kind (its first byte) is not allowed in this direction";
    case PHX_ETRUNCATED:
        return "the binary message is shorter than its header says";
    case PHX_ETOOLONG:
        return "a join_ref, ref, topic, event or status of more than 255 bytes does not fit a binary message";
    case PHX_ENOTOBJECT:
        return "the payload of a push or broadcast must be a JSON object in 2.0.0";
    case PHX_EV1BINARY:
        return "1.0.0 has no form for a binary payload";
    case PHX_EBASE64:
        return "the text is not standard base64 (RFC 4648, section 4), or its padding is missing or wrong";
    case PHX_EUTF8:
        return "a string that is not UTF-8 cannot stand in a text message";
    }
    return "unknown error";
}
