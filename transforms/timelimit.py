"""Bounds the time of an architect's Python; `transforms.python` calls it for each map and for each module it loads."""

import ctypes
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from types import FrameType
from typing import TypeVar

# A bare `except:` of the architect's takes the exception too; the next comes soon, and few loops take them all.
_AGAIN = 0.05  # seconds
_TRIES = 20  # in another thread, which is left to itself after them

T = TypeVar("T")


class TookTooLong(BaseException):
    """What ends a call that is not done in time; its traceback tells where it was, if it could be ended."""


def within(seconds: float, call: Callable[[], T]) -> T:
    """Return what the call returns.

    A loop inside C code that keeps the interpreter's lock cannot be ended.

    Raises:
        TookTooLong: it did not return in this time.
    """
    if threading.current_thread() is threading.main_thread():
        return _by_signal(seconds, call)
    return _by_thread(seconds, call)


def _by_signal(seconds: float, call: Callable[[], T]) -> T:
    """Call it here: a signal also ends what waits, as `time.sleep` does, and a timer costs a microsecond."""
    _listen()
    timer = signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)
    try:
        return call()
    finally:
        signal.setitimer(signal.ITIMER_REAL, *timer)


@cache
def _listen() -> None:
    """Take the signal, once a process: four times as dear as the timer."""
    signal.signal(signal.SIGALRM, _end)


def _end(_number: int, frame: FrameType | None) -> None:
    if frame and frame.f_code is not _by_signal.__code__:  # there the call is not begun or is over
        raise TookTooLong


def _by_thread(seconds: float, call: Callable[[], T]) -> T:
    """Call it in a thread of its own, since no signal reaches the present one and nothing ends what waits in it."""
    made: list[Callable[[], T]] = []
    thread = threading.Thread(target=_into, args=(made, call), daemon=True)
    thread.start()
    thread.join(seconds)
    for _ in range(_TRIES):
        if not thread.is_alive():
            break
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(TookTooLong))
        thread.join(_AGAIN)
    if not made:
        raise TookTooLong
    return made[0]()


def _into(made: list[Callable[[], T]], call: Callable[[], T]) -> None:
    with suppress(TookTooLong):  # which may come once more while the first is kept
        try:
            value = call()
            made.append(lambda: value)
        except BaseException as error:
            told = error
            made.append(lambda: _raise(told))


def _raise(error: BaseException) -> T:  # type: ignore[type-var]
    raise error
