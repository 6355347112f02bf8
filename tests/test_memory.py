"""Large blocks go back to the system when they are freed."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

_CODE = """
import sys
from pathlib import Path
import numpy as np
from groundswell.memory import return_freed
if sys.argv[1] == "returned":
    return_freed()
np.ones(30 << 20, np.uint8)  # once freed, it raises the size from which a block is one of the system's
blocks, between = [], []
for _ in range(60):
    blocks.append(np.ones(6 << 20, np.uint8))
    between.append(bytes(70_000))
blocks.clear()
print(int(Path("/proc/self/statm").read_text().split()[1]) * 4096 >> 20)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another malloc")
def test_large_blocks_between_small_ones_are_returned() -> None:
    kept, returned = (
        int(subprocess.run([sys.executable, "-c", _CODE, how], capture_output=True, check=True).stdout)
        for how in ("kept", "returned")
    )
    assert kept - returned > 200  # MiB, of 360 that were freed
