"""Files are whole or absent."""

import pytest

from nas import files


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "deep" / "file.json"
    files.write_json(path, {"a": "ä"})
    files.write_json(path, {"b": 1})
    assert path.read_text(encoding="utf-8") == '{\n  "b": 1\n}\n'
    assert [entry.name for entry in path.parent.iterdir()] == ["file.json"]


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "file.txt"
    files.write_text(path, "old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        files.write_text(path, "new")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.txt"]


def test_bytes_are_written_as_they_are(tmp_path):
    path = tmp_path / "deep" / "file.bin"
    files.write_bytes(path, b"a\r\n\x00")
    files.write_bytes(path, b"\r\n\xff")
    assert path.read_bytes() == b"\r\n\xff"
    assert [entry.name for entry in path.parent.iterdir()] == ["file.bin"]
