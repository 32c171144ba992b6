"""`tasker_core.client`."""

from stepwell.client import TaskerClient

__all__ = ["TaskerClient"]
