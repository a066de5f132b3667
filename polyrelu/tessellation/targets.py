"""Output files: refused before any work where they cannot be written, and written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from polyrelu.errors import FileError

__all__ = ["check_target", "check_targets", "make_folder", "replacing"]


def make_folder(who: str, path: str | Path) -> Path:
    """Return a folder, made if it does not exist; raise `FileError` where it cannot be made."""
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(
            f"{who} needs a folder that it can make but received {str(path)!r} ({error.strerror}). Choose another one."
        ) from None
    return folder


def check_target(
    who: str, path: str | Path, force: bool = False, model: str | Path | None = None, may_be_device: bool = False
) -> Path:
    """Return where an output goes, links followed.

    Parameters
    ----------
    who : str
        Who writes, for messages.
    path : path
    force : bool
        An existing file may be overwritten.
    model : path, optional
        The file of the network, which no output overwrites.
    may_be_device : bool
        Whether it may be no regular file: a terminal, a pipe.

    Raises
    ------
    FileError
        If the folder is missing or not writable, or the file exists.
    """
    given = Path(path)
    target = given if _is_device(given) else Path(os.path.realpath(given))
    if not target.parent.is_dir():
        raise FileError(f"{who} needs an existing folder but {str(given.parent)!r} is none. Make it first.")
    if target.is_dir() or (_is_device(target) and not may_be_device):
        kind = "folder" if target.is_dir() else "device"
        raise FileError(f"{who} needs the name of a file but {str(path)!r} is a {kind}. Name a file.")
    if model is not None and target == Path(os.path.realpath(model)):
        raise FileError(f"{who} needs a file of its own but {str(path)!r} is the network. Choose another path.")
    if target.is_file() and not force:
        raise FileError(f"{who} needs a new file but {str(path)!r} exists. Rename it, or overwrite it with --force.")
    if not _is_device(target):
        probe = _beside(target)
        with _reported(target):
            probe.touch()
            probe.unlink()
    return target


def check_targets(
    wanted: Mapping[str, str | Path | None],
    force: bool = False,
    model: str | Path | None = None,
    devices: Collection[str] = (),
) -> list[Path | None]:
    """Return where each output goes, None for those that are not wanted; see `check_target`.

    Raises
    ------
    FileError
        If two outputs have one path, or `check_target` refuses one.
    """
    targets: dict[str, Path] = {}
    for who, path in wanted.items():
        if path is not None:
            target = check_target(who, path, force, model, who in devices)
            if target in targets.values() and not _is_device(target):
                raise FileError(f"{who} needs a file of its own but {str(path)!r} is named twice. Rename one.")
            targets[who] = target
    return [targets.get(who) for who in wanted]


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Yield a path to write to; it takes the target's place in the end, or vanishes if anything goes wrong.

    Raises
    ------
    FileError
        For any `OSError`, such as a full disk.
    """
    if _is_device(target):
        with _reported(target):
            yield target
        return
    temporary = _beside(target)
    try:
        with _reported(target):
            yield temporary
            temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _reported(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FileError(
            f"{str(target)!r} could not be written ({error.strerror or error}). Make room or choose another path."
        ) from None


def _beside(target: Path) -> Path:
    return target.with_name(f".polyrelu-{os.urandom(8).hex()}{target.suffix}")


def _is_device(path: Path) -> bool:
    return path.exists() and not path.is_file() and not path.is_dir()
