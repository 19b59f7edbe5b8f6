"""How an interpreter that a recorded program has started joins the recording: called by pytrace.pth, while site runs.

Whatever happens here, the program must not notice: what was loaded for it is forgotten again.
"""

import sys

from . import _core


def join():
    try:
        _core.join()
    finally:
        for place in sys.modules[__package__].__path__:
            sys.path_importer_cache.pop(place, None)
        for name in [name for name in sys.modules if name.partition(".")[0] == __package__]:
            del sys.modules[name]
