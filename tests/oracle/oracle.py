#!/usr/bin/env python3
"""A naive reader of pytrace trace files, written from SPEC.md alone.

It exists to be read beside SPEC.md, from top to bottom in one file, and to disagree with the C reader when one of them is
wrong. It is slow, holds everything in memory, looks for no arena, and stops at nothing: damage is reported and skipped. Needs
Python 3.9 and the `zstd` command.

    oracle.py dump FILE     every entry, as JSON lines like those of `pytrace-analyze dump --format json`
    oracle.py times FILE    calls and times of each function, as JSON lines, with what recording cost taken away (section 3.1); of
                            traces without losses, stalls and greenlets, which tell costs
    oracle.py verdict FILE  one word: good, bad (damage or a broken rule) or unsupported; reasons on stderr
"""
import json
import os
import struct
import subprocess
import sys
import tempfile
import zlib
from fractions import Fraction

MAGIC = b"\xb7PTRC\r\n\x1a"
HEADER, PROCESS, THREAD, NAMES, CLOCK, CHUNK, INDEX, END = range(1, 9)
KINDS = {1: "start", 2: "resume", 3: "throw", 4: "c_call", 5: "open", 6: "return", 7: "yield", 8: "unwind",
         9: "c_return", 10: "c_raise", 11: "close", 12: "line", 13: "opcode", 14: "exception", 31: "control"}
ENTERS, LEAVES, INNER = {1, 2, 3, 4, 5}, {6, 7, 8, 9, 10, 11}, {12, 13, 14}
EVENTS = {1, 2, 3, 4, 6, 7, 8, 9, 10} | INNER


class Bad(Exception):
    """The bytes break a rule of SPEC.md."""


class Unsupported(Exception):
    """The bytes are of a format that this reader does not know."""


# --- Numbers (introduction) ------------------------------------------------------------------------------------------


def varint(data, at):
    value = shift = 0
    while True:
        if at >= len(data):
            raise Bad("varint runs over the end")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if byte == 0 and shift:
                raise Bad("varint is not in its shortest form")
            if value >= 1 << 64:
                raise Bad("varint exceeds 64 bits")
            return value, at
        shift += 7
        if shift > 63:
            raise Bad("varint exceeds 64 bits")


def cbor(data, at=0, depth=0):
    """One CBOR item: uint, bytes, text, array, map, bool. Returns (value, position behind it); a map as a list of pairs."""
    if at >= len(data):
        raise Bad("CBOR runs over the end")
    major, info = data[at] >> 5, data[at] & 31
    at += 1
    if info < 24:
        number = info
    elif info < 28:
        size = 1 << (info - 24)
        if at + size > len(data):
            raise Bad("CBOR runs over the end")
        number = int.from_bytes(data[at:at + size], "big")
        at += size
    else:
        raise Bad("CBOR of indefinite length")
    if major == 0:
        return number, at
    if major in (2, 3):
        if at + number > len(data):
            raise Bad("CBOR string runs over the end")
        piece = data[at:at + number]
        return (piece if major == 2 else piece.decode("utf-8", "surrogateescape")), at + number
    if major in (4, 5):
        if depth == 8:
            raise Bad("CBOR nested too deep")
        items = []
        for _ in range(number):
            item, at = cbor(data, at, depth + 1)
            if major == 5:
                value, at = cbor(data, at, depth + 1)
                item = item, value
            items.append(item)
        return items, at
    if major == 7 and info in (20, 21):
        return info == 21, at
    raise Bad(f"CBOR major type {major} is not used")


def cbor_map(data, known):
    """The keys of `known` (key: type) in a CBOR map that is all of `data`; others are ignored."""
    if not data or data[0] >> 5 != 5:
        raise Bad("CBOR is no map")
    pairs, at = cbor(data)
    if at != len(data):
        raise Bad("bytes behind the CBOR")
    result = {}
    for key, value in pairs:
        if not isinstance(key, str):
            raise Bad("CBOR map key is no text")
        if key not in known:
            continue
        if key in result:
            raise Bad(f"CBOR key {key!r} twice")
        texts = value if known[key] is list else [value]
        if type(value) is not known[key] or (key != "names" and any(isinstance(t, str) and "\0" in t for t in texts)):
            raise Bad(f"CBOR key {key!r} has a wrong value")
        result[key] = value
    return result


def keys(uint="", text="", **others):
    return {**dict.fromkeys(uint.split(), int), **dict.fromkeys(text.split(), str), **others}


KEYS = {  # sections 3, 4 and 7
    1: keys("pid started_ns tick_ps start_tick ring_size max_threads flush_interval_ns max_size level "
            "call_own_ps call_caller_ps c_call_own_ps c_call_caller_ps resume_own_ps resume_caller_ps",
            "boot recorder implementation python hook program executable host machine system clock lines opcodes policy arena",
            run=bytes, argv=list, notes=list, c_calls=bool, exceptions=bool, children=bool),
    2: keys("process parent pid entry generation inherited start_tick end_tick", "ended origin program", notes=list),
    3: keys("thread process slot generation native_id start_tick end_tick", "name"),
    4: keys("process first", names=list),
    5: keys("tick monotonic_ns realtime_ns"),
    8: keys("end_tick index blocks events lost stalled_ticks unslotted_threads unslotted_events", "reason"),
}


# --- Blocks (section 2) ----------------------------------------------------------------------------------------------


def block_at(data, at):
    """(type, flags, sequence, payload) of the valid block at this offset, or None."""
    head = data[at:at + 32]
    if len(head) < 32 or head[:8] != MAGIC:
        return None
    kind, flags, length, sequence, payload_crc, head_crc = struct.unpack_from("<HHIQII", head, 8)
    if zlib.crc32(head[:28]) != head_crc or flags & ~1 or length > 64 << 20:
        return None
    payload = data[at + 32:at + 32 + length]
    if len(payload) < length or zlib.crc32(payload) != payload_crc:
        return None
    return kind, flags, sequence, payload


def blocks(data, problems):
    """All valid blocks in order, with their offsets; what lies between them goes to `problems`."""
    at = 0
    while at < len(data):
        block = block_at(data, at)
        if block:
            yield (at,) + block
            at += 32 + len(block[3])
            continue
        start, at = at, at + 1
        while at < len(data) and not block_at(data, at):
            at = data.find(MAGIC, at + 1)
            if at < 0:
                at = len(data)
        problems.append(f"offset {start}: {at - start} bytes are no valid block")


# --- Chunks (section 5) ----------------------------------------------------------------------------------------------

CHUNK_FIELDS = ("thread slot generation flags first_position words entries first_tick last_tick events depth keyframe_bytes "
                "symbols wide_bytes argument_bytes lost code_width raw_bytes").split()


def unzstd(packed, size):
    with tempfile.NamedTemporaryFile() as file:
        file.write(packed)
        file.flush()
        done = subprocess.run(["zstd", "-dcq", "--no-progress", file.name], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if done.returncode or len(done.stdout) != size:
        raise Bad("zstd frames do not decompress to the stated length")
    return done.stdout


def chunk(payload):
    """The chunk as a dict of its fixed header, with `frames` (keyframe) and `list` of (kind, id, tick, arguments)."""
    if len(payload) < 88:
        raise Bad("chunk is shorter than its header")
    c = dict(zip(CHUNK_FIELDS, struct.unpack_from("<4IQ2I2Q6IQ2I", payload)))
    n, symbols = c["entries"], c["symbols"]
    parts = [4 * symbols, c["keyframe_bytes"], c["code_width"] * n, c["wide_bytes"], c["argument_bytes"], 4 * 64, n]
    if n > 65536 or symbols > 65536 or c["code_width"] != (1 if symbols <= 256 else 2) or sum(parts) != c["raw_bytes"] \
            or c["raw_bytes"] > 16 << 20 or c["flags"] & ~1:
        raise Bad("chunk header contradicts itself")
    raw = unzstd(payload[88:], c["raw_bytes"])
    cuts = [0]
    for part in parts:
        cuts.append(cuts[-1] + part)
    table, keyframe, codes, wide, arguments, groups, times = (raw[a:b] for a, b in zip(cuts, cuts[1:]))

    table = struct.unpack(f"<{symbols}I", table)
    classes = [s >> 29 for s in table]
    table = [s & (1 << 29) - 1 for s in table]
    if len(set(table)) != symbols or any(s & 31 not in KINDS for s in table):
        raise Bad("symbol table breaks the rules")
    if any(s >> 5 and s & 31 in (6, 7, 9, 10, 11) for s in table):
        raise Bad("a leave without id has one")
    codes = struct.unpack(f"<{n}{'B' if c['code_width'] == 1 else 'H'}", codes)

    c["greenlet"], *rest = varints(keyframe)
    c["frames"], rest = told_frames(rest, c["depth"], c["first_tick"])
    if rest:
        raise Bad("bytes behind the keyframe")

    if any(code >= symbols for code in codes):
        raise Bad("code without a symbol")
    times = ungrouped(times, struct.unpack("<64I", groups), [classes[code] for code in codes])
    tick, wide_at, argument_at, entries, events, lost, pushed = c["first_tick"], 0, 0, [], 0, 0, 0
    for code, step in zip(codes, times):
        if step == 255:
            more, wide_at = varint(wide, wide_at)
            step += more
        tick += step
        kind, ident, piece = table[code] & 31, table[code] >> 5, b""
        if kind == 31:
            size, argument_at = varint(arguments, argument_at)
            piece = arguments[argument_at:argument_at + size]
            if size > 65536 or len(piece) < size:
                raise Bad("arguments run over the end")
            argument_at += size
            if ident == 3:
                told = varints(piece)
                if len(told) < 5 or told[4] > told[3] or len(told) < 5 + told[4]:
                    raise Bad("a loss tells too little")
                lost, pushed = lost + told[0], pushed + told[3]
            if ident == 4:
                if not varints(piece):
                    raise Bad("a switch to nobody")
                told_stack(piece, c["first_tick"])
        events += kind in EVENTS
        entries.append((kind, ident, tick, piece))
    if wide_at != len(wide) or argument_at != len(arguments) or events != c["events"] or tick != c["last_tick"] \
            or lost != c["lost"]:
        raise Bad("chunk columns do not add up")
    if pushed > 1 << 20:
        raise Bad("losses push too many frames")
    c["list"] = entries
    return c


def ungrouped(times, sizes, classes):
    """The times in the order of entries, whose classes these are."""
    groups = [8 * a + b for a, b in zip([0] + classes, classes)]
    if any(groups.count(group) != size for group, size in enumerate(sizes)):
        raise Bad("groups of another size")
    by_group = sorted(range(len(groups)), key=lambda entry: groups[entry])  # stable: within a group they stay in order
    ordered = bytearray(len(times))
    for at, entry in enumerate(by_group):
        ordered[entry] = times[at]
    return ordered


def told_frames(numbers, depth, first_tick):
    """The frames of a keyframe whose varints these are, the unknown ones below included, and the varints behind it."""
    if not numbers or numbers[0] != min(depth, 512) or len(numbers) < 1 + 2 * numbers[0]:
        raise Bad("keyframe count")
    end = 1 + 2 * numbers[0]
    if any(frame >= 1 << 25 for frame in numbers[1:end:2]) or any(age > first_tick for age in numbers[2:end:2]):
        raise Bad("keyframe entry")
    return [0] * min(depth - numbers[0], 1 << 24) + numbers[1:end:2], numbers[end:]


def told_stack(piece, first_tick):
    """What a switch tells of the stack of its greenlet."""
    _, *told = varints(piece)
    return told_frames(told[1:], told[0], first_tick)[0] if told else []


def varints(data):
    numbers, at = [], 0
    while at < len(data):
        number, at = varint(data, at)
        numbers.append(number)
    return numbers


# --- The trace -------------------------------------------------------------------------------------------------------


class Trace:
    def __init__(self, data):
        self.problems, self.header, self.end = [], None, None
        self.processes, self.threads, self.names, self.clocks, self.chunks = {}, {}, {}, [], {}
        self.all_blocks = list(blocks(data, self.problems))
        if not self.all_blocks:
            raise Bad("no valid block")
        for number, block in enumerate(self.all_blocks):
            try:
                self.take(number, *block)
            except Bad as problem:
                self.problems.append(f"offset {block[0]}: {problem}")
        if not self.end:
            self.problems.append("no END")

    def take(self, number, offset, kind, flags, sequence, payload):
        if sequence != number + sum("sequence" in p for p in self.problems):
            self.problems.append(f"offset {offset}: sequence {sequence}, not {number}")
        if (kind == HEADER) != (offset == 0):
            self.problems.append(f"offset {offset}: HEADER is not first")
        if kind == HEADER and self.header:
            raise Bad("a second HEADER")
        if self.end:
            raise Bad("a block behind the END")
        if kind == HEADER:
            if len(payload) < 24:
                raise Bad("HEADER is too short")
            major, _, reserved, incompatible, _ = struct.unpack_from("<HHIQQ", payload)
            if major > 1:
                raise Unsupported(f"format version {major}")
            if incompatible:
                raise Unsupported(f"incompatible features {incompatible:#x}")
            if reserved or major < 1:
                raise Bad("HEADER fields")
            self.header = cbor_map(payload[24:], KEYS[kind])
        elif kind in (PROCESS, THREAD):
            new = cbor_map(payload, KEYS[kind])
            table, key = (self.processes, "process") if kind == PROCESS else (self.threads, "thread")
            if not new.get(key):
                raise Bad("no serial number")
            table.setdefault(new[key], {}).update(new)
        elif kind == NAMES:
            new = cbor_map(payload, KEYS[kind])
            if not new.get("first") or not new.get("process"):
                raise Bad("NAMES without process or first id")
            for i, definition in enumerate(new["names"]):
                if len(definition) not in (6, 7) or definition[0] not in (0, 1, 2):
                    raise Bad("a definition has 6 or 7 items")
                texts = [t.split("\0")[0] if isinstance(t, str) else t for t in definition]
                self.names.setdefault(new["process"], {})[new["first"] + i] = texts
        elif kind == CLOCK:
            new = cbor_map(payload, KEYS[kind])
            self.clocks.append((new["tick"], new["monotonic_ns"]))
        elif kind == CHUNK:
            new = chunk(payload)
            if new["lost"]:
                self.problems.append(f"offset {offset}: {new['lost']} events lost")
            self.chunks.setdefault(new["thread"], []).append(new)
        elif kind == INDEX:
            self.check_index(number, payload)
        elif kind == END:
            if len(payload) < 4 or struct.unpack("<I", payload[-4:])[0] != len(payload) + 32:
                raise Bad("END length")
            self.end = cbor_map(payload[:-4], KEYS[kind])
            events = sum(c["events"] for chunks in self.chunks.values() for c in chunks)
            if self.end["blocks"] != number or self.end["events"] != events:
                raise Bad("END totals")
            ends = [of.get("end_tick", 0) for table in (self.processes, self.threads) for of in table.values()]
            ends += [c["last_tick"] for chunks in self.chunks.values() for c in chunks]
            if max(ends, default=0) > self.end["end_tick"]:
                raise Bad("something ends after the END's tick")
        elif not flags & 1:
            raise Unsupported(f"block type {kind}")

    def check_index(self, number, payload):
        if len(payload) != 40 * number:
            raise Bad("INDEX length")
        for i, (offset, kind, _, _, payload_of) in enumerate(self.all_blocks[:number]):
            entry = struct.unpack_from("<QIIQQII", payload, 40 * i)
            info = dict(zip(CHUNK_FIELDS, struct.unpack_from("<4IQ2I2Q6IQ2I", payload_of))) if kind == CHUNK else {}
            expected = (offset, kind, info.get("thread", 0), info.get("first_tick", 0), info.get("last_tick", 0),
                        info.get("events", 0), 0)
            if entry != expected:
                raise Bad(f"INDEX entry {i}")

    def start_tick(self):
        if self.header:
            return self.header["start_tick"]
        if self.processes:
            return self.processes[min(self.processes)]["start_tick"]
        return min((c["first_tick"] for chunks in self.chunks.values() for c in chunks), default=0)

    def monotonic(self, tick):
        points = []
        for point in self.clocks:
            if not points or (point[0] > points[-1][0] and point[1] > points[-1][1]):
                points.append(point)
        if len(points) < 2:
            slope = (self.header or {}).get("tick_ps", 1000)
            base, time = points[0] if points else (0, 0)
            return time + (tick - base) * slope // 1000
        i = 0
        while i + 2 < len(points) and tick > points[i + 1][0]:
            i += 1
        (t0, m0), (t1, m1) = points[i], points[i + 1]
        return m0 + (tick - t0) * (m1 - m0) // (t1 - t0)

    def nanoseconds(self, tick):
        return max(0, self.monotonic(tick) - self.monotonic(self.start_tick()))

    def definition(self, process, ident):
        for _ in range(256):
            p = self.processes.get(process, {})
            if ident == 0:
                break
            if ident > p.get("inherited", 0):
                return self.names.get(process, {}).get(ident)
            if p.get("parent", 0) >= process:
                break
            process = p["parent"]
        return None

    def function(self, process, ident):
        definition = self.definition(process, ident)
        return (definition[1], definition[2]) if definition else ("", "?")

    def raise_site(self, process, ident):
        """The type of the exception, as tracebacks show it, and the line."""
        definition = self.definition(process, ident)
        if not definition or definition[0] != 2:
            return "?", 0
        module, name = definition[1:3]
        return (name if module in ("", "builtins") else f"{module}.{name}"), definition[4]

    def entries(self, thread):
        """Every entry of a thread with the frame that it enters, leaves or is in: (tick, kind name, id, frame or None, arguments)."""
        stack, position, running, aside = [], 0, 0, {}
        for c in sorted(self.chunks.get(thread, []), key=lambda c: c["first_position"]):
            if c["first_position"] != position:
                stack, running, aside = list(c["frames"]), c["greenlet"], {}
            ran = {running}
            position = c["first_position"] + c["words"]
            for kind, ident, tick, piece in c["list"]:
                if kind in ENTERS:
                    stack.append(ident * 2 + (kind == 4))
                    yield tick, KINDS[kind], ident, stack[-1], piece
                elif kind in LEAVES:
                    left = self.leave(stack, kind, ident)
                    yield tick, KINDS[kind], ident, ident * 2 if left is None and kind == 8 else left, piece
                elif kind in INNER:
                    yield tick, KINDS[kind], ident, next((f for f in reversed(stack) if not f & 1), None), piece
                else:
                    if ident == 3:
                        count, _, unwound, pushed, n, *frames = varints(piece)
                        del stack[max(0, len(stack) - unwound):]
                        stack += frames[:n] + [0] * (pushed - n)
                    if ident == 4:
                        aside[running] = stack
                        running = varints(piece)[0]
                        stack = aside.pop(running, [])
                        if running not in ran:
                            told = told_stack(piece, c["first_tick"])
                            if len(stack) != len(told) or stack[-512:] != told[-512:]:
                                stack = told
                        ran.add(running)
                    if ident == 6:
                        stack, aside = [], {}
                    yield tick, {2: "stall", 3: "lost", 4: "switch", 6: "forget", 7: "backstep"}.get(ident, "control"), ident, None, piece

    def cost(self, kind):
        """Own and caller's, in picoseconds."""
        name = {1: "call", 2: "resume", 3: "resume", 4: "c_call"}.get(kind)
        pair = tuple(self.header.get(f"{name}_{side}_ps", 10**10) for side in ("own", "caller"))
        return pair if max(pair) <= 10**9 else (0, 0)

    def times(self):
        """(module, name): [calls, self, total], in picoseconds."""
        (first, first_ns), (last, last_ns) = self.clocks[0], self.clocks[-1]
        tick_ps = Fraction(1000 * (last_ns - first_ns), last - first)
        sums = {}
        for thread in self.chunks:
            process = self.threads[thread]["process"]

            def row(frame):
                return sums.setdefault(self.function(process, frame >> 1), [0, 0, 0])

            stack, entered = [], []

            def left(depth):
                while len(entered) > depth:
                    frame, then = entered.pop()
                    if all(frame >> 1 != other >> 1 for other, _ in entered):
                        row(frame)[2] += now - then

            now = 0  # picoseconds that the thread would have had without the recorder
            before = None
            for c in sorted(self.chunks[thread], key=lambda c: c["first_position"]):
                for kind, ident, tick, _ in c["list"]:
                    passed = (tick - before) * tick_ps if stack else 0
                    own, caller = self.cost(kind) if kind in ENTERS and kind != 5 else (0, 0)
                    if stack:
                        row(stack[-1])[1] += passed - caller
                        now += passed - caller
                    before = tick
                    if kind in ENTERS:
                        stack.append(ident * 2 + (kind == 4))
                        entered.append((stack[-1], now))
                        row(stack[-1])[0] += kind != 5
                        row(stack[-1])[1] -= own
                        now -= own
                    elif kind in LEAVES:
                        self.leave(stack, kind, ident)
                        left(len(stack))
            left(0)
        return sums

    @staticmethod
    def leave(stack, kind, ident):
        if kind == 11:
            return stack.pop() if stack else None
        if kind in (9, 10):
            return stack.pop() if stack and stack[-1] & 1 else None
        python = next((i for i in range(len(stack) - 1, -1, -1) if not stack[i] & 1), None)
        if python is None or (kind == 8 and stack[python] != ident * 2):
            return None
        frame = stack[python]
        del stack[python:]
        return frame


def main(argv):
    if len(argv) != 3 or argv[1] not in ("dump", "times", "verdict"):
        sys.exit(__doc__)
    with open(argv[2], "rb") as file:
        data = file.read()
    try:
        trace = Trace(data)
    except Unsupported as reason:
        print(reason, file=sys.stderr)
        print("unsupported")
        return
    except Bad as reason:
        print(reason, file=sys.stderr)
        print("bad")
        return
    if argv[1] == "verdict":
        for problem in trace.problems:
            print(problem, file=sys.stderr)
        print("bad" if trace.problems else "good")
        return
    if argv[1] == "times":
        for (module, name), (calls, own, total) in trace.times().items():
            print(json.dumps({"module": module, "name": name, "calls": calls, "self_ns": float(max(0, own) / 1000),
                              "total_ns": float(max(0, total) / 1000)}))
        return
    for thread in sorted(set(trace.threads) | set(trace.chunks)):
        process = trace.threads.get(thread, {}).get("process", 0)
        for tick, kind, ident, frame, piece in trace.entries(thread):
            module, name = trace.function(process, frame >> 1) if frame is not None else ("", "")
            line = {"t_ns": trace.nanoseconds(tick), "tid": thread, "kind": kind, "module": module, "name": name}
            if kind in ("line", "opcode"):
                line["line" if kind == "line" else "offset"] = ident
            if kind == "exception":
                line["type"], line["line"] = trace.raise_site(process, ident)
            if kind == "lost":
                line["count"] = varints(piece)[0]
            if kind == "switch":
                line["greenlet"] = varints(piece)[0]
            print(json.dumps(line))


if __name__ == "__main__":
    main(sys.argv)
