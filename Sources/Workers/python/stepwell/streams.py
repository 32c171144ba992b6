"""Standard input and output belong to the protocol; everything else is led around it."""

from __future__ import annotations

import logging
import os
import signal
import sys

from .channel import Channel
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
    os.register_at_fork(after_in_child=lambda: _forget(channel))
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    root.addHandler(StepLogHandler(StepLog(channel)))
    return channel


def _forget(channel: Channel) -> None:
    """In a forked child: the conversation belongs to the parent."""
    channel.abandon()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    sys.stdout = sys.stderr
    current.set(None)
