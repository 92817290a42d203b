"""The record of a training: whole after reading, and of its own weights alone."""

from nas.evaluate.trained import TrainedSet, TrainingRecord, read_record, write_record


def trained_set(name, size=(32, 32), channels=3, classes=("background", "a"), domain=None, train=("x",), val=("y",), location="here"):
    return TrainedSet(name, domain, location, "folders", channels, classes, size, size, 2, train, val)


def test_what_is_read_is_what_was_written(tmp_path):
    record = TrainingRecord("m.py", "abc", ("best.safetensors",), (trained_set("one"), trained_set("two", domain="head")))
    write_record(tmp_path / "run", record)
    assert read_record(tmp_path / "run" / "best.safetensors") == record
    (tmp_path / "linked").symlink_to(tmp_path / "run" / "best.safetensors")
    assert read_record(tmp_path / "linked") == record
    assert read_record(tmp_path / "run" / "other.safetensors") is None
    assert read_record(tmp_path / "best.safetensors") is None


def test_a_set_is_found_by_its_name_or_its_head():
    record = TrainingRecord("m.py", "abc", (), (trained_set("one"), trained_set("two", domain="head")))
    assert record.set_of("head").name == "two"
    assert record.set_of("two").name == record.set_of().name == "one"
