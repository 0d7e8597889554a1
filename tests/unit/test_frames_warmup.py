"""After the warm-up no frame has to wait for a compiler."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
import numpy as np
from tagwire.core.tags import TagBlock
from tagwire.frames.codec import decode, encode
from tagwire.frames.warmup import warm_up

def compiled():
    modules = [module for name, module in sys.modules.items() if name.startswith("tagwire.frames.")]
    kernels = {kernel for module in modules for kernel in vars(module).values() if hasattr(kernel, "signatures")}
    return {(kernel.__name__, signature) for kernel in kernels for signature in kernel.signatures}

warm_up()
before = compiled()
assert len(before) > 20
for channels in ([1], [1, 2], [1, 2, 3, 4], [2, 9], [1, 300], [-5, 10**6], list(range(40))):
    for period in (1, 5000):
        time = np.sort(np.concatenate([np.arange(1000) * period, np.arange(100) * 7 * period + 3]))
        channel = np.resize(np.array(channels, np.int32), len(time))
        for block in (TagBlock(0, 10**8, time, channel), TagBlock.empty(0, 1)):
            frame = encode(block)
            assert np.array_equal(decode(frame).time, block.time)
            assert len(decode(memoryview(b"x" + frame)[1:])) == len(block)
print(sorted(compiled() - before))
"""


def test_nothing_is_left_to_compile() -> None:
    run = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False, timeout=300)
    assert (run.stdout.strip(), run.returncode) == ("[]", 0), run.stderr
