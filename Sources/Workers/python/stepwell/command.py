"""The command line: `python -m stepwell` with `worker`, `list` or `replay`."""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from typing import Any, Dict, List, Optional, Sequence, Tuple

from .bundle import ReplayError, load
from .channel import Carrier, leave
from .discovery import DiscoveryError, find_handlers
from .replay import replay
from .secrets import resolve
from .transport import Address, BadAddress

_CONCURRENCY = 8
_EXIT_LIMIT = 5.0  # seconds that the end of the process may take

_EXAMPLE = """\
example, in handlers.py:

    from stepwell import step_handler, depends_on

    @step_handler("shop.fetch_prices")
    def fetch_prices():
        return {"prices": [3, 4]}

    @step_handler("shop.add_up")
    @depends_on(fetched="fetch")
    def add_up(fetched):
        return {"sum": sum(fetched["prices"])}

in shop.yaml:

    name: prices
    namespace_name: shop
    version: 1.0.0
    steps:
      - name: fetch
        handler: { callable: shop.fetch_prices }
      - name: add
        handler: { callable: shop.add_up }
        dependencies: [fetch]

look, then run:

    python -m stepwell list handlers.py
    stepwell run shop.yaml --worker 'python -m stepwell worker handlers.py'

or, beside a server (stepwell serve), on any machine:

    python -m stepwell worker handlers.py --server http://127.0.0.1:7420
"""


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command and return its exit status: 2 when it cannot do its work."""
    options = _parser().parse_args(arguments)
    run = {"worker": _worker, "list": _list, "replay": _replay}[options.command]
    try:
        return run(options)
    except (BadAddress, DiscoveryError, ReplayError) as error:
        sys.stderr.write(f"stepwell: {error}\n")
        return 2


def _worker(options: argparse.Namespace) -> int:
    from .worker import Worker

    carrier, about = _carrier(options)  # before the imports: they may print
    Worker(find_handlers(options.targets), options.concurrency, carrier, about, options.shares_loop).serve()
    threading.Thread(target=_leave_late, name="stepwell-exit", daemon=True).start()
    return 0


def _leave_late() -> None:
    """End the process when threads that handlers have left behind, such as those of a pool, keep it alive."""
    time.sleep(_EXIT_LIMIT)
    leave(0)


def _carrier(options: argparse.Namespace) -> Tuple[Carrier, Dict[str, Any]]:
    """The way to the engine: of the engine that has started the process, else to a server."""
    from .streams import claim_standard_streams, lead_words_to

    url = options.server or os.environ.get("STEPWELL_URL")
    if os.environ.get("STEPWELL_WORKER") == "1" or not url:
        if sys.stdin.isatty():
            raise BadAddress(
                "a worker is started by the engine and talks with it on standard input, or needs --server URL;"
                " see --help for how"
            )
        return claim_standard_streams(), {}
    from .remote import Remote

    remote = Remote(Address.parse(url), os.environ.get("STEPWELL_TOKEN"), options.concurrency)
    lead_words_to(remote)
    about = {"name": options.name, "namespaces": options.namespace, "labels": dict(options.label)}
    return remote, {name: value for name, value in about.items() if value}


def _replay(options: argparse.Namespace) -> int:
    document = load(options.bundle, options.step, options.attempt)
    document["config"] = resolve(document["config"], options.secrets)
    return 0 if replay(document, find_handlers(options.targets), options.pdb) else 1


def _list(options: argparse.Namespace) -> int:
    handlers = sorted(find_handlers(options.targets).values(), key=lambda handler: handler.name)
    width = max(len(handler.name) for handler in handlers)
    for handler in handlers:
        print(f"{handler.name:<{width}}  {handler.version:<8}  {handler.place}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m stepwell",
        description="Runs step handlers written in Python for the Stepwell engine.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    worker = _command(
        commands, "worker", "run the handlers; started by the engine (--worker), or connected to a server (--server)"
    )
    worker.add_argument(
        "--concurrency",
        type=_count,
        default=_CONCURRENCY,
        metavar="N",
        help=f"attempts at the same time, each in a thread, 1 to 1000 (default {_CONCURRENCY}); "
        "raise it for handlers that wait, start more workers for handlers that compute",
    )
    worker.add_argument(
        "--async",
        action="store_true",
        dest="shares_loop",
        help="let all async handlers share one event loop, so that hundreds can wait at the same time;"
        " a call that blocks then holds up all of them",
    )
    worker.add_argument(
        "--server",
        metavar="URL",
        help="work for this server: http://HOST:PORT, https://HOST:PORT or unix:PATH (STEPWELL_URL);"
        " its token is read from STEPWELL_TOKEN",
    )
    worker.add_argument("--name", metavar="NAME", help="what the server's log calls the worker")
    worker.add_argument(
        "--namespace",
        action="append",
        default=[],
        metavar="NS",
        help="run steps of this namespace's templates only; may be repeated (all namespaces)",
    )
    worker.add_argument(
        "--label",
        action="append",
        default=[],
        type=_label,
        metavar="KEY=VALUE",
        help="say this about the worker; may be repeated",
    )
    _command(commands, "list", "print the handlers that a worker would run")
    again = _command(
        commands,
        "replay",
        "run a recorded attempt again in this process; 1 when it ends otherwise than recorded",
        (("bundle", "FILE", "what 'stepwell export' or 'stepwell replay-step --dump' wrote"), ("step", "STEP", "its step")),
    )
    again.add_argument("--attempt", type=int, metavar="N", help="the last attempt of this number (the last of all)")
    again.add_argument("--secrets", metavar="DIR", help="the folder of the secrets that the configuration names")
    again.add_argument("--pdb", action="store_true", help="open the debugger where an exception was raised")
    return parser


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    purpose: str,
    words: Sequence[Tuple[str, str, str]] = (),
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=purpose,
        description=purpose[0].upper() + purpose[1:] + ".",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for word, shown, meaning in words:
        parser.add_argument(word, metavar=shown, help=meaning)
    parser.add_argument(
        "targets",
        nargs="+",
        metavar="HANDLERS",
        help="a Python file, a folder (searched all the way down), or a dotted package name",
    )
    return parser


def _count(text: str) -> int:
    number = int(text) if text.isdigit() else 0
    if not 1 <= number <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 1000")
    return number


def _label(text: str) -> Tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return key, value
