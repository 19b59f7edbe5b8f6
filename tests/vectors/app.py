"""What good-inner.bin tells of: reports show these lines beside their figures."""


class Retry(Exception):
    pass


def main():
    worker = Worker()
    try:
        worker.run([])
    except Retry:
        worker.run([1])


class Worker:
    def run(self, items):
        try:
            for item in numbers(items):
                self.last = item
        except ValueError:
            raise Retry
        return len(items)


def numbers(items):
    if not items:
        raise ValueError
    yield from items
