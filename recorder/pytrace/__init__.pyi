import os
from types import TracebackType
from typing import Literal, Optional, Type, Union

__version__: str

# A number of bytes, or a text such as "64K", "1M", "2G".
_Size = Union[int, str]
# Seconds, or a text such as "200ms", "1s".
_Time = Union[int, float, str]
_Path = Union[str, "os.PathLike[str]"]

def start(
    path: _Path,
    *,
    c_calls: bool = True,
    lines: Optional[str] = None,
    opcodes: Optional[str] = None,
    exceptions: bool = False,
    ring_size: _Size = "1M",
    max_threads: int = 256,
    policy: Literal["block", "drop"] = "block",
    clock: Optional[Literal["tsc", "monotonic", "cpu"]] = None,
    flush_interval: _Time = "1s",
    max_size: Optional[_Size] = None,
    level: int = 1,
    ring_dir: Optional[_Path] = None,
    argv: bool = True,
    children: bool = True,
    force: bool = False,
) -> None:
    """Record every call in this process from here on, in all its threads and child processes, into the file `path`.

    `%p` and `%t` in `path` become the process id and the time of the start.

    c_calls: record calls of C functions, too.
    lines: record each line of the functions whose `module:qualname` or file this regular expression (POSIX extended) matches.
    opcodes: record each instruction of the functions that it matches.
    exceptions: record where exceptions are raised, and each function that they reach.
    ring_size: memory for each thread, between its hook and the drain process; rounded up to a power of two.
    max_threads: threads that can be recorded at the same time.
    policy: what a thread does whose ring is full: "block" waits for the drain process, at most 100 ms in one go; "drop" loses
        events, which are counted and shown.
    clock: what time is: "tsc", the processor's counter (an error where it is no clock); "monotonic", the system's clock; "cpu", the
        CPU time of each thread, in which waiting takes none. By default the counter, else the system's clock.
    flush_interval: what a quiet thread did reaches the file within this time.
    max_size: the recording ends before the file grows beyond this; the program goes on.
    level: zstd level of the file.
    ring_dir: the directory in which that memory lies; by default /dev/shm if there is room, else beside the file.
    argv: note the command line in the file.
    children: record child processes, into the same file: those that it forks, and Pythons that it starts.
    force: replace an existing file.

    Raises FileExistsError or another OSError (with the file name), ValueError or TypeError for a wrong option, and RuntimeError if
    this process is already being recorded or cannot be.
    """

def stop() -> None:
    """End the recording, in this process and its children, and return when the file is complete.

    Raises RuntimeError if nothing is being recorded.
    """

def is_recording() -> bool:
    """Whether this process is being recorded."""

class recording:
    """A recording as a context manager: `with pytrace.recording("trace.bin"): ...`, with the options of start()."""

    def __init__(
        self,
        path: _Path,
        *,
        c_calls: bool = True,
        lines: Optional[str] = None,
        opcodes: Optional[str] = None,
        exceptions: bool = False,
        ring_size: _Size = "1M",
        max_threads: int = 256,
        policy: Literal["block", "drop"] = "block",
        clock: Optional[Literal["tsc", "monotonic", "cpu"]] = None,
        flush_interval: _Time = "1s",
        max_size: Optional[_Size] = None,
        level: int = 1,
        ring_dir: Optional[_Path] = None,
        argv: bool = True,
        children: bool = True,
        force: bool = False,
    ) -> None: ...
    def __enter__(self) -> recording: ...
    def __exit__(
        self,
        exc_type: Optional[Type[BaseException]],
        exc_value: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None: ...
