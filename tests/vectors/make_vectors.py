#!/usr/bin/env python3
"""Makes the trace files of this directory, and README.md, which says in one sentence what each of them shows.

A vector is made by hand from SPEC.md, with no code of the C library, so that both readers are judged by a third opinion.
good-*: valid (not always complete). bad-*: a rule is broken. unsupported-*: a reader of version 1 must refuse it.
Run it after a change to SPEC.md and commit what changed; `zstd` is needed.
"""
import os
import struct
import subprocess
import sys
import tempfile
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
MAGIC = b"\xb7PTRC\r\n\x1a"
HEADER, PROCESS, THREAD, NAMES, CLOCK, CHUNK, INDEX, END = range(1, 9)
START, RESUME, THROW, C_CALL, OPEN, RETURN, YIELD, UNWIND, C_RETURN, C_RAISE, CLOSE, LINE, OPCODE, EXCEPTION = range(1, 15)
CONTROL, STALL, LOST, SWITCH, FORGET, BACKSTEP = 31, 2, 3, 4, 6, 7


# --- Bytes -----------------------------------------------------------------------------------------------------------


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def cbor(value):
    def head(major, number):
        for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
            if number < 24:
                return bytes([major << 5 | number])
            if number < 1 << 8 * size:
                return bytes([major << 5 | info]) + number.to_bytes(size, "big")
        raise ValueError(number)

    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return head(0, value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        data = value.encode("utf-8", "surrogateescape")
        return head(3, len(data)) + data
    if isinstance(value, (list, tuple)):
        return head(4, len(value)) + b"".join(map(cbor, value))
    return head(5, len(value)) + b"".join(cbor(k) + cbor(v) for k, v in value.items())


def zstd(data, *options):
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        return subprocess.run(["zstd", "-cq", "--no-check", *options, file.name], check=True, stdout=subprocess.PIPE).stdout


def block(kind, payload, sequence, flags=0):
    head = MAGIC + struct.pack("<HHIQI", kind, flags, len(payload), sequence, zlib.crc32(payload))
    return head + struct.pack("<I", zlib.crc32(head)) + payload


# --- Payloads --------------------------------------------------------------------------------------------------------


def header(major=1, minor=0, incompatible=0, compatible=0, **more):
    settings = {
        "run": bytes(range(16)), "boot": "", "recorder": "0.1.0", "implementation": "CPython", "python": "3.13.0",
        "hook": "monitoring", "program": "app.py", "argv": ["app.py", "--fast"], "executable": "/usr/bin/python3",
        "host": "example", "machine": "x86_64", "system": "Linux 6.1", "pid": 4711, "started_ns": 1_700_000_000_000_000_000,
        "clock": "tsc", "tick_ps": 3200, "start_tick": 1000, "c_calls": True, "exceptions": False, "policy": "block", "children": True,
        "ring_size": 1 << 20, "max_threads": 256, "flush_interval_ns": 10**9, "max_size": 0, "level": 1,
        "arena": "/nonexistent/pytrace-vector", "notes": [],
    }
    settings.update(more)
    return struct.pack("<HHIQQ", major, minor, 0, incompatible, compatible) + cbor(settings)


def by_kind(kind, ident):
    """The classes that the recorder gives."""
    return {RETURN: 0, YIELD: 0, UNWIND: 0, START: 1, RESUME: 1, THROW: 1, OPEN: 1, C_CALL: 2, C_RETURN: 3, C_RAISE: 3}.get(kind, 4)


def chunk(items, thread=1, slot=0, generation=1, flags=0, position=0, words=None, first_tick=1000, keyframe=(), depth=None, greenlet=0,
          class_of=by_kind, **wrong):
    """items: (kind, id, ticks since the previous one[, arguments]). keyframe: (frame, age). `wrong` overrides header fields and parts."""
    symbols, codes, wide, arguments, events, tick = [], [], b"", b"", 0, first_tick
    groups, last_class = [bytearray() for _ in range(64)], 0
    for kind, ident, step, *piece in items:
        symbol = kind | ident << 5 | class_of(kind, ident) << 29
        if symbol not in symbols:
            symbols.append(symbol)
        codes.append(symbols.index(symbol))
        groups[8 * last_class + (symbol >> 29)].append(min(step, 255))
        last_class = symbol >> 29
        if step >= 255:
            wide += varint(step - 255)
        if kind == CONTROL:
            data = b"".join(map(varint, piece[0]))
            arguments += varint(len(data)) + data
        events += kind not in (OPEN, CLOSE, CONTROL)
        tick += step
    width = 1 if len(symbols) <= 256 else 2
    parts = {
        "part_symbols": struct.pack(f"<{len(symbols)}I", *symbols),
        "part_keyframe": varint(greenlet) + varint(len(keyframe)) + b"".join(varint(f) + varint(a) for f, a in keyframe),
        "part_codes": struct.pack(f"<{len(codes)}{'B' if width == 1 else 'H'}", *codes),
        "part_wide": wide, "part_arguments": arguments,
        "part_groups": struct.pack("<64I", *map(len, groups)), "part_times": b"".join(groups),
    }
    parts.update((k, wrong.pop(k)) for k in list(wrong) if k in parts)
    raw = b"".join(parts.values())
    lost = sum(e[3][0] for e in items if e[0] == CONTROL and e[1] == LOST)
    cuts = [0, *wrong.pop("frames_at", []), len(raw)]
    packed = wrong.pop("packed", None) or b"".join(zstd(raw[a:b]) for a, b in zip(cuts, cuts[1:]))
    fields = dict(
        thread=thread, slot=slot, generation=generation, flags=flags, position=position,
        words=len(items) if words is None else words, entries=len(items), first_tick=first_tick, last_tick=tick,
        events=events, depth=len(keyframe) if depth is None else depth, keyframe_bytes=len(parts["part_keyframe"]),
        symbols=len(symbols), wide_bytes=len(parts["part_wide"]), argument_bytes=len(parts["part_arguments"]), lost=lost,
        width=width, raw=len(raw))
    fields.update(wrong)
    return struct.pack("<4IQ2I2Q6IQ2I", *fields.values()) + packed


FUNCTIONS = [
    [0, "__main__", "main", "/srv/app.py", 10, 0x1111],
    [0, "app", "Worker.run", "/srv/app.py", 20, 0x2222],
    [1, "builtins", "len", "", 0, 0, "<built-in method builtins.len>"],
    [1, "builtins", "list.append", "", 0, 0, "<method 'append' of 'list' objects>"],
    [0, "app", "numbers", "/srv/app.py", 30, 0x3333],
]
MAIN, RUN, LEN, APPEND, NUMBERS = range(1, 6)
PREAMBLE = [
    (HEADER, header()),
    (CLOCK, cbor({"tick": 1000, "monotonic_ns": 5_000_000, "realtime_ns": 1_700_000_000_000_000_000})),
    (PROCESS, cbor({"process": 1, "parent": 0, "pid": 4711, "entry": 0, "generation": 1, "inherited": 0, "start_tick": 1000,
                    "origin": "start"})),
    (THREAD, cbor({"thread": 1, "process": 1, "slot": 0, "generation": 1, "native_id": 4711, "name": "MainThread", "start_tick": 1000})),
    (NAMES, cbor({"process": 1, "first": 1, "names": FUNCTIONS})),
]
SIMPLE = [(OPEN, MAIN, 0), (START, RUN, 10), (C_CALL, LEN, 5), (C_RETURN, 0, 3), (C_CALL, APPEND, 300), (C_RAISE, 0, 40),
          (START, NUMBERS, 7), (YIELD, 0, 9), (RESUME, NUMBERS, 4), (UNWIND, NUMBERS, 70_000), (RETURN, 0, 20), (CLOSE, 0, 11)]
SITES = [[*definition[:3], "app.py", line, *definition[5:]] for definition, line in zip(FUNCTIONS, (8, 17, 0, 0, 26))] + [
    [2, "builtins", "ValueError", "app.py", 28, 0], [2, "builtins", "ValueError", "app.py", 19, 0],
    [2, "app", "Retry", "app.py", 22, 0], [2, "app", "Retry", "app.py", 11, 0]]
AT_28, AT_19, AT_22, AT_11 = range(6, 10)
INNER = [  # app.py: main begins with line 8, Worker.run with line 17, numbers with line 26
    (OPEN, MAIN, 0), (LINE, 9, 10), (LINE, 10, 300), (LINE, 11, 4),
    (START, RUN, 90), (LINE, 18, 2), (LINE, 19, 5), (START, NUMBERS, 60), (LINE, 27, 3), (OPCODE, 4, 1), (OPCODE, 6, 9), (LINE, 28, 2),
    (OPCODE, 14, 1), (EXCEPTION, AT_28, 80), (UNWIND, NUMBERS, 25), (EXCEPTION, AT_19, 30), (LINE, 21, 12), (LINE, 22, 7),
    (EXCEPTION, AT_22, 100), (UNWIND, RUN, 10), (EXCEPTION, AT_11, 15), (LINE, 12, 8), (LINE, 13, 6),
    (START, RUN, 70), (LINE, 18, 2), (LINE, 19, 3), (START, NUMBERS, 55), (LINE, 27, 2), (OPCODE, 4, 1), (OPCODE, 6, 8), (LINE, 29, 3),
    (OPCODE, 24, 1), (YIELD, 0, 40_000), (LINE, 20, 9), (LINE, 19, 12), (RESUME, NUMBERS, 5), (LINE, 29, 1), (OPCODE, 30, 1), (RETURN, 0, 20_000),
    (LINE, 23, 11), (C_CALL, LEN, 6), (C_RETURN, 0, 3), (RETURN, 0, 2), (CLOSE, 0, 4000)]
CLOCK_END = (CLOCK, cbor({"tick": 101_000, "monotonic_ns": 5_320_000, "realtime_ns": 1_700_000_000_000_320_000}))
ENDINGS = [
    CLOCK_END,
    (THREAD, cbor({"thread": 1, "process": 1, "end_tick": 80_000})),
    (PROCESS, cbor({"process": 1, "end_tick": 80_000, "ended": "stopped"})),
]


def trace(parts, index=True, end=True, **end_fields):
    """A file of these (type, payload[, flags]) blocks, with INDEX and END."""
    data, entries, events, lost = b"", b"", 0, 0
    for sequence, (kind, payload, *flags) in enumerate(parts):
        info = struct.unpack_from("<4IQ2I2Q6IQ2I", payload) if kind == CHUNK and len(payload) >= 88 else None
        entries += struct.pack("<QIIQQII", len(data), kind, info[0] if info else 0, info[7] if info else 0,
                               info[8] if info else 0, info[9] if info else 0, 0)
        events += info[9] if info else 0
        lost += info[15] if info else 0
        data += block(kind, payload, sequence, *flags)
    fields = {"reason": "stopped", "end_tick": 81_000, "blocks": len(parts), "events": events, "lost": lost,
              "stalled_ticks": 0, "unslotted_threads": 0, "unslotted_events": 0}
    count = len(parts)
    if index:
        fields["index"] = len(data)
        data += block(INDEX, entries if index is True else index, count)
        count += 1
        fields["blocks"] = count
    fields.update(end_fields)
    if end:
        body = cbor(fields)
        data += block(END, body + struct.pack("<I", 32 + len(body) + 4), count)
    return data


def with_chunks(*chunks, preamble=PREAMBLE, **more):
    return trace(preamble + [(CHUNK, c) for c in chunks] + ENDINGS, **more)


def flipped(data, at, mask=0x01):
    return data[:at] + bytes([data[at] ^ mask]) + data[at + 1:]


def replaced(number, payload, kind=None):
    """PREAMBLE with another payload in block `number`."""
    parts = list(PREAMBLE)
    parts[number] = (kind or parts[number][0], payload)
    return parts


# --- The vectors -----------------------------------------------------------------------------------------------------


def vectors():
    simple = chunk(SIMPLE, flags=1)
    complete = with_chunks(simple)
    half = len(SIMPLE) // 2
    first = chunk(SIMPLE[:half])
    middle_tick = 1000 + sum(e[2] for e in SIMPLE[:half])
    frames = [(MAIN * 2, middle_tick - 1000), (RUN * 2, middle_tick - 1010)]
    second = chunk(SIMPLE[half:], position=half, first_tick=middle_tick, keyframe=frames, flags=1)

    yield "good-complete", complete, "One process, one thread, one chunk with every kind of event, INDEX and END."
    yield "good-no-index", with_chunks(simple, index=False), "The same without the optional INDEX."
    yield "good-two-chunks", with_chunks(first, second), "The same events in two chunks; the keyframe of the second holds two open frames."
    calls = [entry for i in range(200) for entry in ((C_CALL, LEN + i % 2, i % 9), (C_RETURN, 0, 250 + i % 11))]
    yield "good-classes", with_chunks(chunk([(START, MAIN, 3), *calls, (RETURN, 0, 4)], flags=1, class_of=lambda kind, ident: kind * 5 + ident & 7)), \
        "Classes of symbols that the recorder would not give, and wide times in several groups."
    yield "good-no-classes", with_chunks(chunk(SIMPLE, flags=1, class_of=lambda kind, ident: 0)), "All symbols in class 0: the times are in the order of entries."
    yield "good-frames", with_chunks(chunk(SIMPLE, flags=1, frames_at=[1, 60, 60, 300])), "A chunk in five zstd frames, one of them empty, that end wherever they end."
    yield "good-empty", trace(PREAMBLE[:3] + ENDINGS[:1] + ENDINGS[2:]), "A recording in which no thread had an event."
    yield "good-optional-block", trace(PREAMBLE + [(4000, b"from the future", 1), (CHUNK, simple)] + ENDINGS), \
        "A block of an unknown type that is marked OPTIONAL is skipped."
    unknown = cbor("future") + cbor(1) + cbor("future") + b"\xa2" + 4 * cbor(1)
    yield "good-unknown-keys", trace(
        [(HEADER, header(compatible=1 << 40, future=[1, {"a": b"b"}]))] + PREAMBLE[1:3] + [(THREAD, b"\xa9" + PREAMBLE[3][1][1:] + unknown)] +
        PREAMBLE[4:] + [(CHUNK, simple)] + ENDINGS), "Unknown compatible features and unknown CBOR keys, one of them twice, are ignored."
    deepest = cbor("future") + b"\x81" * 7 + cbor(1)
    yield "good-deep", with_chunks(simple, preamble=replaced(3, b"\xa8" + PREAMBLE[3][1][1:] + deepest)), "CBOR nested 8 deep, the map around included."
    many = [(START, 1 + i % 300, i % 9) for i in range(600)] + [(RETURN, 0, 3)] * 600
    names300 = [(NAMES, cbor({"process": 1, "first": 6, "names": [[0, "m", f"f{i}", "/m.py", i, i] for i in range(6, 301)]}))]
    yield "good-wide-codes", with_chunks(chunk(many, flags=1), preamble=PREAMBLE + names300), \
        "More than 256 symbols: codes take two bytes; 600 frames deep."
    yield "good-deep-keyframe", with_chunks(
        chunk([(START, RUN, 1)] * 600, words=600),
        chunk([(RETURN, 0, 1)] * 600, position=600, first_tick=1600, depth=600, flags=1,
              keyframe=[(RUN * 2, 600 - i) for i in range(89, 601)])), "A keyframe holds the 512 innermost of 600 open frames."
    yield "good-control", with_chunks(chunk(
        [(START, MAIN, 1), (CONTROL, STALL, 50_000, [40_000]), (START, RUN, 2), (CONTROL, 200, 3, [1, 2, 3]),
         (CONTROL, BACKSTEP, 0, [77]), (RETURN, 0, 300), (RETURN, 0, 5)], flags=1)), \
        "A stall, a backstep, and a control entry of an unknown subtype, which is skipped."
    yield "good-unmatched", with_chunks(chunk(
        [(RETURN, 0, 1), (C_RETURN, 0, 1), (START, MAIN, 1), (UNWIND, RUN, 1), (C_CALL, LEN, 1), (RETURN, 0, 1), (CLOSE, 0, 1)], flags=1)), \
        "Leaves without an enter, an unwind of a function that never started, and a C call without a return."
    yield "good-inner", with_chunks(chunk(INNER, flags=1), preamble=replaced(0, header(
        lines="^app:", opcodes="numbers$", exceptions=True))[:4] + [(NAMES, cbor({"process": 1, "first": 1, "names": SITES}))]), \
        "Lines, instructions and exceptions, which tell what goes on inside of the functions of app.py."
    costs = header(call_own_ps=20_000, call_caller_ps=32_050, c_call_own_ps=24_000, c_call_caller_ps=26_400, resume_own_ps=18_350, resume_caller_ps=22_800)
    counted = [(OPEN, MAIN, 0), (START, RUN, 40), (START, RUN, 50), (C_CALL, LEN, 30), (C_RETURN, 0, 7), (RETURN, 0, 25), (C_CALL, APPEND, 60),
               (C_RAISE, 0, 900), (START, NUMBERS, 45), (YIELD, 0, 30), (RESUME, NUMBERS, 80), (YIELD, 0, 333), (THROW, NUMBERS, 44),
               (UNWIND, NUMBERS, 1000), (RETURN, 0, 20)] + [(START, NUMBERS, 15), (YIELD, 0, 5)] * 40 + [(CLOSE, 0, 11)]
    yield "good-costs", with_chunks(chunk(counted, flags=1), preamble=replaced(0, costs)), \
        "What recording costs is told. Some calls took less than that, and all those of one function."
    yield "good-costs-in-part", with_chunks(chunk(counted[:25], flags=1), preamble=replaced(0, header(
        c_calls=False, call_own_ps=20_000, call_caller_ps=32_050, c_call_own_ps=1, c_call_caller_ps=10**9 + 1))), \
        "Costs of Python calls alone: one of the others is missing, one out of bounds."
    fork = [
        (PROCESS, cbor({"process": 2, "parent": 1, "pid": 4712, "entry": 1, "generation": 1, "inherited": 2, "start_tick": 2000,
                        "origin": "fork"})),
        (THREAD, cbor({"thread": 2, "process": 2, "slot": 1, "generation": 1, "native_id": 4712, "name": "", "start_tick": 2000})),
        (NAMES, cbor({"process": 2, "first": 3, "names": [[0, "child", "only", "/srv/child.py", 1, 9]]})),
    ]
    child = chunk([(START, 1, 1), (START, 3, 1), (RETURN, 0, 1), (RETURN, 0, 1)], thread=2, slot=1, first_tick=2000, flags=1)
    ended = [(THREAD, cbor({"thread": 2, "process": 2, "end_tick": 2100})), (PROCESS, cbor({"process": 2, "end_tick": 2100, "ended": "exited"}))]
    yield "good-fork", trace(PREAMBLE + fork + [(CHUNK, simple), (CHUNK, child)] + ended + ENDINGS), \
        "A forked child takes over ids 1 and 2 of its parent and has an id 3 of its own that means something else there."
    own_time = [(HEADER, header(clock="cpu", tick_ps=4000))] + PREAMBLE[1:] + [
        (THREAD, cbor({"thread": 2, "process": 1, "slot": 1, "generation": 1, "native_id": 4712, "name": "sleeper", "start_tick": 2000}))]
    sleeper = chunk([(START, RUN, 0), (C_CALL, LEN, 40), (C_RETURN, 0, 25), (CLOSE, 0, 0)], thread=2, slot=1, first_tick=2000, flags=1)
    yield "good-cpu-clock", trace(own_time + [(CHUNK, simple), (CHUNK, sleeper)] + [
        (CLOCK, cbor({"tick": 101_000, "monotonic_ns": 5_400_000, "realtime_ns": 1_700_000_000_000_400_000})),
        (THREAD, cbor({"thread": 2, "process": 1, "end_tick": 2065})), (THREAD, cbor({"thread": 1, "process": 1, "end_tick": 71_409})),
        (PROCESS, cbor({"process": 1, "end_tick": 100_000, "ended": "stopped"}))], end_tick=100_500), \
        "Each thread has a time of its own, its CPU time: both end long before their process does."
    def joined(number, parent, tick, **more):
        return [(PROCESS, cbor({"process": number, "parent": parent, "pid": 4710 + number, "entry": number - 1, "generation": 1,
                                "inherited": 0, "start_tick": tick, **more})),
                (THREAD, cbor({"thread": number, "process": number, "slot": number - 1, "generation": 1, "native_id": 4710 + number,
                               "name": "MainThread", "start_tick": tick})),
                (NAMES, cbor({"process": number, "first": 1, "names": [[0, "__main__", "<module>", "/srv/worker.py", 1, 0x5555]]})),
                (CHUNK, chunk([(START, 1, 1), (RETURN, 0, 50)], thread=number, slot=number - 1, first_tick=tick, flags=1))]

    exec_ = joined(2, 1, 2000, origin="exec", program="worker.py") + joined(3, 2, 2500, origin="fork") + \
        joined(4, 3, 3000, origin="exec", program="-c") + joined(5, 1, 4000, origin="exec", program="na\x1b[31mme \u65e5\u672c")
    for number, ended in (2, "exited"), (3, "killed"), (4, "stopped"), (5, "exited"):
        exec_ += [(THREAD, cbor({"thread": number, "process": number, "end_tick": 5000 + number})),
                  (PROCESS, cbor({"process": number, "end_tick": 5000 + number, "ended": ended}))]
    yield "good-exec", trace(PREAMBLE + exec_ + [(CHUNK, simple)] + ENDINGS), \
        "Executed programs and a forked one, in a tree three levels deep."
    strange = [[0, "m\u00e9\0not read", "na\x1b[31mme", "/tmp/\u65e5\u672c/\udcff.py", 1, 0, "odd \"name\"\n"]] + FUNCTIONS[1:]
    yield "good-strange-names", with_chunks(simple, preamble=replaced(4, cbor({"process": 1, "first": 1, "names": strange}))), \
        "Names with control characters, non-ASCII letters, a byte that is no UTF-8, and a NUL, which ends a name."

    switches = [(START, MAIN, 5), (C_CALL, APPEND, 5), (CONTROL, SWITCH, 1, [1]), (START, RUN, 9), (C_CALL, LEN, 10), (CONTROL, SWITCH, 2, [0]),
                (C_RETURN, 0, 3), (START, NUMBERS, 5), (C_CALL, APPEND, 5), (CONTROL, SWITCH, 1, [2]), (START, RUN, 4), (START, NUMBERS, 50)]
    tick = 1000 + sum(e[2] for e in switches)
    here, there = [(RUN * 2, 50), (NUMBERS * 2, 0)], [MAIN * 2, tick - 1005, NUMBERS * 2, tick - 1040, APPEND * 2 + 1, tick - 1045]
    back = [(CONTROL, SWITCH, 7, [0, 3, 3] + there), (C_RETURN, 0, 1), (RETURN, 0, 1), (CONTROL, SWITCH, 2, [2]), (RETURN, 0, 30),
            (CONTROL, SWITCH, 1, [3]), (START, RUN, 4), (RETURN, 0, 4), (CONTROL, SWITCH, 1, [0]), (RETURN, 0, 8)]

    def switching(second):
        return with_chunks(chunk(switches, words=16), chunk(second, position=16, words=14, first_tick=tick, keyframe=here, greenlet=2))

    yield "good-switch", switching(back), \
        "Four greenlets in two chunks. The second chunk begins in greenlet 2 and tells what is open in 0; 1 and 2 are never left."
    yield "good-forget", with_chunks(chunk(
        [(START, MAIN, 1), (CONTROL, SWITCH, 1, [1]), (START, RUN, 1), (C_CALL, LEN, 1), (CONTROL, FORGET, 9, []), (OPEN, RUN, 0), (RETURN, 0, 5),
         (CONTROL, SWITCH, 1, [0]), (RETURN, 0, 1)])), "What is open is forgotten, in both greenlets: one frame is opened again, and the last return has none."
    there[2] = RUN * 2

    yield "bad-no-end", with_chunks(simple, index=False, end=False), "A recording that was cut off between two blocks: no END."
    yield "bad-truncated", complete[:len(complete) - 7], "The last seven bytes are missing."
    yield "bad-half", complete[:len(complete) // 2], "The second half is missing."
    yield "bad-trailing-bytes", complete + b"more", "Four bytes follow the END."
    yield "bad-magic", flipped(complete, complete.index(MAGIC, 1)), "The magic of the second block is damaged."
    yield "bad-header-checksum", flipped(complete, 28), "The checksum of the first block's header is damaged: no HEADER."
    where = complete.index(MAGIC + struct.pack("<H", CHUNK))
    yield "bad-payload", flipped(complete, where + 32 + 95), "A byte inside the only chunk is damaged."
    yield "bad-gap", complete[:where] + complete[where + 32 + len(simple):], "The only chunk is missing: a gap in the sequence numbers."
    two = with_chunks(first, second)
    where = two.index(MAGIC + struct.pack("<H", CHUNK))
    yield "bad-first-chunk-missing", flipped(two, where + 40), "The first of two chunks is damaged; the second starts from its keyframe."
    yield "bad-garbage-between", complete[:where] + b"\xb7PTRC garbage " * 9 + complete[where:], "Bytes that are no block between two blocks."
    yield "bad-flags", trace([(*PREAMBLE[0], 2)] + PREAMBLE[1:] + [(CHUNK, simple)] + ENDINGS), "A block flag that does not exist."
    yield "bad-header-twice", trace(PREAMBLE[:1] + PREAMBLE + [(CHUNK, simple)] + ENDINGS), "A second HEADER."
    yield "bad-no-header", trace(PREAMBLE[1:] + [(CHUNK, simple)] + ENDINGS), "No HEADER at all."
    yield "bad-header-cbor", with_chunks(simple, preamble=replaced(0, header()[:-9])), "The CBOR of the HEADER ends too early, under a right checksum."
    yield "bad-cbor-deep", with_chunks(simple, preamble=replaced(2, b"\x81" * 100_000)), "CBOR nested a hundred thousand levels deep."
    too_deep = cbor("future") + b"\x81" * 7 + b"\x80"
    yield "bad-cbor-depth", with_chunks(simple, preamble=replaced(3, b"\xa8" + PREAMBLE[3][1][1:] + too_deep)), "CBOR nested 9 deep."
    yield "bad-cbor-nul", with_chunks(simple, preamble=replaced(3, PREAMBLE[3][1].replace(b"MainThread", b"Main\0hread"))), "A thread's name with a NUL in it."
    yield "bad-cbor-length", with_chunks(simple, preamble=replaced(2, b"\xbb" + b"\xff" * 8)), "A CBOR map that claims 2^64 − 1 entries."
    yield "bad-cbor-trailing", with_chunks(simple, preamble=replaced(2, PREAMBLE[2][1] + b"\0")), "A byte behind the CBOR of a PROCESS."
    yield "bad-cbor-duplicate", with_chunks(simple, preamble=replaced(2, b"\xa2" + cbor("process") + cbor(1) + cbor("process") + cbor(2))), \
        "A key stands twice in a PROCESS."
    yield "bad-name-kind", with_chunks(simple, preamble=replaced(4, cbor({"process": 1, "first": 1, "names": [[7, "m", "f", "", 0, 0]]}))), \
        "A definition of a kind that does not exist."
    yield "bad-name-zero", with_chunks(simple, preamble=replaced(4, cbor({"process": 1, "first": 0, "names": FUNCTIONS}))), "A definition for id 0."
    yield "bad-raise-site", with_chunks(chunk([(START, MAIN, 1), (EXCEPTION, 77, 1), (RETURN, 0, 1)], flags=1)), \
        "An exception at a raise site that no block names."
    yield "bad-kind", with_chunks(chunk([(20, 1, 1)])), "An entry of kind 20, which does not exist."
    yield "bad-code", with_chunks(chunk(SIMPLE, part_codes=b"\xee" * len(SIMPLE))), "Codes beyond the symbol table."
    yield "bad-symbol-twice", with_chunks(chunk([(START, 1, 1), (START, 2, 1)], class_of=lambda kind, ident: ident,
                                                part_symbols=struct.pack("<2I", 1 << 29 | 33, 2 << 29 | 33))), "Two symbols that differ in class alone."
    yield "bad-class", with_chunks(chunk([(START, 1, 1)], part_symbols=struct.pack("<I", 4 << 29 | 33))), "An entry of another class than the groups tell."
    yield "bad-groups", with_chunks(chunk(SIMPLE, part_groups=struct.pack("<64I", *[1 << 31] * 64))), "Groups that are far larger than the chunk."
    yield "bad-leave-id", with_chunks(chunk([(START, 1, 1), (RETURN, 1, 1)])), "A return that carries an id."
    yield "bad-wide-missing", with_chunks(chunk([(START, 1, 300), (RETURN, 0, 300)], part_wide=varint(45))), "One wide time too few."
    yield "bad-wide-left", with_chunks(chunk([(START, 1, 300), (RETURN, 0, 3)], part_wide=varint(45) * 2)), "One wide time too many."
    yield "bad-varint-long", with_chunks(chunk([(START, 1, 300)], part_wide=b"\xad\x00")), "A varint that is longer than it need be."
    yield "bad-arguments", with_chunks(chunk([(CONTROL, STALL, 1, [5])], part_arguments=b"\x7f\x05")), "Arguments that claim more bytes than there are."
    yield "bad-keyframe", with_chunks(chunk([(RETURN, 0, 1)], depth=3, part_keyframe=bytes([0, 1, 2, 0]))), \
        "A keyframe with one of three open frames."
    yield "bad-switch", switching([(CONTROL, SWITCH, 7, [0, 3, 3] + there)] + back[1:]), "A switch tells of a stack that is not what was set aside."
    yield "bad-switch-frames", with_chunks(chunk([(CONTROL, SWITCH, 1, [1, 3, 1, 2, 0])])), "A switch tells one of three open frames."
    yield "bad-switch-nobody", with_chunks(chunk([(CONTROL, SWITCH, 1, [])])), "A switch without a number."
    yield "bad-last-tick", with_chunks(chunk(SIMPLE, last_tick=999_999)), "The chunk's last tick is not that of its last entry."
    yield "bad-events", with_chunks(chunk(SIMPLE, events=3)), "The chunk's count of events is wrong."
    yield "bad-entries", with_chunks(chunk(SIMPLE, entries=60_000)), "The chunk claims more entries than it has."
    yield "bad-raw-size", with_chunks(chunk(SIMPLE, raw=1 << 30)), "The chunk claims to decompress to a gigabyte."
    yield "bad-zstd", with_chunks(chunk(SIMPLE, packed=b"no zstd frame")), "What should be a zstd frame is none."
    bomb = zstd(bytes(200_000_000), "-19")
    yield "bad-zstd-bomb", with_chunks(chunk(SIMPLE, packed=bomb)), "A zstd frame that decompresses to 200 MB, far beyond the stated length."
    yield "bad-end-totals", with_chunks(simple, events=5), "The END counts fewer events than the chunks hold."
    yield "bad-end-tick", with_chunks(simple, end_tick=79_999), "A process and a thread that end after the recording."
    yield "bad-index", with_chunks(simple, index=b"\0" * 40), "An INDEX that does not fit the file."
    yield "bad-lost", with_chunks(chunk(
        [(START, MAIN, 1), (CONTROL, LOST, 900, [1234, 800, 1, 2, 2, RUN * 2, LEN * 2 + 1]), (C_RETURN, 0, 9), (RETURN, 0, 2), (CLOSE, 0, 1)], flags=1)), \
        "Valid, but 1,234 events were lost: one frame was left and two entered meanwhile."

    yield "bad-pushed", with_chunks(chunk([(CONTROL, LOST, 1, [1, 1, 1 << 20, pushed, 0]) for pushed in (1 << 20, 1)], flags=1)), \
        "Two losses that push one frame more than those of a chunk may."

    yield "unsupported-major", with_chunks(simple, preamble=replaced(0, header(major=2))), "Format version 2."
    yield "unsupported-feature", with_chunks(simple, preamble=replaced(0, header(incompatible=1 << 9))), "An incompatible feature that nobody knows."
    yield "unsupported-block", trace(PREAMBLE + [(4000, b"from the future"), (CHUNK, simple)] + ENDINGS), \
        "A block of an unknown type that is not OPTIONAL."


def main():
    for name in os.listdir(HERE):
        if name.endswith(".bin"):
            os.unlink(os.path.join(HERE, name))
    lines = ["# Test vectors", "", "Made by `make_vectors.py`, read by every reader there is. `good-*` must be read without complaint, `bad-*` opened or",
             "refused without a crash and never called pristine, `unsupported-*` refused as such.", ""]
    for name, data, sentence in vectors():
        with open(os.path.join(HERE, name + ".bin"), "wb") as file:
            file.write(data)
        lines.append(f"- `{name}.bin`: {sentence}")
    with open(os.path.join(HERE, "README.md"), "w") as file:
        file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
