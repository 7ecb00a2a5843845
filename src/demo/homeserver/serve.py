"""Runs Synapse until standard input ends, so that none is left behind when the program that started it is killed."""

import os
import sys
import threading

from synapse.app.homeserver import main


def end_with_parent():
    sys.stdin.buffer.read()
    os._exit(0)


threading.Thread(target=end_with_parent, daemon=True).start()
main()
