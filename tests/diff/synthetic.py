"""Recordings of programs that never ran: calls and times are known to the tick.

A program is a list of calls (depth first, as they happen); a run of it is the time that each call had of its own. Both
become a trace by the writer of tests/vectors, which shares no code with the analyzer. A tick is 4 ns, exactly.
"""
import importlib.util
import pathlib
import struct
import zlib

VECTORS = pathlib.Path(__file__).resolve().parent.parent / "vectors"
_spec = importlib.util.spec_from_file_location("make_vectors", VECTORS / "make_vectors.py")
writer = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(writer)

TICK_NS = 4
START = 1000


def stored(data):
    """A zstd frame that holds the data as it is: no program to start."""
    frame = b"\x28\xb5\x2f\xfd" + b"\xa0" + struct.pack("<I", len(data))
    for at in range(0, len(data) or 1, 1 << 17):
        piece = data[at:at + (1 << 17)]
        last = at + (1 << 17) >= len(data)
        frame += struct.pack("<I", len(piece) << 3 | last)[:3] + piece
    return frame


writer.zstd = stored


class Function:
    def __init__(self, module, name, code=None, kind="py"):
        self.module, self.name, self.kind = module, name, kind
        self.hash = 0 if kind == "c" else zlib.crc32((code or f"{module}:{name}").encode()) + 1

    def __repr__(self):
        return f"{self.module}:{self.name}"


class Call:
    """A call of a function, with the calls that it makes."""

    def __init__(self, function, *inner):
        self.function, self.inner = function, inner


def flatten(call, path=()):
    """All calls in the order in which they begin: (path of functions, the last one of it is called)."""
    path += (call.function,)
    yield path
    for inner in call.inner:
        yield from flatten(inner, path)


def write(path, roots, times, started_ns=1_700_000_000_000_000_000, lose=None, **settings):
    """Writes the trace of one run: one thread, which makes the calls `roots`. `times`: the ticks of each call, in the order
    in which they begin. `lose`: so many of the last entries are lost."""
    functions = list(dict.fromkeys(path[-1] for root in roots for path in flatten(root)))
    ids = {function: number for number, function in enumerate(functions, 1)}
    ticks = iter(times)
    items = []
    for root in roots:
        items += put(root, ids, ticks)
    tail = []
    if lose:
        items, tail = items[:-lose], [(writer.CONTROL, writer.LOST, 5, [lose, 5, 0, 0, 0])]
    parts = [
        (writer.HEADER, writer.header(tick_ps=TICK_NS * 1000, start_tick=START, started_ns=started_ns, **settings)),
        (writer.CLOCK, writer.cbor({"tick": START, "monotonic_ns": 5_000_000, "realtime_ns": started_ns})),
        writer.PREAMBLE[2], writer.PREAMBLE[3],
        (writer.NAMES, writer.cbor({"process": 1, "first": 1, "names": [
            [1 if f.kind == "c" else 0, f.module, f.name, "" if f.kind == "c" else f"/srv/{f.module}.py", 0 if f.kind == "c" else 10, f.hash]
            for f in functions]})),
    ]
    tick, position, stack = START, 0, []
    items += tail
    for at in range(0, len(items), 50_000):
        piece = items[at:at + 50_000]
        last = at + 50_000 >= len(items)
        keyframe = [(frame, tick - entered) for frame, entered in stack]
        parts.append((writer.CHUNK, writer.chunk(piece, position=position, first_tick=tick, keyframe=keyframe, flags=int(last))))
        position += len(piece)
        for kind, ident, step, *_ in piece:
            tick += step
            if kind in (writer.START, writer.C_CALL):
                stack.append((ident * 2 + (kind == writer.C_CALL), tick))
            elif kind in (writer.RETURN, writer.C_RETURN):
                stack.pop()
    end = tick + 10
    parts += [
        (writer.CLOCK, writer.cbor({"tick": START + 1_000_000, "monotonic_ns": 5_000_000 + TICK_NS * 1_000_000,
                                    "realtime_ns": started_ns + TICK_NS * 1_000_000})),
        (writer.THREAD, writer.cbor({"thread": 1, "process": 1, "end_tick": end})),
        (writer.PROCESS, writer.cbor({"process": 1, "end_tick": end, "ended": "stopped"})),
    ]
    pathlib.Path(path).write_bytes(writer.trace(parts, end_tick=end))


def put(call, ids, ticks):
    """The entries of a call and all that it makes. A call's own time passes in equal parts before, between and behind the
    calls that it makes."""
    c = call.function.kind == "c"
    own = next(ticks)
    parts = len(call.inner) + 1
    share, more = divmod(own, parts)
    items = [[writer.C_CALL if c else writer.START, ids[call.function], 0]]
    for inner in call.inner:
        below = put(inner, ids, ticks)
        below[0][2] += share
        items += below
    items.append([writer.C_RETURN if c else writer.RETURN, 0, share + more])
    return items
