"""From runs to figures. A row holds the runs of all tools on one program; what counts of several runs is the median."""

import math
import statistics

# How a run is timed: as the clock on the wall has it, or by the processor time of the measured process, which is steadier on a busy
# machine but does not know of waiting.
TIMES = {"wall": "work_s", "cpu": "work_cpu_s"}


def median(runs, key):
    return statistics.median(run[key] for run in runs)


def geometric_mean(values):
    return math.exp(statistics.fmean(map(math.log, values)))


def slowdown(row, tool, key):
    """Of each round, then the median: what disturbs a whole round disturbs both."""
    pairs = zip(row["runs"][tool], row["runs"]["bare"])
    return statistics.median(run[key] / bare[key] for run, bare in pairs)


def added_s(row, tool, key):
    """Per unit of work."""
    return (slowdown(row, tool, key) - 1) * median(row["runs"]["bare"], key)


def of_program(row, tool, key, events):
    """The figures of a tool on one program. EVENTS is how many there were to record, as far as that is known."""
    runs = row["runs"][tool]
    base = row["runs"]["bare"]
    figures = {
        "slowdown": slowdown(row, tool, key),
        "added_s": added_s(row, tool, key),
        "cpu": median(runs, "cpu_s") / median(base, "cpu_s"),
        "stop_s": median(runs, "stop_s"),
        "start_s": median(runs, "start_s"),
    }
    if "cProfile" in row["runs"]:
        figures["by_cprofile"] = figures["added_s"] / added_s(row, "cProfile", key)
    if events:
        figures["added_ns"] = figures["added_s"] / events * 1e9
    if "bytes" in runs[0]:
        figures["bytes"] = median(runs, "bytes") / events
    for name in ("lost", "stalled_ns"):
        if name in runs[0]:
            figures[name] = max(run[name] for run in runs)
    if "stalled_ns" in figures:
        figures["stalled"] = figures["stalled_ns"] / 1e9 / median(runs, "work_s")
    return figures


def events_of(row, tool):
    """How many events the tool itself noted; those of others are not known to it."""
    runs = row["runs"][tool]
    return median(runs, "events") + median(runs, "lost") if "events" in runs[0] else None


def summarize(rows, key):
    """Per tool, over the programs on which it ran."""
    tools = {tool: None for row in rows for tool in row["runs"]}
    result = {}
    for tool in tools:
        if tool == "bare":
            continue
        all_figures = [of_program(row, tool, key, events_of(row, tool)) for row in rows if tool in row["runs"]]

        def values(name):
            return [figures[name] for figures in all_figures if name in figures]

        means = {
            "slowdown": geometric_mean(values("slowdown")),
            "worst": max(values("slowdown")),
            "cpu": geometric_mean(values("cpu")),
            "stop_s": statistics.median(values("stop_s")),
            "start_s": statistics.median(values("start_s")),
        }
        for name in ("by_cprofile", "added_ns"):
            if values(name):
                means[name] = statistics.median(values(name))
        if values("bytes"):
            means["bytes"] = geometric_mean(values("bytes"))
            means["lost"] = sum(values("lost"))
            means["stalled"] = max(values("stalled"))
        result[tool] = means
    return result
