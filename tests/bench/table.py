"""What is shown: a row a program while it is measured, then a row a tool."""

import os
import shlex

import summary

WIDTH = 10


def label(tool):
    """A tool's name in two short lines."""
    name, *options = shlex.split(tool)
    name, at, build = name.partition("@")
    return name, " ".join([at + os.path.basename(build.rstrip("/"))] * bool(at) + [option.lstrip("-") for option in options])


def print_heading(tools):
    for line in range(2):
        cells = "".join("%*s" % (WIDTH, label(tool)[line][: WIDTH - 1]) for tool in tools)
        print("%-22s%s" % ("" if line else "program", cells))


def print_row(row, tools, key):
    """Seconds without a tool, then how many times as long it took."""
    cells = []
    for tool in tools:
        if tool not in row["runs"]:
            cells.append("failed")
        elif tool == "bare":
            cells.append("%.3f s" % summary.median(row["runs"][tool], key))
        else:
            cells.append("%.2f" % summary.slowdown(row, tool, key))
    print("%-22s%s" % (row["program"], "".join("%*s" % (WIDTH, cell) for cell in cells)), flush=True)
    for tool, reason in row["failed"].items():
        print("    %s: %s" % (tool, reason))


COLUMNS = (
    # heading, of what, figure, format
    ("slow-", "down", "slowdown", "%.3f"),
    ("worst", "", "worst", "%.2f"),
    ("added ÷", "cProfile", "by_cprofile", "%.2f"),
    ("ns/", "event", "added_ns", "%.1f"),
    ("CPU", "", "cpu", "%.2f"),
    ("bytes/", "event", "bytes", "%.2f"),
    ("start", "ms", "start_s", 1e3),
    ("stop", "ms", "stop_s", 1e3),
    ("lost", "", "lost", "%d"),
    ("stalled", "", "stalled", "%.1f %%"),
)


def cell(figures, name, form):
    if name not in figures:
        return ""
    if isinstance(form, float):
        return "%.1f" % (figures[name] * form)
    return form % (figures[name] * 100 if form.endswith("%") else figures[name])


def print_summary(means):
    width = max([len(tool) for tool in means] + [4]) + 1
    for line in range(2):
        print("%-*s%s" % (width, "" if line else "tool", "".join("%9s" % column[line] for column in COLUMNS)))
    for tool, figures in means.items():
        print("%-*s%s" % (width, tool, "".join("%9s" % cell(figures, name, form) for _, _, name, form in COLUMNS)))
