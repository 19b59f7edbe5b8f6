"""Compares, event by event, what the recorder wrote with what the witness (judge_log.c) saw of the same run.

    compare.py TRACE LOGS [--window FILE:FUNCTION]

For each thread of each process both sequences must hold the same events of the same functions in the same order. Leaves are compared
as a reader of the trace understands them: with the frame that they take off the stack (SPEC.md 5.5).

The interpreter tells of leaves without telling of the entry, where a signal handler raises at that moment. The witness marks them:
unpaired. A function that was left so has done nothing, and the trace does not mention it. A generator may have handled the exception
and gone on, so the trace has an entry for it.
"""

import argparse
import array
import collections
import itertools
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "oracle"))

import oracle

# Both sides as numbers: kind, and above it the number of the function (the witness) or the frame (the trace).
CALL, RETURN, UNWIND, C_CALL, C_RETURN, C_RAISE = range(6)
NAMES = ("call", "return", "unwind", "c_call", "c_return", "c_raise")
UNPAIRED = 8
SHIFT = 4
KINDS = {1: CALL, 2: CALL, 3: CALL, 4: C_CALL, 6: RETURN, 7: RETURN, 8: UNWIND, 9: C_RETURN, 10: C_RAISE}
OPEN, CLOSE, CONTROL = 5, 11, 31
CUT_BY_OTHERS = 1  # judge_log.c
STRING_MAX = 4096  # longer texts are cut in traces

# What the witness sees depends on the interpreter.
C_FUNCTIONS = sys.version_info >= (3, 12)
EVERY_THREAD = sys.version_info >= (3, 12)  # from its first event on; before, those that threading starts, without its own preparations
UNWINDS = sys.version_info[:2] != (3, 12)  # 3.12's profile function takes them for returns

if not UNWINDS:
    KINDS[8] = RETURN

Result = collections.namedtuple("Result", "events threads differences lost cut")


class Difference(Exception):
    pass


# --- The trace ---------------------------------------------------------------------------------------------------------


class Trace(oracle.Trace):
    """The oracle's, but chunks stay packed until they are looked at: test modules have tens of millions of events."""

    def take(self, number, offset, kind, flags, sequence, payload):
        if kind != oracle.CHUNK:
            return super().take(number, offset, kind, flags, sequence, payload)
        chunk = dict(zip(oracle.CHUNK_FIELDS, struct.unpack_from("<4IQ2I2Q6IQ2I", payload)))
        chunk["payload"] = payload
        if chunk["lost"]:
            self.problems.append("offset %d: %d events lost" % (offset, chunk["lost"]))
        self.chunks.setdefault(chunk["thread"], []).append(chunk)

    def definition(self, process, ident):
        """[kind, module, qualname, file, line, …], or None."""
        while ident and ident <= self.processes[process].get("inherited", 0):
            process = self.processes[process]["parent"]
        return self.names.get(process, {}).get(ident)

    def words(self, thread):
        """The events of a thread as numbers, an array for each chunk; leaves bear the frame that they leave."""
        stack = []
        for chunk in self.chunks.get(thread, ()):
            words = array.array("Q")
            append, push, pop = words.append, stack.append, stack.pop
            for kind, frame, word in symbols_in_order(chunk):
                if kind <= OPEN:
                    push(frame)
                    if kind != OPEN and (C_FUNCTIONS or not frame & 1):
                        append(word)
                elif kind == 6 and stack and not stack[-1] & 1:  # what self.leave would do, only faster
                    append(pop() << SHIFT | word)
                elif kind in oracle.LEAVES:
                    left = self.leave(stack, kind, frame >> 1)
                    if kind != CLOSE and left is not None and (C_FUNCTIONS or not left & 1):
                        append(left << SHIFT | word & 7)
            yield words


def symbols_in_order(chunk):
    """(kind, frame, word) of each entry. Nothing else of a chunk matters here: times, and what control records tell."""
    raw = oracle.unzstd(chunk["payload"][88:], chunk["raw_bytes"])
    symbols = []
    for (symbol,) in struct.iter_unpack("<I", raw[: 4 * chunk["symbols"]]):
        kind, ident = symbol & 31, symbol >> 5 & 0xFFFFFF  # above it, the class of its times
        frame = ident << 1 | (kind == 4)
        word = KINDS.get(kind, 0) | (frame << SHIFT if kind in oracle.ENTERS else 0)
        symbols.append((kind, frame, word))
    start = 4 * chunk["symbols"] + chunk["keyframe_bytes"]
    codes = array.array("B" if chunk["code_width"] == 1 else "H")
    codes.frombytes(raw[start : start + chunk["code_width"] * chunk["entries"]])
    return map(symbols.__getitem__, codes)


# --- The witness ---------------------------------------------------------------------------------------------------------


class Log:
    """What the witness saw of one thread."""

    def __init__(self, path):
        self.pid, self.tid, self.serial = map(int, os.path.basename(path).split("."))
        with open(path, "rb") as file:
            events, self.ended, self.cut, self.unpaired = struct.unpack("<QIIQ", file.read(24))
            self.words = array.array("I")
            self.words.fromfile(file, events)


def read_logs(directory):
    """{(pid, tid): logs in the order in which the threads began}"""
    logs = collections.defaultdict(list)
    for name in os.listdir(directory):
        if name != "functions":
            log = Log(os.path.join(directory, name))
            logs[log.pid, log.tid].append(log)
    for of_thread in logs.values():
        of_thread.sort(key=lambda log: log.serial)
    return dict(logs)


def read_functions(directory):
    """{number: (kind, file or type, line, name)}"""
    functions = {}
    with open(os.path.join(directory, "functions"), encoding="utf-8") as file:
        for record in file.read().split("\x1e")[:-1]:
            number, kind, place, line, name = record.split("\x1f")
            functions[int(number)] = kind, place, int(line), name
    return functions


# --- The two together ------------------------------------------------------------------------------------------------------


class Comparison:
    def __init__(self, trace, functions):
        self.trace, self.functions = trace, functions
        self.equal = set()  # pairs of words that are known to tell the same
        self.method_ids = {}  # (process, number of a C function): frame

    def show_seen(self, word):
        kind, place, line, name = self.functions[word >> SHIFT]
        where = "%s:%d" % (os.path.basename(place), line) if kind != "c" else place
        return "%s %s (%s)" % (NAMES[word & 7], name, where)

    def show_written(self, word, process):
        definition = self.trace.definition(process, word >> SHIFT + 1)
        if not definition:
            return "%s of an unknown function" % NAMES[word & 7]
        return "%s %s.%s (%s:%d)" % (NAMES[word & 7], definition[1], definition[2], os.path.basename(definition[3]), definition[4])

    def same(self, seen, written, process):
        definition = self.trace.definition(process, written >> SHIFT + 1)
        if seen & 7 != written & 7 or not definition:
            return False
        kind, place, line, name = self.functions[seen >> SHIFT]
        if (kind == "c") != (definition[0] == 1):
            return False
        if kind != "c":
            texts = [text.split("\0")[0].encode("utf-8", "surrogateescape")[:STRING_MAX] for text in (place, name)]
            told = [text.encode("utf-8", "surrogateescape")[:STRING_MAX] for text in (definition[3], definition[2])]
            return texts == told and max(line, 0) == definition[4]
        # One C function has one id for as long as the process lives.
        frame = self.method_ids.setdefault((process, seen >> SHIFT), written >> SHIFT)
        return frame == written >> SHIFT and definition[2].rpartition(".")[2] == name.rpartition(".")[2]

    def check(self, seen, written, process, position):
        """Raises Difference unless the two sequences tell the same; the shorter one may be longer."""
        different = set()
        for pair in dict.fromkeys(zip(seen, written)):  # each once, in order
            if (process, pair) in self.equal:
                continue
            if self.same(*pair, process):
                self.equal.add((process, pair))
            else:
                different.add(pair)
        if different:
            at = next(i for i, pair in enumerate(zip(seen, written)) if pair in different)
            raise Difference(self.context(seen, written, process, at, position))

    def context(self, seen, written, process, at, position=0):
        lines = ["event %d differs: (witness | trace)" % (position + at)]
        for i in range(max(0, at - 8), at + 4):
            left = self.show_seen(seen[i]) if i < len(seen) else "-"
            right = self.show_written(written[i], process) if i < len(written) else "-"
            lines.append("  %s %-60s | %s" % (">" if i == at else " ", left, right))
        return "\n".join(lines)

    def thread(self, log, thread, window):
        """Compares one thread. Returns the number of events that are equal."""
        process = self.trace.threads[thread]["process"]
        seen, written = log.words, self.trace.words(thread)
        if window is not None:
            seen = within(seen, window)
        if window is not None or not EVERY_THREAD:
            written = self.beginning_with(seen[0], written, process)
        if log.unpaired:
            seen, written = self.without_unpaired(seen, written)
        whole = log.ended and not log.cut and window is None
        position, tail = 0, array.array("Q")
        for words in written:
            self.check(seen[position : position + len(words)], words, process, position)
            position += len(words)
            tail = tail[-8:] + words
            if position >= len(seen) and not whole:
                return len(seen)
        if position != len(seen):
            told = array.array("Q", bytes(8 * (position - len(tail)))) + tail
            context = self.context(seen, told, process, min(position, len(seen)))
            raise Difference("%d events seen, %d written\n%s" % (len(seen), position, context))
        return len(seen)

    def without_unpaired(self, seen, written):
        """Both sides without leaves that have no entry and, in the trace, the entries that they have there."""
        paired, told = array.array("I"), array.array("Q", itertools.chain.from_iterable(written))
        for word in seen:
            if not word & UNPAIRED:
                paired.append(word)
            elif self.functions[word >> SHIFT][0] == "g":
                remove_pair(told, len(paired) + 1)
        return paired, iter([told])

    def beginning_with(self, event, written, process):
        for words in written:
            for i, word in enumerate(words):
                if self.same(event, word, process):
                    return itertools.chain([words[i:]], written)
        raise Difference("there is no %s" % self.show_seen(event))


def within(seen, function):
    """From its entry to its end, or to that of the log."""
    begin = seen.index(function << SHIFT | CALL)
    try:
        return seen[begin : seen.index(function << SHIFT | RETURN) + 1]
    except ValueError:
        return seen[begin:]


def remove_pair(words, at):
    """The leave at this place, and the entry that it belongs to."""
    frame, open_calls = words[at] >> SHIFT, 0
    for i in range(at, -1, -1):
        if words[i] >> SHIFT == frame:
            open_calls += -1 if words[i] & 7 == CALL else 1
            if open_calls == 0:
                del words[at], words[i]
                return


def threads_of(trace, pid):
    """{native id: serial numbers of its threads, as they began}"""
    found = collections.defaultdict(list)
    for serial, thread in sorted(trace.threads.items(), key=lambda item: (item[1]["start_tick"], item[0])):
        if trace.processes[thread["process"]]["pid"] == pid:
            found[thread["native_id"]].append(serial)
    return found


def compare(trace_path, logs_path, window):
    """`window` is (file name, function): in the main thread of the first process, only what happens within is compared."""
    with open(trace_path, "rb") as file:
        trace = Trace(file.read())
    functions, logs = read_functions(logs_path), read_logs(logs_path)
    comparison = Comparison(trace, functions)
    differences = [problem for problem in trace.problems if "lost" not in problem]
    number = next((n for n, (_, place, _, name) in functions.items() if (os.path.basename(place), name) == window), None)
    main_thread = (trace.processes[1]["pid"],) * 2
    events = 0
    for pid in sorted({pid for pid, _ in logs}):
        threads = threads_of(trace, pid)
        tids = {tid for of, tid in logs if of == pid}
        if EVERY_THREAD:
            tids |= set(threads)
        for tid in sorted(tids):
            seen, written = logs.get((pid, tid), []), threads.get(tid, [])
            who = "thread %d of process %d: " % (tid, pid)
            if len(seen) != len(written):
                differences.append(who + "%d times seen, %d times written" % (len(seen), len(written)))
            for log, thread in zip(seen, written):
                try:
                    events += comparison.thread(log, thread, number if (pid, tid) == main_thread else None)
                except Difference as difference:
                    differences.append(who + str(difference))
    cut = sum(log.cut == CUT_BY_OTHERS for of_thread in logs.values() for log in of_thread)
    return Result(events, sum(map(len, logs.values())), differences, trace.end["lost"] if trace.end else 0, cut)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("trace")
    parser.add_argument("logs")
    parser.add_argument("--window", default="run_module.py:window")
    options = parser.parse_args()
    result = compare(options.trace, options.logs, tuple(options.window.split(":")))
    for difference in result.differences:
        print(difference)
    print("%d events in %d threads, %d differences, %d lost, %d cut" % (result.events, result.threads, len(result.differences), result.lost, result.cut))
    return 1 if result.differences or result.lost or result.cut else 0


if __name__ == "__main__":
    sys.exit(main())
