#!/usr/bin/env python3
"""Makes the seeds of tests/fuzz/corpus from the test vectors and, for arenas, from SPEC.md 8. Found inputs beside them (no `seed-` name) are kept."""
import os
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "vectors"))
import make_vectors as v  # noqa: E402

PAGE = 4096


def payloads(data):
    at = 0
    while data[at:at + 8] == v.MAGIC:
        kind, _, length = struct.unpack_from("<HHI", data, at + 8)
        yield kind, data[at + 32:at + 32 + length]
        at += 32 + length


def definition(ident, kind, module, qualname, file, label=b""):
    texts = module + qualname + file + label
    length = (32 + len(texts) + 7) // 8 * 8
    head = struct.pack("<IIQIHHHHHH", length, ident, 0xABCD, 7, kind, len(module), len(qualname), len(file), len(label), 0)
    return (head + texts).ljust(length, b"\0")


def arena(records, processes=1, slots=1, journal_size=32768, ring_size=16384, state=3):
    """An arena with one process and one slot in use, both without a living owner."""
    journal = definition(1, 0, b"app", b"main", b"/app.py") + definition(2, 1, b"builtins", b"len", b"", b"<built-in method builtins.len>")
    processes_at = PAGE
    slots_at = processes_at + (256 * processes + PAGE - 1) // PAGE * PAGE
    journals_at = slots_at + (384 * slots + PAGE - 1) // PAGE * PAGE
    rings_at = journals_at + journal_size * processes
    size = rings_at + ring_size * slots
    data = bytearray(size)
    struct.pack_into("<QII16s40sIIQQQQQQQIIQQQ", data, 0, 0x31414E4552415450, 1, 1, bytes(16), b"boot", processes, slots,
                     journal_size, ring_size, processes_at, slots_at, journals_at, rings_at, size, 1, 3, 3200, 1000, 10**9)
    struct.pack_into("<I", data, 192, 1)
    struct.pack_into("<IIIIIIQQ", data, processes_at + 64, state, 1, 4711, 0xFFFFFFFF, 0, 0, 1000, 0)
    struct.pack_into("<Q", data, processes_at + 128, len(journal))
    struct.pack_into("<IIIIQQQ", data, slots_at + 64, 3, 1, 0, 1, 4711, 1000, 0)
    data[slots_at + 128:slots_at + 138] = b"MainThread"
    struct.pack_into("<QQQ", data, slots_at + 192, len(records), 0, 0)
    data[journals_at:journals_at + len(journal)] = journal
    struct.pack_into(f"<{len(records)}Q", data, rings_at, *records)
    return bytes(data)


def record(kind, ident, tick):
    return kind | ident << 5 | (tick & (1 << 35) - 1) << 29


def control(subtype, tick, *words):
    return [record(31, subtype | len(words) << 8, tick), *words]


def main():
    seeds = {"chunk": {}, "names": {}, "arena": {}, "trace": {}}
    for name, data, _ in v.vectors():
        if name.startswith("good"):
            for i, (kind, payload) in enumerate(payloads(data)):
                if kind == v.CHUNK:
                    seeds["chunk"][f"{name}-{i}"] = b"\0" + payload
                    if name in ("good-complete", "good-two-chunks", "good-control", "good-switch"):
                        raw_parts = v.subprocess.run(["zstd", "-dcq"], input=payload[88:], stdout=v.subprocess.PIPE, check=True).stdout
                        seeds["chunk"][f"{name}-{i}-raw"] = b"\1" + payload[:88] + raw_parts
                elif kind in (v.HEADER, v.PROCESS, v.THREAD, v.CLOCK, v.END, v.NAMES) and "deep" not in name:
                    which = {v.HEADER: 0, v.PROCESS: 1, v.THREAD: 2, v.CLOCK: 3, v.END: 4, v.NAMES: 5}[kind]
                    seeds["names"][f"{name}-{i}"] = bytes([which]) + payload
    base = control(1, 1000, 1000)
    plain = base + [record(1, 1, 1010), record(4, 2, 1020), record(9, 0, 1030), record(6, 0, 1040)]
    seeds["arena"]["plain"] = arena(plain)
    seeds["arena"]["open"] = arena(base + [record(5, 1, 1000), record(1, 1, 1010), record(4, 2, 1020)])
    seeds["arena"]["control"] = arena(plain + control(2, 2000, 500) + control(3, 3000, 77, 900, 0, 2, 2, 3) + [record(10, 0, 3001)])
    switches = control(4, 1045, 1) + [record(1, 1, 1050)] + control(4, 1060, 0) + control(4, 1070, 1) + [record(6, 0, 1080)] + control(6, 1090)
    seeds["arena"]["switch"] = arena(base + [record(1, 1, 1010), record(4, 2, 1020)] + switches + control(4, 1090, 0) + [record(5, 1, 1090)])
    seeds["arena"]["exited"] = arena(plain, state=4)
    seeds["arena"]["nonsense"] = arena(base + [record(29, 1, 1), record(1, 1, 2)])
    for target, files in seeds.items():
        directory = os.path.join(HERE, "corpus", target)
        os.makedirs(directory, exist_ok=True)
        for old in os.listdir(directory):
            if old.startswith("seed-"):
                os.unlink(os.path.join(directory, old))
        for name, data in files.items():
            with open(os.path.join(directory, "seed-" + name), "wb") as file:
                file.write(data)
    with open(os.path.join(HERE, "corpus", "trace", "seed-empty"), "wb"):
        pass


if __name__ == "__main__":
    main()
