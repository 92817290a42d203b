"""Weights in files: what fits, what does not and why, and that nothing in a file is run."""

import pickle

import pytest
import torch
from torch import nn

from nas.errors import UserError
from nas.weights import fit_weights, read_weights, save_weights


def net(width=4):
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.BatchNorm2d(width), nn.Conv2d(width, 2, 1))


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


def test_weights_come_back(tmp_path):
    one, other = net(), net()
    save_weights(tmp_path / "w.safetensors", one.state_dict())
    fit_weights(other, read_weights(tmp_path / "w.safetensors"), "w")
    assert same(one, other)


@pytest.mark.parametrize("wrap", [lambda state: state, lambda state: {"state_dict": state, "epoch": 3}, lambda state: {"model": state}])
def test_files_of_torch_save_are_read(tmp_path, wrap):
    one, other = net(), net()
    torch.save(wrap(one.state_dict()), tmp_path / "w.pt")
    fit_weights(other, read_weights(tmp_path / "w.pt"), "w")
    assert same(one, other)


def test_views_of_one_block_are_saved_apart(tmp_path):
    block = torch.arange(8.0)
    save_weights(tmp_path / "w.safetensors", {"a": block[:4], "b": block[4:].view(2, 2)})
    assert torch.equal(read_weights(tmp_path / "w.safetensors")["b"], block[4:].view(2, 2))


def test_the_first_layer_that_differs_is_named_with_both_shapes():
    with pytest.raises(UserError, match=r"0\.weight is 6x3x3x3 in the file and 4x3x3x3 in the model"):
        fit_weights(net(4), net(6).state_dict(), "w")


def test_what_is_missing_or_too_much_is_named():
    state = net().state_dict()
    with pytest.raises(UserError, match=r"it has no 0\.weight"):
        fit_weights(net(), {name: t for name, t in state.items() if name != "0.weight"}, "w")
    with pytest.raises(UserError, match="which has no strange"):
        fit_weights(net(), {**state, "strange": torch.zeros(2)}, "w")


class Trap:
    def __reduce__(self):
        return (pytest.fail, ("code in a file of weights was run",))


def test_code_in_a_file_is_not_run(tmp_path):
    (tmp_path / "w.pt").write_bytes(pickle.dumps({"a": Trap()}))
    torch.save({"a": Trap()}, tmp_path / "x.pt", pickle_module=pickle)
    for name in ("w.pt", "x.pt"):
        with pytest.raises(UserError, match="no weights that can be read safely"):
            read_weights(tmp_path / name)


TABLE = b"epoch,loss,learning_rate,iou,seconds\n1,1.4,0.001,0.2,0.4\n"


@pytest.mark.parametrize("content", [b"", b"nonsense", TABLE, b"\x08\0\0\0\0\0\0\0{}      "])
@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_broken_files_are_named(tmp_path, content, suffix):
    path = tmp_path / f"w{suffix}"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"w\."):
        read_weights(path)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match="is not there"):
        read_weights(tmp_path / "w.pt")
    with pytest.raises(UserError, match="is a folder"):
        read_weights(tmp_path)
