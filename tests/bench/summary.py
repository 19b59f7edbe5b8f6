"""From runs to figures. A row holds the runs of all tools on one program; what counts of several runs is the median."""

import math
import statistics

import contenders

# How a run is timed: as the clock on the wall has it, or by the processor time of the measured process, which is steadier on a busy
# machine but does not know of waiting.
TIMES = {"wall": "work_s", "cpu": "work_cpu_s"}

# With fewer events a figure per event says nothing.
EVENTS_MIN = 10_000


def median(runs, key):
    return statistics.median(run[key] for run in runs)


def geometric_mean(values):
    return math.exp(statistics.fmean(map(math.log, values)))


def of_rounds(row, tool, key, base_key=None):
    """Round by round, as a multiple of the program's own: what disturbs a whole round disturbs both."""
    return [run[key] / bare[base_key or key] for run, bare in zip(row["runs"][tool], row["runs"]["bare"])]


def slowdown(row, tool, key):
    return statistics.median(of_rounds(row, tool, key))


def added_s(row, tool, key):
    return (slowdown(row, tool, key) - 1) * median(row["runs"]["bare"], key)


def helpers_s(runs):
    """Processor time beside the measured process; the end of that one, which nobody's clock sees, is in it, too."""
    return statistics.median(run["cpu_s"] - run["host_cpu_s"] for run in runs)


def of_program(row, tool, key):
    """The figures of a tool on one program; those that it does not have are missing."""
    runs, base = row["runs"][tool], row["runs"]["bare"]
    events = row["events"].get(contenders.kind_of(tool), 0)
    figures = {
        "slowdown": slowdown(row, tool, key),
        "cpu": statistics.median(of_rounds(row, tool, "cpu_s")),
        "memory_bytes": median(runs, "host_peak_bytes") - median(base, "host_peak_bytes") + median(runs, "helpers_peak_bytes"),
        "start_s": median(runs, "start_s"),
        "stop_s": median(runs, "stop_s"),
    }
    if "cProfile" in row["runs"]:
        figures["by_cprofile"] = added_s(row, tool, key) / added_s(row, "cProfile", key)
    if events >= EVENTS_MIN:
        figures["added_ns"] = added_s(row, tool, key) / events * 1e9
        figures["helpers_ns"] = (helpers_s(runs) - helpers_s(base)) / events * 1e9
        if contenders.keeps(tool) in ("all", "Python"):
            figures["bytes"] = median(runs, "bytes") / median(runs, "events")
    if "lost" in runs[0]:
        figures["lost"] = max(run["lost"] for run in runs) / max(events, 1)
    elif "events" in runs[0]:
        figures["lost"] = max(0, 1 - median(runs, "events") / max(events, 1))
    if "stalled_ns" in runs[0]:
        figures["stalled"] = statistics.median(run["stalled_ns"] / 1e9 / run["work_s"] for run in runs)
    return figures


# How the figures of the programs become one.
MEANS = {
    "slowdown": geometric_mean,
    "cpu": geometric_mean,
    "bytes": geometric_mean,
    "added_ns": statistics.median,
    "helpers_ns": statistics.median,
    "memory_bytes": statistics.median,
    "start_s": statistics.median,
    "stop_s": statistics.median,
    "stalled": statistics.median,
    "lost": max,
}


def summarize(rows, key):
    """For each tool, over the programs on which it ran."""
    result = {}
    for tool in {tool: None for row in rows for tool in row["runs"]}:
        there = [row for row in rows if tool in row["runs"]]
        figures = [of_program(row, tool, key) for row in there]
        means = result[tool] = {"programs": len(there)}
        for name, mean in MEANS.items():
            values = [one[name] for one in figures if name in one]
            if values:
                means[name] = mean(values)
        both = [row for row in there if "cProfile" in row["runs"]]
        if both:
            # Of the geometric means, as if of one typical program: not of sums, in which the longest program would decide.
            by = geometric_mean(slowdown(row, "cProfile", key) for row in both) - 1
            means["by_cprofile"] = (geometric_mean(slowdown(row, tool, key) for row in both) - 1) / by
    return result


def beside(rows, key, rival="trace0"):
    """What the recorder adds, as a share of what the rival adds that keeps every event, too; None if they were not both measured."""
    ours = {"Python": "pytrace --no-c-calls", "C": "pytrace"}
    rows = [row for row in rows if {rival, *ours.values()} <= set(row["runs"])]
    if not rows:
        return None

    def added(tool):
        return geometric_mean(slowdown(row, tool, key) for row in rows) - 1

    def added_cpu(row, tool):
        return statistics.median(of_rounds(row, tool, "cpu_s")) - 1

    return {
        "programs": len(rows),
        "python_time": added(ours["Python"]) / added(rival),
        "c_time": added(ours["C"]) / added(rival),
        "c_cpu_below": sum(added_cpu(row, ours["C"]) < added_cpu(row, rival) for row in rows),
    }
