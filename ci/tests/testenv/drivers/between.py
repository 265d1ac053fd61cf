# SPDX-License-Identifier: MIT
"""A driver that passes all lines on to another one, and does one thing wrong.

    between.py log FILE | MISDEED -- DRIVER...
"""

import json
import subprocess
import sys
import threading
import time

from mutator import MUTANTS, Mutator


def note(file, direction, line):
    file.write(json.dumps([direction, json.loads(line)]) + "\n")
    file.flush()


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
            if misdeed == "hang":
                time.sleep(3600)
            if misdeed == "babble":
                print("this is no event", flush=True)
        if command["do"] == "connect" and misdeed in MUTANTS:
            command["url"] = Mutator(command["url"], misdeed).url
        inner.stdin.write(json.dumps(command) + "\n")
        inner.stdin.flush()
    inner.stdin.close()
    return inner.wait()


sys.exit(main(sys.argv[1:]))
