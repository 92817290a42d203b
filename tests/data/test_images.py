import numpy as np
import pytest
from PIL import Image

from nas.data.bands import read_image
from nas.data.images import BadFileError, read_size, read_values
from tests.data.conftest import picture, save, spot


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "tiff"])
def test_lossless_images_come_back_exactly(tmp_path, suffix):
    image = picture(0)
    assert np.array_equal(read_image(save(tmp_path / f"a.{suffix}", image)), image)


@pytest.mark.parametrize("suffix", ["jpg", "jpeg", "webp"])
def test_lossy_images_come_back_roughly(tmp_path, suffix):
    image = np.full((24, 32, 3), (200, 100, 50), dtype=np.uint8)
    assert np.abs(read_image(save(tmp_path / f"a.{suffix}", image)).astype(int) - image).max() < 8


def test_grey_is_spread_and_alpha_dropped(tmp_path):
    grey = picture(0)[..., 0]
    assert np.array_equal(read_image(save(tmp_path / "g.png", grey)), np.repeat(grey[..., None], 3, axis=2))
    rgba = np.dstack([picture(1), np.zeros((24, 32), np.uint8)])
    assert np.array_equal(read_image(save(tmp_path / "a.png", rgba)), rgba[..., :3])


def test_deep_grey_keeps_its_upper_byte(tmp_path):
    deep = (np.arange(256, dtype=np.uint16) * 257).reshape(16, 16)
    assert np.array_equal(read_image(save(tmp_path / "d.png", deep))[..., 0].ravel(), np.arange(256))


def test_exif_turns_images_and_masks_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side: to be turned by 270 degrees
    path = save(tmp_path / "e.png", picture(0), exif=exif)
    assert np.array_equal(read_image(path), np.rot90(picture(0), -1))
    assert read_size(path) == (32, 24)
    assert np.array_equal(read_values(save(tmp_path / "m.png", spot(), exif=exif))[0], np.rot90(spot(), -1))


def test_palette_masks_give_the_index(tmp_path):
    mask = Image.fromarray(spot(value=3), mode=None).convert("P")
    indexed = Image.new("P", (32, 24))
    indexed.putdata(spot(value=3).ravel().tolist())
    indexed.putpalette([index * 7 % 256 for index in range(768)])
    indexed.save(tmp_path / "p.png")
    values, bits = read_values(tmp_path / "p.png")
    assert np.array_equal(values, spot(value=3))
    assert not bits
    assert mask.mode == "P"


def test_bitmaps_and_jpegs_are_binary(tmp_path):
    Image.fromarray(spot(value=255)).convert("1").save(tmp_path / "b.png")
    assert np.array_equal(read_values(tmp_path / "b.png")[0], spot())
    values, bits = read_values(save(tmp_path / "j.jpg", spot(value=255), quality=60))
    assert bits
    assert (values != spot()).sum() < 10
    assert set(np.unique(values)) == {0, 1}


def test_sixteen_bit_masks_hold_small_indices(tmp_path):
    assert np.array_equal(read_values(save(tmp_path / "s.png", spot(value=7).astype(np.uint16)))[0], spot(value=7))
    with pytest.raises(BadFileError, match="0 to 300"):
        read_values(save(tmp_path / "l.png", spot().astype(np.uint16) * 300))


def test_grey_in_three_channels_counts_as_one_and_colours_do_not(tmp_path):
    grey = np.repeat(spot(value=2)[..., None], 3, axis=2)
    assert np.array_equal(read_values(save(tmp_path / "g.png", grey))[0], spot(value=2))
    with pytest.raises(BadFileError, match="colours"):
        read_values(save(tmp_path / "c.png", picture(0)))


@pytest.mark.parametrize("read", [read_image, read_size, read_values])
@pytest.mark.parametrize(("content", "words"), [(b"", "empty"), (b"no image", "cannot be read"), (None, "no such file")])
def test_broken_files_are_named(tmp_path, read, content, words):
    path = tmp_path / "broken.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadFileError, match=words) as error:
        read(path)
    assert str(path) in str(error.value)


def test_truncated_files_are_named(tmp_path):
    path = save(tmp_path / "t.png", picture(0))
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(BadFileError, match=r"t\.png: cannot be read"):
        read_image(path)
