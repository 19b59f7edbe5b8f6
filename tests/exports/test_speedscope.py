"""speedscope: valid by speedscope's own schema, and what is opened and closed in it compared with `top`."""
import json
import unittest

import exports

CHOICES = [("--py",), ("--hide", "run|odd"), ("--focus", "len|area"), ("-r", "20%~70%"), ("--ignore", "depth|len"), ("--root", "work|run")]


def tracks(file):
    """Spans of each profile, and their names."""
    names = [frame["name"] for frame in file["shared"]["frames"]]
    for profile in file["profiles"]:
        spans = exports.Spans()
        for event in profile["events"]:
            (spans.begin if event["type"] == "O" else spans.end)(names[event["frame"]], event["at"])
        assert profile["startValue"] <= spans.last <= profile["endValue"]
        yield profile["name"], spans


class Speedscope(exports.TestCase):
    def load(self, trace, *options):
        return json.loads(exports.export("speedscope", trace, *options))

    def test_times_are_those_of_top(self):
        def check(trace, *options):
            found = [spans for _, spans in tracks(self.load(trace, *options))]
            wanted = [("--hide", r"^\{") if option == ("--py",) else option for option in [options]][0]
            functions = exports.top(trace, *wanted)
            # where there are greenlets, what one has open begins again when it goes on
            again = exports.opened(trace, *options) if trace.stem not in ("good-switch", "good-forget") else set(map(exports.shown, functions))
            self.compare_spans(found, functions, again)

        self.on_each_trace(check, *CHOICES)

    def test_each_thread_has_a_profile(self):
        names = [name for name, _ in tracks(self.load(exports.VECTORS / "good-fork.bin"))]
        self.assertEqual(names, ["app.py, process 1, MainThread, tid 1", "app.py, process 2, tid 2"])

    def test_moments_are_those_of_the_trace(self):
        trace = exports.VECTORS / "good-complete.bin"
        lines = [json.loads(line) for line in exports.run("dump", trace, "--format", "json").stdout.splitlines()]
        found = [event["at"] for event in self.load(trace)["profiles"][0]["events"]]
        self.assertEqual(found, [line["t_ns"] for line in lines])

    def test_it_is_what_speedscope_says_that_it_reads(self):
        self.use_packages()
        self.require("node/complete")
        import jsonschema

        schema = json.loads((exports.CONSUMERS / "node/node_modules/speedscope/dist/release/file-format-schema.json").read_text())
        self.on_each_trace(lambda trace, *options: jsonschema.validate(self.load(trace, *options), schema) if trace.stem != "exports-recorded" else None)

    def test_losses_are_told(self):
        self.assertIn("1,234 events were lost", self.load(exports.VECTORS / "bad-lost.bin")["name"])


if __name__ == "__main__":
    unittest.main()
