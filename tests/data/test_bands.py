"""Images of any number of channels, in each form in which they come, and what is refused."""

from functools import partial

import numpy as np
import pytest
from PIL import Image

from nas.data import check_data, open_data
from nas.data.bands import as_rgb, read_image
from nas.data.images import BadFileError, read_size
from nas.errors import UserError
from tests.data.conftest import picture, save
from tests.data.layouts.writers import bands, save_array, save_pages, save_tiff, write_arrays, write_bands, write_grey, write_infrared


def test_grey_is_one_channel_where_one_is_asked_for(tmp_path):
    grey = bands(0, 1)
    assert np.array_equal(read_image(save(tmp_path / "g.png", grey[..., 0]), 1), grey)
    assert np.array_equal(read_image(save_array(tmp_path / "g.npy", grey[..., 0]), 1), grey)
    assert np.array_equal(read_image(tmp_path / "g.npy", 3), np.repeat(grey, 3, axis=2))


def test_colours_become_grey_where_one_channel_is_asked_for(tmp_path):
    image = np.full((8, 8, 4), (255, 0, 0, 9), dtype=np.uint8)
    assert (read_image(save(tmp_path / "a.png", image), 1) == 76).all()
    assert (read_image(save(tmp_path / "b.png", image[..., :3]), 1) == 76).all()


@pytest.mark.parametrize(("photometric", "extra"), [(2, ()), (2, (0,)), (2, (1,)), (2, (2,)), (5, ())])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_four_bands_of_a_tiff_come_back_as_they_are(tmp_path, photometric, extra, dtype):
    """Whatever the file calls the fourth: unspecified, associated or unassociated alpha, black."""
    image = bands(0, 4, dtype=dtype)
    found = read_image(save_tiff(tmp_path / "t.tif", image, photometric, extra), 4)
    assert np.abs(found.astype(int) - (image // 257 if dtype == np.uint16 else image)).max() <= (dtype == np.uint16)


def test_the_fourth_band_of_a_png_counts_where_four_are_asked_for(tmp_path):
    image = bands(0, 4)
    path = save(tmp_path / "a.png", image)
    assert np.array_equal(read_image(path, 4), image)
    assert np.array_equal(read_image(path), image[..., :3])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(("write", "name"), [(save_array, "a.npy"), (save_pages, "a.tif")])
def test_many_bands(tmp_path, write, name, dtype):
    image = bands(0, 7, dtype=dtype)
    path = write(tmp_path / name, image)
    found = read_image(path, 7)
    assert found.dtype == np.uint8
    assert np.array_equal(found, (image / np.iinfo(dtype).max * 255).astype(np.uint8))
    assert read_size(path) == (24, 32)


def test_exif_turns_images_of_four_bands(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    image = bands(0, 4)
    assert np.array_equal(read_image(save(tmp_path / "e.png", image, exif=exif), 4), np.rot90(image, -1))


def test_grey_and_alpha_are_two_channels_where_two_are_asked_for(tmp_path):
    image = bands(0, 2)
    Image.fromarray(image, "LA").save(tmp_path / "la.png")
    assert np.array_equal(read_image(tmp_path / "la.png", 2), image)
    assert np.array_equal(read_image(tmp_path / "la.png", 1), image[..., :1])


@pytest.mark.parametrize(
    ("write", "name", "channels", "words"),
    [
        (save, "a.png", 4, "has 3 channels; expected 4: every image of a set has as many, as --channels says"),
        (lambda path, image: save(path, image[..., 0]), "a.png", 4, r"has 1 channel \(grey\); expected 4"),
        (lambda path, image: save_array(path, bands(0, 5)), "a.npy", 3, "has 5 channels; expected 3"),
        (lambda path, image: save_array(path, bands(0, 5)), "a.npy", 1, "has 5 channels; expected 1"),
        (lambda path, image: save_pages(path, bands(0, 5)), "a.tif", 3, "has 5 channels; expected 3"),
        (
            lambda path, image: save_array(path, image.astype(float)),
            "a.npy",
            3,
            "holds 24 x 32 x 3 of float64; expected height x width",
        ),
        (lambda path, image: save_array(path, image[None]), "a.npy", 3, "holds 1 x 24 x 32 x 3 of uint8; expected"),
        (lambda path, image: save_array(path, np.array([{"a": 1}])), "a.npy", 3, "cannot be read .*expected a whole NumPy file"),
        (lambda path, image: save_tiff(path, bands(0, 5), extra=(0, 0)), "a.tif", 5, r"5 bands in one page .*expected a NumPy file"),
        (lambda path, image: save_tiff(path, bands(0, 4), 1, (0, 0, 0)), "a.tif", 4, r"bands Pillow cannot read; expected .*a NumPy file"),
        (lambda path, image: path.write_bytes(b""), "a.npy", 3, "the file is empty; expected a whole NumPy file"),
        (lambda path, image: path.write_bytes(b"\x93NUMPY"), "a.npy", 3, "cannot be read"),
    ],
)
def test_other_numbers_of_channels_are_refused(tmp_path, write, name, channels, words):
    write(tmp_path / name, picture(0))
    with pytest.raises(BadFileError, match=words) as error:
        read_image(tmp_path / name, channels)
    assert str(tmp_path / name) in str(error.value)


@pytest.mark.parametrize(
    ("write", "name", "channels"),
    [
        (save_array, "a.npy", 5),
        (save_pages, "a.tif", 5),
        (save_tiff, "a.tif", 4),
        (partial(save_tiff, extra=(0,)), "a.tif", 4),
    ],
)
def test_files_that_are_cut_off_are_named(tmp_path, write, name, channels):
    path = write(tmp_path / name, bands(0, channels))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(BadFileError, match=r"a\.(npy|tif): .*cannot be read .*expected a whole"):
        read_image(path, channels)


def test_pages_of_several_sizes_are_no_bands(tmp_path):
    """A TIFF with a thumbnail behind the image is the image."""
    small = Image.fromarray(bands(1, 1, (6, 8))[..., 0])
    Image.fromarray(bands(0, 1)[..., 0]).save(tmp_path / "t.tif", save_all=True, append_images=[small])
    assert np.array_equal(read_image(tmp_path / "t.tif", 1), bands(0, 1))


def test_a_set_says_how_many_channels_it_has(tmp_path):
    folder = write_infrared(tmp_path / "set")
    three, four = open_data(folder), open_data(folder, channels=4)
    assert (three.channels, four.channels) == (3, 4)
    assert three.fingerprint() != four.fingerprint()
    assert three.read_image(three.splits["train"][0]).shape == (24, 32, 3)
    assert four.read_image(four.splits["train"][0]).shape == (24, 32, 4)


def test_a_set_with_fewer_channels_than_asked_lists_its_files(tmp_path):
    folder = write_infrared(tmp_path / "set")
    victim = open_data(folder).splits["train"][0].image
    save(victim, picture(0))
    with pytest.raises(UserError, match=rf"1 problem.*\n.*{victim.name}: has 3 channels; expected 4"):
        check_data(open_data(folder, channels=4))


def test_built_in_sets_have_three():
    assert open_data("synthetic", channels=3).channels == 3
    with pytest.raises(UserError, match="synthetic:cracks is built in and has 3 channels, 1 were asked for"):
        open_data("synthetic:cracks", channels=1)


def test_no_image_has_less_than_one_channel(tmp_path):
    with pytest.raises(UserError, match="at least 1 channel, 0 were asked for"):
        open_data(write_grey(tmp_path), channels=0)


def test_what_is_shown_has_three_channels():
    image = bands(0, 5)
    assert np.array_equal(as_rgb(image), image[..., :3])
    assert np.array_equal(as_rgb(image[..., :2]), np.repeat(image[..., :1], 3, axis=2))
    assert as_rgb(image[..., :3]).shape == (24, 32, 3)


@pytest.mark.parametrize(("write", "channels"), [(write_grey, 1), (write_arrays, 6)])
def test_the_check_draws_and_compares_any_number_of_channels(tmp_path, write, channels):
    from nas.data import look_at
    from nas.data.contact_sheet import contact_sheet

    folder = write(tmp_path / "set")
    (folder / "images" / "copy").mkdir()
    first = open_data(folder, channels=channels).splits["train"][0].image
    data = open_data(folder, channels=channels)
    same = data.splits["val"][0].image
    same.write_bytes(first.read_bytes())
    report = look_at(open_data(folder, channels=channels), compare=True)
    assert report.problems == ()
    assert any("pixel by pixel" in warning for warning in report.warnings)
    assert contact_sheet(data).startswith(b"\x89PNG")


def test_deep_values_of_a_tiff_of_bands_keep_their_upper_byte(tmp_path):
    image = (np.arange(256, dtype=np.uint16) * 257).reshape(16, 16, 1).repeat(4, axis=2)
    assert np.array_equal(read_image(save_tiff(tmp_path / "t.tif", image, extra=(0,)), 4)[..., 3].ravel(), np.arange(256))


def test_folders_hold_arrays_beside_images(tmp_path):
    folder = write_bands(tmp_path / "set", 3, save_array, ".npy", count=4)
    save(folder / "images" / "photo.png", picture(9))
    save(folder / "masks" / "photo.png", np.full((24, 32), 255, np.uint8))
    assert sum(len(items) for items in open_data(folder).splits.values()) == 5
    check_data(open_data(folder))
