"""Output files: refused before any work where they cannot be written, and written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from polyrelu.errors import FileError

__all__ = ["check_targets", "replacing"]


def check_targets(
    wanted: Mapping[str, str | Path | None],
    force: bool = False,
    model: str | Path | None = None,
    devices: Collection[str] = (),
) -> list[Path | None]:
    """Return where each output goes, links followed, None for those that are not wanted.

    Parameters
    ----------
    wanted : mapping of str to path or None
        Who writes (for messages), and where.
    force : bool
        Existing files may be overwritten.
    model : path, optional
        The file of the network, which no output overwrites.
    devices : collection of str
        Who may write to what is no regular file: a terminal, a pipe.

    Raises
    ------
    FileError
        If a folder is missing or not writable, a file exists, or two outputs have one path.
    """
    targets = [
        None if path is None else _checked_target(who, Path(path), force, who in devices)
        for who, path in wanted.items()
    ]
    files = [target for target in targets if target is not None and not _is_device(target)]
    files += [] if model is None else [Path(os.path.realpath(model))]
    for path in files:
        if files.count(path) > 1:
            raise FileError(f"Each output needs a file of its own but {str(path)!r} is named twice. Rename one.")
    return targets


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


def _checked_target(who: str, path: Path, force: bool, device_allowed: bool) -> Path:
    target = path if _is_device(path) else Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise FileError(f"{who} needs an existing folder but {str(path.parent)!r} is none. Make it first.")
    if target.is_dir() or (_is_device(target) and not device_allowed):
        kind = "folder" if target.is_dir() else "device"
        raise FileError(f"{who} needs the name of a file but {str(path)!r} is a {kind}. Name a file.")
    if target.is_file() and not force:
        raise FileError(f"{who} needs a new file but {str(path)!r} exists. Rename it, or overwrite it with --force.")
    if not _is_device(target):
        probe = _beside(target)
        with _reported(target):
            probe.touch()
            probe.unlink()
    return target


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
