# SPDX-License-Identifier: MIT
"""What the tests of whole programs are made of: the programs, and peers for them to talk to.

It shares no code with them: its WebSocket, HTTP and channel messages are its own, on plain sockets.
Every wait ends by what it waits for, or by its deadline.
"""
