"""Run all benchmarks, or those that are named."""

from __future__ import annotations

import argparse
import os
import sys

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before NumPy loads: CPU seconds of one thread


def main(argv: list[str] | None = None) -> int:
    """Print the benchmarks' tables; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", help="plane, space, certificates, verify, data (default: all)")
    parser.add_argument("--repeats", type=int, default=3, help="take the best of so many runs (default: 3)")
    parser.add_argument("--models", help="folder with the trained networks")
    arguments = parser.parse_args(argv)
    from benchmarks import certificates, data, plane, space, verify

    known = {
        "plane": plane.run,
        "space": space.run,
        "certificates": certificates.run,
        "verify": verify.run,
        "data": data.run,
    }
    unknown = set(arguments.names) - set(known)
    if unknown:
        parser.error(f"unknown benchmark {sorted(unknown)[0]!r}; known are {', '.join(known)}")
    for name in arguments.names or known:
        known[name](arguments.repeats, arguments.models)
    return 0


if __name__ == "__main__":
    sys.exit(main())
