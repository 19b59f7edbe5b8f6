"""The program that the demo records: it reads Python's own library and writes a report about it.

Real work on real input, found on every machine, by tokenize, ast, difflib and json; threads read the files. Nothing in here
knows that it is being recorded.

    python3 demo_program.py [NUMBER OF MODULES]        default 80; 0 is all of them
"""

import ast
import collections
import concurrent.futures
import difflib
import io
import json
import pathlib
import sys
import sysconfig
import tokenize

READERS = 4
NOT_MODULES = {"this.py", "antigravity.py"}  # these print, or open a browser, when they are looked at too closely


def library_modules():
    """The modules of the standard library that are one file, in order of name."""
    library = pathlib.Path(sysconfig.get_path("stdlib"))
    return sorted(path for path in library.glob("*.py") if path.name not in NOT_MODULES)


def count_identifiers(source):
    """How often each name stands in the source."""
    counts = collections.Counter()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NAME:
            counts[token.string] += 1
    return counts


class FunctionSurvey(ast.NodeVisitor):
    """Collects the functions of a module, with the number of decisions that each of them takes."""

    DECISIONS = (ast.If, ast.For, ast.While, ast.ExceptHandler, ast.BoolOp, ast.IfExp, ast.comprehension)

    def __init__(self):
        self.path = []
        self.functions = []

    def visit_ClassDef(self, node):
        self.path.append(node.name)
        self.generic_visit(node)
        self.path.pop()

    def visit_FunctionDef(self, node):
        self.path.append(node.name)
        self.functions.append(
            {
                "name": ".".join(self.path),
                "lines": node.end_lineno - node.lineno + 1,
                "decisions": sum(isinstance(child, self.DECISIONS) for child in ast.walk(node)),
                "documented": ast.get_docstring(node) is not None,
            }
        )
        self.generic_visit(node)
        self.path.pop()

    visit_AsyncFunctionDef = visit_FunctionDef


def formatting_share(source, tree):
    """The share of the first lines that are lost when the source is rebuilt from its tree: comments, spacing, taste."""
    before = source.splitlines()[:200]
    after = ast.unparse(tree).splitlines()[:200]
    return 1 - difflib.SequenceMatcher(None, before, after, autojunk=False).ratio()


def read_source(path):
    return path.stem, path.read_text(encoding="utf-8")


def survey_module(name, source):
    tree = ast.parse(source)
    survey = FunctionSurvey()
    survey.visit(tree)
    return {
        "module": name,
        "identifiers": count_identifiers(source),
        "functions": survey.functions,
        "formatting": round(formatting_share(source, tree), 3),
    }


def write_report(surveys):
    """As JSON, which is read again: what comes back must be what went in."""
    text = json.dumps(surveys, indent=1)
    if json.loads(text) != surveys:
        raise AssertionError("the report did not survive the round trip")
    return text


def main(arguments):
    limit = int(arguments[0]) if arguments else 80
    modules = library_modules()
    modules = modules[:limit] if limit else modules
    with concurrent.futures.ThreadPoolExecutor(READERS, thread_name_prefix="reader") as readers:
        sources = list(readers.map(read_source, modules))
    surveys = [survey_module(name, source) for name, source in sources]
    report = write_report(surveys)

    identifiers = sum((survey["identifiers"] for survey in surveys), collections.Counter())
    functions = [(function, survey["module"]) for survey in surveys for function in survey["functions"]]
    worst, where = max(functions, key=lambda item: item[0]["decisions"])
    print(f"{len(surveys)} modules, {len(functions):,} functions, {len(report):,} bytes of report")
    print("most used names:", ", ".join(name for name, _ in identifiers.most_common(5)))
    print(f"most decisions: {where}.{worst['name']}, {worst['decisions']} in {worst['lines']} lines")


if __name__ == "__main__":
    main(sys.argv[1:])
