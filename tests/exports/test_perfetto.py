"""perfetto: read with the classes that Perfetto's own definitions generate, and compared with `top`."""
import collections
import json
import unittest

import exports

CHOICES = [("--py",), ("--hide", "run|odd"), ("--focus", "len|area"), ("-r", "20%~70%"), ("--ignore", "depth|len")]


class Perfetto(exports.TestCase):
    def setUp(self):
        super().setUp()
        self.use_packages()

    def load(self, trace, *options):
        from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace

        return Trace.FromString(exports.export("perfetto", trace, *options)).packet

    def read(self, packets):
        """{uuid: descriptor}, {uuid: spans}, [moments], [notes]"""
        from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import TracePacket, TrackEvent

        tracks, spans, moments, notes, names = {}, collections.defaultdict(exports.Spans), [], [], {}
        self.assertEqual(packets[0].sequence_flags, TracePacket.SEQ_INCREMENTAL_STATE_CLEARED)
        for packet in packets:
            self.assertEqual(packet.trusted_packet_sequence_id, 1)
            for name in packet.interned_data.event_names:
                self.assertNotIn(name.iid, names)
                names[name.iid] = name.name
            if packet.HasField("track_descriptor"):
                tracks[packet.track_descriptor.uuid] = packet.track_descriptor
            if packet.HasField("track_event"):
                event = packet.track_event
                self.assertIn(event.track_uuid, tracks)
                if event.type == TrackEvent.TYPE_SLICE_BEGIN:
                    spans[event.track_uuid].begin(names[event.name_iid], packet.timestamp)
                elif event.type == TrackEvent.TYPE_SLICE_END:
                    spans[event.track_uuid].end(None, packet.timestamp)
                else:
                    notes.append(event.name)
                    continue
                moments.append(packet.timestamp)
        return tracks, spans, moments, notes

    def test_counts_and_times_are_those_of_top(self):
        def check(trace, *options):
            wanted = ("--hide", r"^\{") if options == ("--py",) else options
            _, spans, _, _ = self.read(self.load(trace, *options))
            self.compare_spans(spans.values(), exports.top(trace, *wanted), exports.opened(trace, *options))

        self.on_each_trace(check, *CHOICES)

    def test_moments_are_those_of_the_trace(self):
        trace = exports.VECTORS / "good-complete.bin"
        lines = [json.loads(line) for line in exports.run("dump", trace, "--format", "json").stdout.splitlines()]
        packets = self.load(trace)
        self.assertEqual(self.read(packets)[2], [line["t_ns"] for line in lines])
        clocks = {clock.clock_id: clock.timestamp for clock in packets[0].clock_snapshot.clocks}
        self.assertEqual(clocks, {6: 0, 1: 1_700_000_000_000_000_000})

    def test_processes_threads_and_greenlets_have_tracks(self):
        tracks = self.read(self.load(exports.VECTORS / "good-fork.bin"))[0].values()
        self.assertEqual({track.process.pid: track.process.process_name for track in tracks if track.HasField("process")},
                         {1: "app.py, process 1", 2: "app.py, process 2"})
        self.assertEqual({(track.thread.pid, track.thread.tid): track.thread.thread_name for track in tracks if track.HasField("thread")},
                         {(1, 1): "MainThread, tid 1", (2, 2): "tid 2"})
        tracks = self.read(self.load(exports.VECTORS / "good-switch.bin"))[0]
        self.assertEqual(sorted(track.name for track in tracks.values() if track.name),
                         ["MainThread, tid 1, greenlet %d" % number for number in (1, 2, 3)])
        for track in tracks.values():
            if track.parent_uuid:
                self.assertIn(track.parent_uuid, tracks)

    def test_losses_are_told(self):
        self.assertIn("1,234 events were lost", self.read(self.load(exports.VECTORS / "bad-lost.bin"))[3])


if __name__ == "__main__":
    unittest.main()
