#!/usr/bin/env python3
"""Holds the worked examples of SPEC.md against real bytes: those of a vector, and those of an arena made for the fuzzer."""
import os
import re
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
CHUNK_PAYLOAD, CHUNK_FIXED = 1081, 88


def with_name(directory, name):
    path = os.path.join(directory, name)
    with open(path, "rb") as file:
        return file.read()


def main():
    vector = with_name(HERE, "good-complete.bin")
    arena = with_name(os.path.join(TOP, "tests", "fuzz", "corpus", "arena"), "seed-plain")
    journals, rings = struct.unpack_from("<2Q", arena, 112)
    size = struct.unpack_from("<I", vector, CHUNK_PAYLOAD - 32 + 12)[0]
    frame = vector[CHUNK_PAYLOAD + CHUNK_FIXED:CHUNK_PAYLOAD + size]
    chunk = subprocess.run(["zstd", "-dcq"], input=frame, stdout=subprocess.PIPE, check=True).stdout
    sources = {"file": vector, "chunk": chunk, "journal": arena[journals:]}

    checked, wrong = dict.fromkeys([*sources, "ring"], 0), 0
    for line in with_name(TOP, "SPEC.md").decode().splitlines():
        example = re.match(r"    (file|chunk|journal|ring) (\d+): ((?:[0-9a-f]{2} ?)+)(?= |$)", line)
        if not example:
            continue
        name, at, digits = example.group(1), int(example.group(2)), bytes.fromhex(example.group(3))
        if name == "ring":
            real = arena[rings + 8 * at:rings + 8 * at + 8][::-1]
        else:
            real = sources[name][at:at + len(digits)]
        checked[name] += 1
        if real != digits:
            wrong += 1
            print(f"SPEC.md says {line.strip()!r}, but there it is {real.hex(' ')}")
    print(", ".join(f"{count} lines of {name}" for name, count in checked.items()), f"checked, {wrong} wrong")
    return 1 if wrong or min(checked.values()) < 6 else 0


if __name__ == "__main__":
    sys.exit(main())
