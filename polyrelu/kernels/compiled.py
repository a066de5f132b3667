"""How the loops of this folder are compiled.

They are serial, cached across processes, and release the GIL. They allocate nothing: without numba's memory
runtime no reference is counted when tables are passed around, which would cost ten times the arithmetic.
Divisions follow IEEE (no exception for a zero divisor), because every bound treats infinities and NaN as
"not decided". Functions called in one place only are inlined: a table is passed as nine words. Only loops whose
error bounds allow it may fuse a product with a sum, or sum in another order.

Numba takes a cached function as current while its own file is unchanged, although what it calls may live in
another file. Here the stamp of every cached function covers all files of the folder. Processes that compile at the same
time take turns at the cache: numba numbers its files without looking at what another process has just written.
"""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, cast

from numba import njit, types
from numba.extending import overload

__all__ = ["answered_by_class", "contracted_loop", "inlined", "is_cached", "loop", "outlined"]


def _sources() -> str:
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


_STAMP = _sources()
_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}


def _compiled(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    def decorate(function: Callable[..., Any]) -> Any:
        dispatcher: Any = njit(cache=True, **_OPTIONS, **options)(function)
        cache = dispatcher._cache._cache_file
        cache._source_stamp = _STAMP
        cache.save, cache.load = _in_turn(cache.save), _in_turn(cache.load)
        dispatcher.get_call_template = _without_constants(dispatcher.get_call_template)
        return dispatcher

    return decorate


_LOCK = Path(__file__).with_name("__pycache__") / "loops.lock"
_is_held = False


def _in_turn(method: Callable[..., Any]) -> Callable[..., Any]:
    """Make a method of the cache wait for other processes, where the cache's folder can hold a lock."""

    def call(*arguments: Any) -> Any:
        global _is_held
        with ExitStack() as stack:
            if not _is_held:
                with suppress(OSError):
                    file = stack.enter_context(_LOCK.open("a"))
                    fcntl.flock(file, fcntl.LOCK_EX)
            before, _is_held = _is_held, True
            try:
                return method(*arguments)
            finally:
                _is_held = before

    return call


def _without_constants(template: Callable[..., Any]) -> Callable[..., Any]:
    """Make calls with constants use the code for any number: numba would compile a function for each constant."""

    def choose(arguments: Any, named: Any) -> Any:
        return template(
            tuple(types.unliteral(each) for each in arguments),
            {name: types.unliteral(each) for name, each in named.items()},
        )

    return choose


def answered_by_class(question: Callable[..., Any]) -> Any:
    """Make a function whose compiled form depends on the class of its last argument, a named tuple.

    ``question.answer(cls)`` decorates the function that is meant for a class; it is compiled into its callers.
    """
    answers: dict[type, Callable[..., Any]] = {}

    def choose(*arguments: Any) -> Callable[..., Any] | None:
        return answers.get(getattr(arguments[-1], "instance_class", None))  # type: ignore[arg-type]

    overload(question, jit_options=cast(Any, _OPTIONS | {"forceinline": True}), strict=False)(choose)

    def answer(cls: type) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def register(function: Callable[..., Any]) -> Callable[..., Any]:
            answers[cls] = function
            return function

        return register

    question.answer = answer  # type: ignore[attr-defined]
    return question


# A function that is compiled while its caller is takes over the options it does not name: so a `loop` becomes a part of
# an inlined caller, and an `outlined` one, large or called from many places, does not.
loop = _compiled()
inlined = _compiled(forceinline=True)
outlined = _compiled(forceinline=False)
contracted_loop = _compiled(fastmath={"contract", "reassoc"})


def is_cached(function: Any, argument: str = "") -> bool:
    """Return whether a compiled function needs no compiler: it has run before, here or in a process that kept it.

    ``argument`` is the name of a class that one of the arguments then was of.
    """
    function.targetctx.refresh()
    processor = function.targetctx.codegen().magic_tuple()
    kept = [key[0] for key in function._cache._cache_file._load_index() if key[1] == processor]
    return any(argument in str(signature) for signature in (*function.signatures, *kept))
