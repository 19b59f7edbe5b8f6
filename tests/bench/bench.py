"""Measures what recording costs beside other tools, and how fast the analyzer reads.

    bench.py [record|read] --build DIRECTORY [options]

DIRECTORY is where pytrace was built; see scripts/bench, which calls this. The same as tables on stdout and as JSON, with a description
of the machine, in --output.
"""

import argparse
import json
import os
import pathlib
import sys
import tempfile

import contenders
import machine
import processes
import programs
import reading
import recording
import suite
import summary
import table
import threads

QUICK = {"programs": "quick,micro", "tools": "quick", "rounds": 3, "seconds": 0.15, "events": 2_000_000}
GROUPS = {"quick": suite.QUICK, "suite": suite.MEASURED, "micro": programs.MICRO, "library": programs.LIBRARY, "all": list(suite.PROGRAMS)}


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", nargs="?", choices=("record", "read"), help="one half of it (default: both)")
    parser.add_argument("--build", required=True)
    parser.add_argument("--programs", default="suite,micro", help="names, or %s (suite,micro)" % ", ".join(GROUPS))
    parser.add_argument("--tools", default="all", help="all, quick, or: " + ", ".join(contenders.TOOLS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="how long a program is to take by itself (%(default)s)")
    parser.add_argument("--time", choices=summary.TIMES, default="wall", help="of the measured process (%(default)s); cpu is steadier")
    parser.add_argument("--events", type=int, default=20_000_000, help="in the traces that are read (%(default)s)")
    parser.add_argument("--output", type=pathlib.Path)
    parser.add_argument("--quick", action="store_true", help="fewer programs, tools and rounds: under three minutes on a machine at rest")
    parser.set_defaults(**QUICK if "--quick" in sys.argv else {})
    options = parser.parse_args()
    options.programs = [name for word in options.programs.split(",") for name in GROUPS.get(word, [word])]
    named = {"all": contenders.ALL, "quick": contenders.QUICK}
    options.tools = [tool for word in options.tools.split(",") for tool in named.get(word, [word.strip()])]
    for tool in options.tools:
        if contenders.name_of(tool) not in contenders.TOOLS:
            parser.error("there is no tool called %s" % tool)
    if "bare" not in options.tools:
        options.tools.insert(0, "bare")
    return options


def record(options, place):
    key = summary.TIMES[options.time]
    measurer = recording.Measurer(options.build, place)
    rows = []
    table.print_heading(options.tools)
    for program in options.programs:
        try:
            rows.append(measurer.measure(program, options.tools, options.rounds, options.seconds))
        except processes.Failed as failure:
            print("%-22s%s" % (program, failure))
            continue
        except KeyboardInterrupt:
            print("interrupted: what follows is of the programs above")
            break
        table.print_row(rows[-1], options.tools, key)
    table.print_failures(rows)
    if not rows:
        sys.exit(1)
    measured = [row for row in rows if row["program"] in suite.MEASURED] or rows
    print("\nOver %s:" % ("%d programs" % len(measured) if len(measured) > 1 else measured[0]["program"]))
    means = summary.summarize(measured, key)
    table.print_summary(means)
    beside = summary.beside(measured, key)
    if beside:
        table.print_beside(beside)
    return {"rows": rows, "summary": means, "beside": beside, "time": options.time}


def main():
    options = parse_options()
    results = {"machine": machine.describe()}
    print("%s; median of %d\n" % (machine.heading(results["machine"]), options.rounds))
    with tempfile.TemporaryDirectory() as directory:
        if options.what != "read":
            results["recording"] = record(options, directory)
            if not getattr(sys, "_is_gil_enabled", lambda: True)():
                results["threads"] = threads.measure(options.rounds, os.path.join(options.build, "python"))
                threads.show(results["threads"])
        if options.what != "record":
            results["reading"] = reading.measure(options.build, options.events, options.rounds, pathlib.Path(directory))
            print()
            reading.show(results["reading"])
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps(results, indent=1) + "\n")
        print("\nsaved in %s" % options.output)


if __name__ == "__main__":
    main()
