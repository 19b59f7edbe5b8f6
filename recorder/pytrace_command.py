#!python
"""The installed command `pytrace`: `python -m pytrace` of the interpreter that it was installed for.

It becomes that very command line. So there is one way in which programs are recorded, and they find the interpreter as
`python -m pytrace` leaves it.
"""

import os
import sys

os.execv(sys.executable, [sys.executable, "-m", "pytrace", *sys.argv[1:]])
