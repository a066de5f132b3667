"""Output files: refused early, written whole or not at all."""

from __future__ import annotations

import os
import stat

import pytest

from polyrelu.errors import FileError
from polyrelu.tessellation.targets import check_target, check_targets, make_folder, replacing


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_check_leaves_nothing(tmp_path):
    assert check_target("test", tmp_path / "new.txt") == tmp_path / "new.txt"
    assert names(tmp_path) == []


def test_check_follows_links(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert check_target("test", tmp_path / "link" / "new") == tmp_path / "real" / "new"


def test_refusals(tmp_path):
    (tmp_path / "file").write_text("")
    for path, complaint in [
        (tmp_path / "no" / "file", "existing folder"),
        (tmp_path / "file" / "below", "existing folder"),
        (tmp_path, "is a folder"),
        (tmp_path / "file", "exists"),
    ]:
        with pytest.raises(FileError, match=f"^test .*{complaint}"):
            check_target("test", path)
    with pytest.raises(FileError, match="is the network"):
        check_target("test", tmp_path / "file", force=True, model=tmp_path / "file")


def test_several(tmp_path):
    wanted = {"a": tmp_path / "x", "b": None, "c": tmp_path / "z"}
    assert check_targets(wanted) == [tmp_path / "x", None, tmp_path / "z"]
    with pytest.raises(FileError, match=r"^c needs a file of its own"):
        check_targets({"a": tmp_path / "x", "c": tmp_path / "." / "x"})


def test_devices():
    assert str(check_target("test", os.devnull, may_be_device=True)) == os.devnull
    with pytest.raises(FileError, match="is a device"):
        check_target("test", os.devnull)
    with replacing(check_target("test", os.devnull, may_be_device=True)) as path:
        path.write_text("gone")
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


def test_replacing(tmp_path):
    target = tmp_path / "file.txt"
    target.write_text("old")
    with replacing(target) as path:
        assert path.suffix == ".txt" and path.parent == tmp_path
        path.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new" and names(tmp_path) == ["file.txt"]


@pytest.mark.parametrize(("error", "seen"), [(OSError(28, "No space left"), FileError), (KeyError("x"), KeyError)])
def test_an_error_leaves_the_old_file(tmp_path, error, seen):
    target = tmp_path / "file.txt"
    target.write_text("old")
    with pytest.raises(seen), replacing(target) as path:
        path.write_text("half")
        raise error
    assert target.read_text() == "old" and names(tmp_path) == ["file.txt"]


def test_make_folder(tmp_path):
    assert make_folder("test", tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match=r"^test needs a folder that it can make"):
        make_folder("test", tmp_path / "file")
