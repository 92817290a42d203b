"""Every layout keeps what layouts promise: on tiny sets in each of its forms, and on real subsets."""

from functools import partial

import pytest

from nas.data import LAYOUTS, open_data
from nas.testing import check_layout, check_opened
from nas.testing.layouts import change_mask_image
from tests.data.layouts import writers as w

# Each form of each layout: the layout's name, what writes the form, and what changes a mask where that is no image file.
FORMS = {
    "CrackForest": ("CrackForest", w.write_cfd, w.change_truth),
    "VOC2012": ("voc", w.write_voc, change_mask_image),
    "VOCdevkit": ("voc", partial(w.write_voc, up=1), change_mask_image),
    "VOCdevkit's parent": ("voc", partial(w.write_voc, up=2), change_mask_image),
    "VOC without test": ("voc", partial(w.write_voc, counts=(4, 2, 0)), change_mask_image),
    "VOC with added masks": ("voc", partial(w.write_voc, aug=3), change_mask_image),
    "CVPPP": ("cvppp", partial(w.write_cvppp, up=1), change_mask_image),
    "CVPPP/training": ("cvppp", w.write_cvppp, change_mask_image),
    "CVPPP without training": ("cvppp", partial(w.write_cvppp, training=False, up=1), change_mask_image),
    "CVPPP's parent": ("cvppp", partial(w.write_cvppp, up=2), change_mask_image),
    "ETIS side by side": ("etis", w.write_etis, change_mask_image),
    "ETIS nested": ("etis", partial(w.write_etis, nesting="within"), change_mask_image),
    "ETIS flat": ("etis", partial(w.write_etis, nesting="flat"), change_mask_image),
    "ETIS of PraNet": ("folder", w.write_pranet, change_mask_image),
    "Kvasir": ("kvasir", w.write_kvasir, change_mask_image),
    "Kvasir with lists beside": ("kvasir", partial(w.write_kvasir, lists="."), change_mask_image),
    "Kvasir's archive": ("kvasir", partial(w.write_kvasir, lists="", boxes=True), change_mask_image),
    "COCO": ("coco", w.write_coco, w.change_polygon),
    "COCO without year": ("coco", partial(w.write_coco, year=""), w.change_polygon),
    "CarDD release, doubled": ("coco", partial(w.write_coco, inside="CarDD_release/CarDD_COCO"), w.change_polygon),
    "COCO binary": ("coco-binary", w.write_coco, w.change_polygon),
    "CarDD_SOD": ("cardd-sod", w.write_cardd_sod, change_mask_image),
    "CarDD release with SOD": ("cardd-sod", partial(w.write_cardd_sod, inside="CarDD_release/CarDD_SOD"), change_mask_image),
    "folders": ("folder", w.write_folder, change_mask_image),
    "flat folders": ("folder", w.write_flat, change_mask_image),
}
BY_NAME = {"coco-binary"}

# Forms with other than three channels: what writes them, and how many.
CHANNELS = {
    "grey": (w.write_grey, 1),
    "RGB as grey": (w.write_flat, 1),
    "infra-red in PNG": (w.write_infrared, 4),
    "infra-red in TIFF": (w.write_infrared_tiff, 4),
    "pages of TIFF": (w.write_pages, 5),
    "arrays": (w.write_arrays, 6),
}

# The real subsets: layout, and how many items each split has.
REAL = {
    "CFD": ("CrackForest", (71, 24, 23)),
    "Kvasir-SEG": ("kvasir", (80, 30, 0)),
    "VOCdevkit": ("voc", (90, 30, 30)),
    "CocoCarDamage": ("coco", (45, 11, 11)),
    "Peanut": ("folder", (90, 30, 30)),
}


def test_every_layout_is_written_here():
    assert {name for name, _, _ in FORMS.values()} == {layout.name for layout in LAYOUTS}


@pytest.mark.parametrize("form", FORMS)
def test_a_layout_keeps_its_promises(form, tmp_path):
    name, write, change = FORMS[form]
    check_layout(name, write(tmp_path / "set"), tmp_path / "scratch", change, by_name=name in BY_NAME)


@pytest.mark.parametrize("form", CHANNELS)
def test_any_number_of_channels_keeps_the_promises(form, tmp_path):
    write, channels = CHANNELS[form]
    check_layout("folder", write(tmp_path / "set"), tmp_path / "scratch", channels=channels)


@pytest.mark.parametrize("name", REAL)
def test_real_subsets(name, real):
    layout, counts = REAL[name]
    data = check_opened(layout, real(name), most=4)
    assert tuple(len(data.splits[split]) for split in ("train", "val", "test")) == counts


def test_two_sets_in_one_folder_are_told_apart_by_name(tmp_path):
    w.write_coco(tmp_path, inside="CarDD_COCO")
    w.write_cardd_sod(tmp_path, inside="CarDD_SOD")
    assert open_data(tmp_path).layout == "coco"
    assert open_data(tmp_path, layout="cardd-sod").num_classes == 2
    assert open_data(tmp_path, layout="COCO-binary").classes == ("background", "object")


def test_a_broken_promise_is_named(tmp_path):
    folder = w.write_flat(tmp_path / "set")
    with pytest.raises(AssertionError, match="does not see a changed mask"):
        check_layout("folder", folder, tmp_path / "scratch", lambda data, item: None)
    with pytest.raises(AssertionError, match="voc does not recognise"):
        check_opened("voc", folder)
    with pytest.raises(AssertionError, match="coco-binary loses"):
        check_opened("coco-binary", w.write_coco(tmp_path / "other"))
