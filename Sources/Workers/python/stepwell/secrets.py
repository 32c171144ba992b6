"""The secrets that a recorded configuration names: a file of an attempt holds `secret:NAME` in their place."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Optional

from .bundle import ReplayError

_PREFIX = "secret:"


def resolve(value: Any, directory: Optional[str] = None) -> Any:
    """`value` with every `secret:NAME` in it replaced, from the places where the engine looks."""
    if isinstance(value, dict):
        return {name: resolve(member, directory) for name, member in value.items()}
    if isinstance(value, list):
        return [resolve(element, directory) for element in value]
    if not isinstance(value, str) or not value.startswith(_PREFIX):
        return value
    name = value[len(_PREFIX) :]
    return _PREFIX + name[1:] if name.startswith(":") else _secret(name, directory)


def _secret(name: str, directory: Optional[str]) -> str:
    variable = "STEPWELL_SECRET_" + name.replace("-", "_").replace(".", "_").upper()
    if "/" not in name and not name.startswith("."):
        for folder in filter(None, [directory, os.environ.get("CREDENTIALS_DIRECTORY")]):
            try:
                text = (Path(folder) / name).read_bytes().decode("utf-8")
            except FileNotFoundError:
                continue
            except (OSError, ValueError) as error:
                raise ReplayError(f"the secret {name!r} cannot be used: {error}") from None
            text = text[:-1] if text.endswith("\n") else text
            text = text[:-1] if text.endswith("\r") else text
            if text:
                return text
    found = os.environ.get("STEPWELL_SECRET_" + name) or os.environ.get(variable)
    if not found:
        raise ReplayError(f"there is no secret {name!r}: set {variable}, or name the folder that has it with --secrets")
    return found
