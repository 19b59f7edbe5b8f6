"""The kill campaign's judge is judged: it accepts the true sequence, and notices each kind of wrong one."""

import itertools
import unittest

import sequence


def beginning(worker, count):
    return list(itertools.islice(sequence.work(worker), count))


def seen_of(events, worker=7):
    return sequence.compare(events, sequence.work(worker))


class Sequence(unittest.TestCase):
    def test_closed_form_counts_the_sequence(self):
        finished = 0
        for count, event in enumerate(itertools.islice(sequence.work(3), 120_000), 1):
            if event == (b"return", b"unit"):
                finished += 1
                self.assertEqual(sequence.events_through(3, finished), count)
        self.assertGreater(finished, 5 * sequence.BURST)

    def test_accepts_every_beginning(self):
        for count in range(1, 500):
            self.assertEqual(seen_of(beginning(7, count)), (count, 0))

    def test_accepts_a_worker_that_was_asked_to_stop(self):
        count = sequence.events_through(7, 5)
        self.assertEqual(seen_of(beginning(7, count) + [(b"return", b"work"), (b"start", b"anything")]), (count, 0))

    def test_notices_a_missing_event(self):
        for missing in range(1, 300):
            events = beginning(7, 400)
            del events[missing]
            with self.assertRaises(sequence.Mismatch):
                seen_of(events)

    def test_notices_a_doubled_stretch(self):
        unit = sequence.events_through(7, 30), sequence.events_through(7, 31)
        events = beginning(7, 2000)
        with self.assertRaises(sequence.Mismatch):
            seen_of(events[: unit[1]] + events[unit[0] :])

    def test_notices_an_invented_event(self):
        events = beginning(7, 400)
        events.insert(200, (b"start", b"d1"))
        with self.assertRaises(sequence.Mismatch):
            seen_of(events)

    def test_notices_the_stream_of_another_worker(self):
        with self.assertRaises(sequence.Mismatch):
            seen_of(beginning(8, 400))

    def test_a_gap_must_have_the_size_that_it_tells(self):
        events = beginning(7, 1000)
        for told in (49, 50, 51):
            shortened = events[:300] + [(b"lost", told)] + events[350:]
            if told == 50:
                self.assertEqual(seen_of(shortened), (950, 50))
            else:
                with self.assertRaises(sequence.Mismatch):
                    seen_of(shortened)

    def test_reads_what_dump_writes(self):
        lines = (
            b'{"t_ns": 5, "tid": 1, "kind": "start", "module": "__main__", "name": "work"}\n'
            b'{"t_ns": 6, "tid": 1, "kind": "lost", "count": 12}\n'
        )
        self.assertEqual(sequence.read_dump(lines)[1].events, [(b"start", b"work"), (b"lost", 12)])
        with self.assertRaises(sequence.Mismatch):
            sequence.read_dump(lines.replace(b"6", b"4"))  # time goes back
        with self.assertRaises(sequence.Mismatch):
            sequence.read_dump(lines + b"what is this?\n")


if __name__ == "__main__":
    unittest.main()
