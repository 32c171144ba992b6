"""Finds handlers in files, folders and packages."""

from __future__ import annotations

import importlib
import importlib.util
import os
import pkgutil
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

from .functional import FunctionHandler, is_function_handler
from .handler import ClassHandler, Handler, StepHandler, place_of


class DiscoveryError(Exception):
    """Why the worker cannot start, in words for the person who started it."""


def find_handlers(targets: Sequence[str]) -> Dict[str, Handler]:
    """All handlers of the given files, folders and dotted package names, by handler name.

    A folder is searched all the way down. Files and folders that only serve tests are left out.
    """
    handlers: Dict[str, Handler] = {}
    seen: Dict[int, Any] = {}
    nameless: List[str] = []
    for module in _modules(targets):
        for thing in list(vars(module).values()):
            if id(thing) in seen:
                continue
            handler = _handler(thing, nameless)
            if handler is None:
                continue
            seen[id(thing)] = thing
            other = handlers.get(handler.name)
            if other is not None:
                raise DiscoveryError(
                    f"two handlers are named {handler.name}:\n  {other.place}\n  {handler.place}"
                )
            handlers[handler.name] = handler
    if not handlers:
        raise DiscoveryError(_none_found(targets, nameless))
    return handlers


def handler_of(thing: Any) -> Handler:
    """The handler that a class or a decorated function is; `TypeError` if it is none."""
    handler = _handler(thing, [])
    if handler is None:
        raise TypeError(f"{thing!r} is not a named StepHandler class or @step_handler function")
    return handler


def _handler(thing: Any, nameless: List[str]) -> Optional[Handler]:
    if is_function_handler(thing):
        try:
            return FunctionHandler(thing)
        except TypeError as error:
            raise DiscoveryError(f"{place_of(thing)}: {error}") from None
    if isinstance(thing, type) and issubclass(thing, StepHandler) and thing is not StepHandler:
        if thing.handler_name:
            return ClassHandler(thing)
        nameless.append(f"{thing.__name__} ({place_of(thing)})")
    return None


def _none_found(targets: Sequence[str], nameless: Sequence[str]) -> str:
    text = f"no handlers found in {', '.join(targets)}"
    if nameless:
        return f"{text}; these classes have no handler_name: {', '.join(nameless)}"
    return f"{text}; a handler is a subclass of StepHandler or a function with @step_handler"


def _modules(targets: Sequence[str]) -> Iterator[ModuleType]:
    for target in targets:
        path = Path(target)
        if path.is_dir():
            yield from _folder(path)
        elif path.is_file():
            yield _load(path)
        elif target.endswith(".py") or os.sep in target:
            raise DiscoveryError(f"no such file: {target}")
        else:
            yield from _package(target)


def _folder(folder: Path) -> Iterator[ModuleType]:
    for path in sorted(folder.rglob("*.py")):
        if not any(_is_apart(part) for part in path.relative_to(folder).parts):
            yield _load(path)


def _package(name: str) -> Iterator[ModuleType]:
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    module = _import(name, name)
    yield module
    for entry in pkgutil.iter_modules(getattr(module, "__path__", []), name + "."):
        if not _is_apart(entry.name.rpartition(".")[2]):
            yield from _package(entry.name)


def _is_apart(name: str) -> bool:
    """Whether a file or folder of this name holds no handlers for the worker."""
    stem = name[:-3] if name.endswith(".py") else name
    return stem in ("__main__", "conftest", "setup", "tests") or stem.startswith(("test_", "."))


def _load(path: Path) -> ModuleType:
    """Import a file under the name that its neighbours would import it by."""
    root, name = _name(path.resolve())
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    known = sys.modules.get(name)
    if known is not None and _is_same_file(known, path):
        return known
    if known is None and all(part.isidentifier() for part in name.split(".")):
        module = _import(name, str(path))
        if _is_same_file(module, path):
            return module
    # The name is taken by another module, or cannot be imported: load the file by its place.
    return _load_alone(path)


def _load_alone(path: Path) -> ModuleType:
    name = f"stepwell_handlers_{len(sys.modules)}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise DiscoveryError(f"not a Python file: {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        raise DiscoveryError(_broken(str(path), error)) from None
    return module


def _name(path: Path) -> Tuple[Path, str]:
    """The folder to import from and the dotted name: a file in a package belongs to the package."""
    parts = [] if path.name == "__init__.py" else [path.stem]
    folder = path.parent
    while (folder / "__init__.py").is_file():
        parts.insert(0, folder.name)
        folder = folder.parent
    return folder, ".".join(parts)


def _is_same_file(module: ModuleType, path: Path) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and Path(file).resolve() == path.resolve()


def _import(name: str, shown: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name == name or name.startswith(f"{error.name}."):
            raise DiscoveryError(f"no such file or package: {shown}") from None
        raise DiscoveryError(_broken(shown, error)) from None
    except BaseException as error:  # a module may even call sys.exit()
        raise DiscoveryError(_broken(shown, error)) from None


def _broken(shown: str, error: BaseException) -> str:
    """What went wrong in an import, and at which line."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_users(frame)]
    place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else shown
    if isinstance(error, SyntaxError) and error.filename:
        place = f"{error.filename}:{error.lineno}"
    lines: Iterable[str] = traceback.format_list(frames[:-1]) if len(frames) > 1 else []
    via = "".join(lines).rstrip()
    text = f"cannot import {shown}\n{place}: {type(error).__name__}: {error}"
    return f"{text}\nimported by\n{via}" if via else text


def _is_users(frame: traceback.FrameSummary) -> bool:
    here = os.path.dirname(__file__)
    return not frame.filename.startswith("<frozen") and "importlib" not in frame.filename and (
        os.path.dirname(frame.filename) != here
    )
