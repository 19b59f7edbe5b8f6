"""What a tool has written, by its own account or as its file shows: bytes, events, events lost."""

import json
import os
import re
import subprocess

import contenders


def of_pytrace(path, analyzer, before):
    done = subprocess.run([analyzer, path, "--format", "json", "--top", "1"], stdout=subprocess.PIPE, check=True)
    trace = json.loads(done.stdout)["trace"]
    return {key: trace[key] for key in ("events", "lost", "stalled_ns")}


# Perfetto's protocol buffers: a packet (field 1 of the file) with a time (8), a sequence (10), and a track event (11) that begins by
# saying that a slice begins (1) or ends (2).
TRACE0_SLICE = re.compile(rb"\x0a.\x40[\x80-\xff]*[\x00-\x7f]\x50[\x80-\xff]*[\x00-\x7f](?:\x68.)?\x5a.\x48[\x01\x02]", re.DOTALL)


def of_trace0(path, analyzer, before):
    """How many were dropped stands in the last packet, as text."""
    with open(path, "rb") as file:
        data = file.read()
    dropped = re.search(rb"trace0: (\d+) events dropped", data[-200:])
    events = before["events"] if before else sum(1 for _ in TRACE0_SLICE.finditer(data))
    return {"events": events, "lost": int(dropped[1]) if dropped else 0}


def of_viztracer(path, analyzer, before):
    """Each of its complete events is a call and a return."""
    if before:
        return {"events": before["events"]}
    calls, rest = 0, b""
    with open(path, "rb") as file:
        for part in iter(lambda: file.read(1 << 24), b""):
            ends = [match.end() for match in re.finditer(rb'"ph": ?"X"', rest + part)]
            calls += len(ends)
            rest = (rest + part)[max([*ends, len(rest + part) - 16]) :]
    return {"events": 2 * calls}


READERS = {"pytrace": of_pytrace, "trace0": of_trace0, "viztracer": of_viztracer}

def read(tool, place, analyzer, before=None):
    """BEFORE is what a run of the same told: what takes long to count is not counted again."""
    for name in (contenders.TRACE, contenders.TRACE + ".json"):
        path = os.path.join(place, name)
        if os.path.exists(path):
            facts = {"bytes": os.stat(path).st_size}
            reader = READERS.get(contenders.name_of(tool))
            if reader:
                facts.update(reader(path, analyzer, before))
            return facts
    return {}
