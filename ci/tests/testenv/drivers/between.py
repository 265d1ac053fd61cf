# SPDX-License-Identifier: MIT
"""A driver that passes all lines on to another one, and does one thing wrong, mostly when it is told to ping.

    between.py log FILE | MISDEED -- DRIVER...
"""

import itertools
import json
import os
import subprocess
import sys
import threading
import time

from mutator import MUTANTS, Mutator


def note(file, direction, line):
    file.write(json.dumps([direction, json.loads(line)]) + "\n")
    file.flush()


def write_forever(file, data):
    for _ in itertools.count():
        os.write(file, data)


MISDEEDS = {
    "hang": lambda: time.sleep(3600),
    "babble": lambda: os.write(1, b"this is no event\n"),
    "bytes": lambda: os.write(1, b'{"event":"\xff\xfe\x00"}\n'),
    "flood": lambda: write_forever(1, b'{"event":"open"}\n' * 1000),
    "flood-stderr": lambda: write_forever(2, b"between: and on it goes\n" * 1000),
    "endless-line": lambda: [os.write(1, b"x" * 1_000_000) for _ in range(100)] and time.sleep(3600),
    "close-stdout": lambda: os.close(1) or time.sleep(3600),
}


def main(arguments):
    split = arguments.index("--")
    misdeed, *operands = arguments[:split]
    log = open(operands[0], "a", encoding="utf-8") if misdeed == "log" else None
    inner = subprocess.Popen(arguments[split + 1 :], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def answers():
        for line in inner.stdout:
            if log:
                note(log, "event", line)
            if misdeed == "forget" and '"event":"message"' in line:
                continue
            if misdeed == "halves":  # no misdeed: what is no whole line yet is waited for
                for part in (line[: len(line) // 2], line[len(line) // 2 :]):
                    sys.stdout.write(part)
                    sys.stdout.flush()
                    time.sleep(0.01)
                continue
            sys.stdout.write(line)
            sys.stdout.flush()

    threading.Thread(target=answers, daemon=True).start()
    for line in sys.stdin:
        command = json.loads(line)
        if log:
            note(log, "command", line)
        if command["do"] == "ping":
            if misdeed == "crash":
                print("between: this is the end", file=sys.stderr, flush=True)
                inner.kill()
                return 7
            if misdeed == "cut":
                os.write(1, b'{"event":"po')
                inner.kill()
                return 0
            if misdeed in MISDEEDS:
                MISDEEDS[misdeed]()
        if command["do"] == "connect" and misdeed in MUTANTS:
            command["url"] = Mutator(command["url"], misdeed).url
        inner.stdin.write(json.dumps(command) + "\n")
        inner.stdin.flush()
    inner.stdin.close()
    return inner.wait()


sys.exit(main(sys.argv[1:]))
