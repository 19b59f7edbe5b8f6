"""Coroutines, asynchronous generators and context managers, tasks that are cancelled, and a loop of our own."""

import asyncio
import contextlib
import types


class Pause:
    def __await__(self):
        yield self


@types.coroutine
def old_style():
    yield Pause()
    return 3


async def leaf(n):
    await Pause()
    return n * 2


async def branch(n):
    if n == 0:
        return await leaf(1) + await old_style()
    return await branch(n - 1) + await leaf(n)


class Resource:
    async def __aenter__(self):
        await Pause()
        return self

    async def __aexit__(self, *exception):
        await Pause()


async def numbers(n):
    for i in range(n):
        await Pause()
        yield i


@contextlib.asynccontextmanager
async def managed():
    await Pause()
    try:
        yield 5
    finally:
        await Pause()


async def everything():
    total = await branch(6)
    async with Resource(), managed() as five:
        total += five
        async for number in numbers(5):
            total += number
    total += sum([number async for number in numbers(4) if number % 2])
    try:
        await fail()
    except LookupError:
        total += 1
    return total


async def fail():
    await Pause()
    raise LookupError


def run(coroutine):
    """The smallest possible event loop: deterministic."""
    while True:
        try:
            coroutine.send(None)
        except StopIteration as done:
            return done.value


def main():
    unfinished = everything()
    unfinished.send(None)
    unfinished.close()
    return run(everything())


async def worker(queue, results):
    while True:
        results.append(await queue.get())
        queue.task_done()


async def program():
    queue, results = asyncio.Queue(), []
    tasks = [asyncio.create_task(worker(queue, results)) for _ in range(3)]
    for n in range(20):
        queue.put_nowait(n)
    await queue.join()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), 0.001)
    return sum(results)


def main_loop():
    """On asyncio's own loop, whose calls depend on timing: only the functions above are comparable."""
    return asyncio.run(program())
