"""Started by `benchmarks.courier_memory`: the courier, carrying besides what it used to carry.

`python -m benchmarks.courier_carrying MODULES FREEZE --root DIR`: the modules (commas between them, `-` for none) are
imported first and kept.
"""

import gc
import importlib
import sys

KEPT = [importlib.import_module(name) for name in sys.argv[1].split(",") if name != "-"]
if sys.argv[2] == "freeze":
    gc.collect()
    gc.freeze()

from sync_agent.__main__ import main  # noqa: E402 - what it used to carry comes first

main(["run", *sys.argv[3:]])
