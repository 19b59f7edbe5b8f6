"""What is shown: a row a program while it is measured, then a row a tool."""

import os
import shlex

import contenders
import summary


def words(tool):
    """A tool's name in two short lines."""
    name, *options = shlex.split(tool)
    name, at, build = name.partition("@")
    if options == ["--no-c-calls"]:
        options = ["no C"]
    return name, " ".join(["@" + os.path.basename(build.rstrip("/"))] * bool(at) + [option.lstrip("-") for option in options])


def width_of(tools):
    """Of a column, so that all fit into a line of 120."""
    return min(11, (118 - 22) // len(tools))


def print_heading(tools):
    width = width_of(tools)
    for line in range(2):
        cells = "".join("%*s" % (width, words(tool)[line][: width - 1]) for tool in tools)
        if cells.strip():
            print("%-22s%s" % ("" if line else "program", cells))


def print_row(row, tools, key):
    """Seconds without a tool, then how many times as long it took."""
    width = width_of(tools)
    cells = []
    for tool in tools:
        if tool not in row["runs"]:
            cells.append("-")
        elif tool == "bare":
            cells.append("%.2f s" % summary.median(row["runs"][tool], key))
        else:
            cells.append("%.2f" % summary.slowdown(row, tool, key))
    print("%-22s%s" % (row["program"], "".join("%*s" % (width, cell) for cell in cells)), flush=True)


def print_failures(rows):
    """Each once."""
    reasons = {}
    for row in rows:
        for tool, reason in row["failed"].items():
            reasons.setdefault((tool, reason), []).append(row["program"])
    for (tool, reason), names in reasons.items():
        print("- %s: %s (%s)" % (tool, reason, ", ".join(names[:3]) + (", …" if len(names) > 3 else "")))


def share(value):
    return "0" if value == 0 else "< 0.1 %" if value < 0.001 else "%.1f %%" % (100 * value)


COLUMNS = (
    # two lines of heading, the figure, how it is shown
    ("time", "× bare", "slowdown", "{:.2f}".format),
    ("added ÷", "cProfile", "by_cprofile", "{:.2f}".format),
    ("added", "ns/ev.", "added_ns", "{:.0f}".format),
    ("CPU", "× bare", "cpu", "{:.2f}".format),
    ("beside", "ns/ev.", "helpers_ns", "{:.1f}".format),
    ("memory", "MiB", "memory_bytes", lambda value: "%.1f" % (value / 2**20)),
    ("bytes", "/event", "bytes", "{:.2f}".format),
    ("start", "ms", "start_s", lambda value: "%.0f" % (value * 1e3)),
    ("stop", "ms", "stop_s", lambda value: "%.0f" % (value * 1e3)),
    ("lost", "at most", "lost", share),
    ("stalled", "", "stalled", share),
)


def print_summary(means):
    name_width = max(len(tool) for tool in means) + 1
    widths = [max(len(column[0]), len(column[1]), 5) + 2 for column in COLUMNS]
    for line in range(2):
        cells = "".join("%*s" % (width, column[line]) for column, width in zip(COLUMNS, widths))
        print(("%-*s%9s%s" % (name_width, "" if line else "tool", "" if line else "keeps", cells)).rstrip())
    for tool, figures in means.items():
        if tool == "bare":
            continue
        cells = [form(figures[name]) if name in figures else "" for _, _, name, form in COLUMNS]
        shown = "".join("%*s" % (width, cell) for cell, width in zip(cells, widths))
        print(("%-*s%9s%s" % (name_width, tool, contenders.keeps(tool), shown)).rstrip())


def print_beside(beside, rival="trace0"):
    print(
        "\npytrace --no-c-calls adds %.2f of the time that %s adds; pytrace, with C calls, %.2f, and less CPU on %d of %d programs."
        % (beside["python_time"], rival, beside["c_time"], beside["c_cpu_below"], beside["programs"])
    )
