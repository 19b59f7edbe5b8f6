"""The screens of pytrace-analyze, as they are meant to look.

    golden.py ANALYZER            compares them with the files beside this one
    golden.py ANALYZER --rewrite  writes those files anew

A file holds what one command shows of one file of tests/vectors: at three widths, some at narrower ones before, then with
colour (the escape character as ␛).
"""
import difflib
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
VECTORS = HERE.parent / "vectors"

COMMANDS = {
    "top": ["top"],
    "tree": ["tree", "--min-pct", "0"],
    "top-nothing": ["top", "--root", "nobody"],
    "tree-nothing": ["tree", "--root", "nobody"],
    "callers": ["callers", "numbers|run"],
    "callees": ["callees", "main"],
    "lines": ["lines", "."],
    "exceptions": ["exceptions"],
    "top-exceptions": ["top", "--fields", "+exceptions"],
    "threads": ["threads"],
    "threads-by-process": ["threads", "--by", "process"],
    "top-by-process": ["top", "--by", "process"],
    "tree-by-process": ["tree", "--by", "process"],
    "top-compensate": ["top", "--compensate"],
    "tree-compensate": ["tree", "--compensate"],
    "callers-compensate": ["callers", "numbers|len", "--compensate"],
    "threads-compensate": ["threads", "--compensate"],
    "info": ["info"],
    "check": ["check"],
    "dump": ["dump"],
    "export-folded": ["export", "folded"],
    "export-callgrind": ["export", "callgrind"],
    "export-speedscope": ["export", "speedscope"],
    "export-chrome": ["export", "chrome"],
    "diff": ["diff", "good-complete.bin"],
    "diff-compensate": ["diff", "--compensate", "good-costs.bin"],
    "diff-by-path": ["diff", "--by", "path", "good-complete.bin"],
}
SCREENS = {name: ("good-complete", "good-fork", "bad-lost") for name in COMMANDS}
SCREENS["top-nothing"] = SCREENS["tree-nothing"] = ("good-complete",)
SCREENS["top"] += ("good-strange-names", "good-control", "good-unmatched", "bad-no-end", "bad-gap")
SCREENS["check"] += ("bad-gap",)
SCREENS["top"] += ("good-switch",)
SCREENS["tree"] += ("good-switch",)
SCREENS["dump"] += ("good-control", "good-inner", "good-switch")
SCREENS["exceptions"] = ("good-inner", "good-complete")
SCREENS["top-exceptions"] = ("good-inner",)
SCREENS["lines"] = ("good-inner", "good-complete")
SCREENS["top"] += ("good-cpu-clock",)
SCREENS["export-folded"] = ("good-complete", "good-strange-names", "good-switch", "bad-lost")
SCREENS["export-speedscope"] = ("good-complete", "good-switch")
SCREENS["export-chrome"] = ("good-switch", "bad-lost")
SCREENS["export-callgrind"] = ("good-complete", "bad-lost")
SCREENS["top-compensate"] = ("good-costs", "good-costs-in-part", "good-complete")
SCREENS["tree-compensate"] = SCREENS["callers-compensate"] = SCREENS["threads-compensate"] = ("good-costs",)
SCREENS["info"] += ("good-inner", "good-exec", "good-costs")
SCREENS["threads-by-process"] = SCREENS["top-by-process"] = SCREENS["tree-by-process"] = ("good-exec",)
SCREENS["diff"] = ("good-fork", "good-complete", "bad-lost")
SCREENS["diff-compensate"] = ("good-costs",)
SCREENS["diff-by-path"] = ("good-fork",)

VIEWS = [("80 columns", ["--width", "80"]), ("120 columns", ["--width", "120"]), ("200 columns", ["--width", "200"]),
         ("120 columns, colour", ["--width", "120", "--color", "always"])]
# Too narrow for the function's name beside its self time, then for titles too.
NARROW_VIEWS = [("60 columns", ["--width", "60"]), ("42 columns", ["--width", "42"])]


def render(analyzer, command, vector):
    """What the command shows, view by view; a view that looks like the one before is only named."""
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    text = ""
    before = None
    for name, options in (NARROW_VIEWS if command in ("callers", "callees") else []) + VIEWS:
        run = subprocess.run([analyzer, *COMMANDS[command], f"{vector}.bin", *options, "--quiet"], cwd=VECTORS,
                             env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False)
        screen = run.stdout.decode("utf-8", "backslashreplace").replace("\x1b", "␛")
        text += f"=== {name}, exit status {run.returncode}\n"
        text += "(the same)\n" if screen == before else screen
        before = screen
    return text


def main():
    analyzer = str(pathlib.Path(sys.argv[1]).resolve())
    rewrite = sys.argv[2:] == ["--rewrite"]
    expected = {f"{command}-{vector}.screen": (command, vector) for command, vectors in SCREENS.items() for vector in vectors}
    wrong = []
    for path in sorted(HERE.glob("*.screen")):
        if path.name not in expected:
            wrong.append(f"{path.name}: no screen is called so")
            if rewrite:
                path.unlink()
    for name, (command, vector) in expected.items():
        path = HERE / name
        is_now = render(analyzer, command, vector)
        was = path.read_text(encoding="utf-8") if path.exists() else ""
        if is_now == was:
            continue
        wrong.append("".join(difflib.unified_diff(was.splitlines(True), is_now.splitlines(True), name, "now")))
        if rewrite:
            path.write_text(is_now, encoding="utf-8")
    if rewrite:
        print(f"{len(expected)} screens, {len(wrong)} changed")
        return 0
    print("\n".join(wrong) or f"{len(expected)} screens look as they should")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
