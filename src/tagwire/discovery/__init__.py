"""Which servers there are: those of the configuration, those met before, and those that announce themselves."""

from __future__ import annotations

from tagwire.discovery.found import ServerFound
from tagwire.discovery.servers import servers

__all__ = ["ServerFound", "servers"]
