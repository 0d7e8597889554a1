"""How property tests run: the first example may wait for a kernel's compilation, so there is no time limit on one."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("tagwire", deadline=None)
settings.load_profile("tagwire")
