"""Reads a note on stdin with somebody else's library, and asks of each key whether it has signed it.

    cosigned.py LOG_VKEY WITNESS_VKEY...

Ends with 0 when every key has, with 1 when one has not or wrongly. The library is tlog-scales, by whoever runs the witness
remora.n621.de; it knows nothing of Strongroom.
"""

import sys

from tlog_scales.signing import Vkey
from tlog_scales.tlog import Checkpoint


def main() -> int:
    checkpoint = Checkpoint.from_text(sys.stdin.buffer.read().decode())
    for vkey in sys.argv[1:]:
        try:
            checkpoint.verify(Vkey.from_string(vkey))
        except Exception as error:  # whatever it is, it is no yes
            print(f"{vkey}: {type(error).__name__} {error}", file=sys.stderr)
            return 1
    print(f"{checkpoint.origin} {checkpoint.size} signed by {len(sys.argv) - 1}")
    return 0


sys.exit(main())
