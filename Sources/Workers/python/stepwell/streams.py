"""What a worker changes in its process: standard streams, log, and what happens at a fork."""

from __future__ import annotations

import logging
import os
import signal
import sys

from .channel import Carrier, Channel
from .output import StepLog, StepLogHandler, current


def claim_standard_streams() -> Channel:
    """Take standard input and output for the protocol.

    Whatever else writes to descriptor 1, C code or a child process, now writes to standard error.
    """
    read_end, write_end = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    sys.stdout.flush()
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    channel = Channel(read_end, write_end)
    lead_words_to(channel)
    return channel


def lead_words_to(carrier: Carrier) -> None:
    """Send log records through the carrier, but not those of forked children."""
    os.register_at_fork(after_in_child=lambda: _forget(carrier))
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    root.addHandler(StepLogHandler(StepLog(carrier)))


def _forget(carrier: Carrier) -> None:
    """In a forked child: the conversation belongs to the parent."""
    carrier.abandon()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    sys.stdout = sys.stderr
    current.set(None)
