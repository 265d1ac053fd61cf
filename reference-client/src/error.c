/* SPDX-License-Identifier: MIT */
#include "phxspec/client.h"

const char *phxc_strerror(int error)
{
    switch (error) {
    case PHXC_ENOTJOINED:
        return "the channel was not told to join yet";
    case PHXC_EJOINED:
        return "the channel was told to join already; it rejoins by itself";
    case PHXC_ECLOSED:
        return "the channel is closed; make a new one";
    case PHXC_EOFFLINE:
        return "the socket is not open";
    default:
        return phx_strerror(error);
    }
}
