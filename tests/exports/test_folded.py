"""folded: read as Brendan Gregg describes it, and by gprof2dot, and compared with the call tree."""
import io
import re
import unittest

import exports

CHOICES = [("--no-collapse",), ("--py",), ("--hide", "run|odd"), ("--focus", "len|area"), ("-r", "20%~70%"), ("--by", "process")]


def paths(nodes):
    """{path: self time} by the tree."""
    _, times = exports.paths(nodes)
    return {tuple(name.replace(";", "\\x3b") for name in path): ns for path, ns in times.items()}


def parse(text):
    """Collapsed stacks: what stands behind the last space is the count."""
    found = {}
    for line in text.splitlines():
        stack, count = re.fullmatch(r"(.+) (\d+)", line).groups()
        path = tuple(stack.split(";"))
        found[path] = found.get(path, 0) + int(count)
    return found


class Folded(exports.TestCase):
    def test_every_path_has_the_self_time_of_the_tree(self):
        def check(trace, *options):
            self.assertEqual(parse(exports.export("folded", trace, *options).decode()), paths(exports.tree(trace, *options)))

        self.on_each_trace(check, *CHOICES)


class Gprof2dot(exports.TestCase):
    def test_it_finds_the_same_functions_and_self_times(self):
        self.use_packages()
        import gprof2dot

        def check(trace, *options):
            text = exports.export("folded", trace, *options).decode()
            if not text:
                return
            profile = gprof2dot.CollapseParser(io.StringIO(text)).parse()
            found = {function.name: function[gprof2dot.SAMPLES] for function in profile.functions.values()}
            # gprof2dot takes apart what stands in front of a colon: its names are compared by their sums alone
            expected = exports.sums((path[-1], ns) for path, ns in parse(text).items())
            self.assertEqual(sorted(ns for ns in found.values() if ns), sorted(expected.values()))

        self.on_each_trace(check, ("--no-collapse",))


if __name__ == "__main__":
    unittest.main()
