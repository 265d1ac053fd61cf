# SPDX-License-Identifier: MIT
"""A driver that can everything and does nothing."""

import json
import sys

CAPABILITIES = (
    "websocket longpoll vsn1 vsn2 binary presence token params_each token_each join_params_each heartbeat_ms timeout_ms "
    "push_timeout_ms reconnect_ms rejoin_ms longpoll_timeout_ms fallback_ms disconnect_code listeners "
    "replace_transport ping page"
)


def say(event, **members):
    print(json.dumps({"event": event, **members}), flush=True)


say("hello", protocol=1, name="silent", version="0", capabilities=CAPABILITIES.split())
for line in sys.stdin:
    command = json.loads(line)["do"]
    if command in ("reset", "sync"):
        say({"reset": "reset", "sync": "synced"}[command])
