"""The client of mediad: a library and the command `mediactl`.

    from mediactl import Client

    with Client() as client: for item in client.query("artist:björk kind:audio"): print(item.title, item.files[0].path)

Importing this package imports nothing else: protobuf comes with the first use of a client.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing's own would cost a cold command 2 ms

__version__ = "0.1.0"

if TYPE_CHECKING:
    from typing import Any

    from mediactl.aio import AsyncClient
    from mediactl.client import Client

__all__ = ["AsyncClient", "Client", "__version__"]

_HOMES = {"AsyncClient": "mediactl.aio", "Client": "mediactl.client"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
