"""Tiny data sets in exactly the forms in which their owners distribute them. Each writer returns the folder a person would point to."""

import json
import struct

import cv2
import numpy as np
from PIL import Image
from scipy.io import savemat

from nas.data import VOID
from tests.data.conftest import flat, foldered, picture, save, spot

PALETTE = [(7 * index) % 256 for index in range(768)]


def save_palette(path, mask):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(mask).convert("L")
    image.putpalette(PALETTE)
    image.save(path)
    return path


def write_cfd(root):
    (root / "groundTruth").mkdir(parents=True)
    for index in range(5):
        save(root / "image" / f"{index:03d}.jpg", picture(index))
        regions = spot() + 1
        truth = np.array([[(regions, np.zeros_like(regions))]], dtype=[("Segmentation", "O"), ("Boundaries", "O")])
        savemat(root / "groundTruth" / f"{index:03d}.mat", {"groundTruth": truth})
    return root


def change_truth(data, item):
    regions = spot()[::-1] + 1
    truth = np.array([[(regions, np.zeros_like(regions))]], dtype=[("Segmentation", "O"), ("Boundaries", "O")])
    savemat(item.mask, {"groundTruth": truth})


def write_voc(root, counts=(4, 2, 2), aug=0, up=0):
    """`up` says how far above `VOC2012` the folder returned lies."""
    home = root / "VOCdevkit" / "VOC2012"
    lists = home / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    number = 0
    for split, count in zip(("train", "val", "test"), counts, strict=True):
        names = [f"2007_{number + index:06d}" for index in range(count)]
        number += count
        for index, name in enumerate(names):
            save(home / "JPEGImages" / f"{name}.jpg", picture(number + index))
            mask = spot(value=1 + index)
            mask[3] = VOID
            save_palette(home / "SegmentationClass" / f"{name}.png", mask)
        if names:
            (lists / f"{split}.txt").write_text("".join(f"{name}\n" for name in names))
    if aug:
        names = [f"2008_{index:06d}" for index in range(aug)]
        for name in names:
            save(home / "JPEGImages" / f"{name}.jpg", picture(500 + names.index(name)))
            save(home / "SegmentationClassAug" / f"{name}.png", spot(value=15))
        train = (lists / "train.txt").read_text().split()
        for name in [*train, *(lists / "val.txt").read_text().split()]:
            save(home / "SegmentationClassAug" / f"{name}.png", spot(value=2))
        (lists / "train_aug.txt").write_text("\n".join([*train, *names]) + "\n")
    return (home, home.parent, root)[up]


def frames(seed, count, size=(48, 64)):
    """A time-lapse: one coarse picture with a little noise, again and again."""
    draw = np.random.default_rng(seed)
    base = cv2.resize(draw.integers(0, 256, (6, 8, 3), dtype=np.uint8), size[::-1], interpolation=cv2.INTER_LINEAR).astype(int)
    return [np.clip(base + draw.integers(-6, 7, base.shape), 0, 255).astype(np.uint8) for _ in range(count)]


def write_cvppp(root, training=True, up=0, plants=8, each=3):
    home = root / "CVPPP2017_LSC_training" / ("training" if training else ".")
    for part in ("A1", "A4"):
        number = 1
        for plant in range(plants // 2):
            for image in frames(100 * plant + len(part) + ord(part[1]), each):
                stem = home / part / f"plant{number:03d}"
                rgba = np.dstack([image, np.full(image.shape[:2], 255, dtype=np.uint8)])
                save(stem.with_name(f"{stem.name}_rgb.png"), rgba)
                label = spot(image.shape[:2], value=1)
                label[20:30, 20:30] = 2
                save_palette(stem.with_name(f"{stem.name}_label.png"), label)
                save_palette(stem.with_name(f"{stem.name}_fg.png"), (label > 0).astype(np.uint8))
                save_palette(stem.with_name(f"{stem.name}_centers.png"), (label == 2).astype(np.uint8))
                number += 1
    return (home.resolve(), root / "CVPPP2017_LSC_training", root)[up]


def write_etis(root, nesting="beside"):
    images = root / "ETIS-LaribPolypDB" if nesting != "flat" else root
    truths = images / "Ground Truth" if nesting == "within" else root / "Ground Truth"
    for index in range(1, 11):
        save(images / f"{index}.tif", picture(index))
        save(truths / f"p{index}.tif", spot(value=255))
    return root


def write_pranet(root):
    home = root / "TestDataset" / "ETIS-LaribPolypDB"
    for index in range(1, 11):
        save(home / "images" / f"{index}.png", picture(index))
        save(home / "masks" / f"{index}.png", spot(value=255))
    return home


def write_kvasir(root, lists="Data-split", counts=(6, 2, 2), boxes=False):
    names = [f"cju{index:02d}" for index in range(10)]
    for index, name in enumerate(names):
        save(root / "images" / f"{name}.jpg", picture(index))
        save(root / "masks" / f"{name}.jpg", np.repeat(spot(value=255)[..., None], 3, axis=2), quality=70)
    if lists:
        (root / lists).mkdir(exist_ok=True)
        for split, count in zip(("train", "val", "test"), counts, strict=True):
            given, names = names[:count], names[count:]
            if given:
                (root / lists / f"{split}.txt").write_text("\n".join(given))
    if boxes:
        (root / "kavsir_bboxes.json").write_text("{}")
    return root


CATEGORIES = {1: "dent", 2: "scratch", 4: "glass shatter"}


def coco_part(images, first=1):
    """The content of one JSON: on each image a large polygon and a smaller one within it."""
    made = {
        "categories": [{"id": number, "name": name, "supercategory": "part"} for number, name in CATEGORIES.items()],
        "images": [{"id": first + i, "file_name": name, "width": 32, "height": 24} for i, name in enumerate(images)],
        "annotations": [],
    }
    for i in range(len(images)):
        for category, (left, top, right, bottom) in ((4, (8, 6, 16, 12)), (1, (4, 2, 28, 20))):
            made["annotations"].append(
                {
                    "id": len(made["annotations"]) + 1,
                    "image_id": first + i,
                    "category_id": category,
                    "segmentation": [[left, top, right, top, right, bottom, left, bottom]],
                    "area": (right - left) * (bottom - top),
                    "bbox": [left, top, right - left, bottom - top],
                    "iscrowd": 0,
                }
            )
    return made


def write_coco(root, year="2017", counts=None, inside="."):
    home = root / inside
    (home / "annotations").mkdir(parents=True)
    for split, count in (counts or {"train": 4, "val": 2, "test": 2}).items():
        names = [f"{split}_{index:06d}.jpg" for index in range(count)]
        for index, name in enumerate(names):
            save(home / f"{split}{year}" / name, picture(index + 10 * len(split)))
        (home / "annotations" / f"instances_{split}{year}.json").write_text(json.dumps(coco_part(names)))
    return root


def edit_json(file, change):
    """Lets `change` change the content of a JSON file."""
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))


def change_polygon(data, item):
    def shift(content):
        number = next(image["id"] for image in content["images"] if image["file_name"] == item.image.name)
        annotation = next(one for one in content["annotations"] if one["image_id"] == number)
        annotation["segmentation"] = [[2, 2, 9, 2, 9, 9, 2, 9]]

    edit_json(item.mask, shift)


def write_cardd_sod(root, inside=".", parts=("TR", "VAL", "TE")):
    for part in parts:
        home = root / inside / f"CarDD-{part}"
        for index in range(4 if part == "TR" else 2):
            save(home / f"CarDD-{part}-Image" / f"{part}{index:06d}.jpg", picture(index + 10 * len(part)))
            save(home / f"CarDD-{part}-Mask" / f"{part}{index:06d}.png", spot(value=255))
    return root


def write_folder(root):
    return foldered(root, {"train": 3, "val": 2, "test": 1})


def write_flat(root):
    return flat(root, value=255)


def bands(seed, channels, size=(24, 32), dtype=np.uint8):
    """An image `H x W x channels` that is not like another of a different seed."""
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max + 1, (*size, channels), dtype=dtype)


def save_array(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, image)
    return path


def save_pages(path, image):
    """A TIFF of one grey page a band."""
    path.parent.mkdir(parents=True, exist_ok=True)
    first, *more = (Image.fromarray(np.ascontiguousarray(image[..., band])) for band in range(image.shape[2]))
    first.save(path, save_all=True, append_images=more)
    return path


def save_tiff(path, image, photometric=2, extra=()):
    """A plain TIFF, all bands within a pixel, as sensors' software writes it; `extra` says what the bands after the colours are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width, count = image.shape
    bits = image.dtype.itemsize * 8
    short, long = 3, 4
    tags = [(256, long, [width]), (257, long, [height]), (258, short, [bits] * count), (259, short, [1]), (262, short, [photometric])]
    tags += [(273, long, [0]), (277, short, [count]), (278, long, [height]), (279, long, [image.nbytes]), (284, short, [1])]
    tags += [(338, short, list(extra))] if extra else []
    after = 8 + 2 + 12 * len(tags) + 4
    entries, beside = b"", b""
    place = after + sum(2 * len(values) for _, kind, values in tags if kind == short and len(values) > 2)
    for tag, kind, values in tags:
        packed = np.array([place] if tag == 273 else values, dtype="<u2" if kind == short else "<u4").tobytes()
        if len(packed) > 4:
            beside, packed = beside + packed, struct.pack("<I", after + len(beside))
        entries += struct.pack("<HHI", tag, kind, len(values)) + packed.ljust(4, b"\0")
    head = b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + struct.pack("<I", 0)
    path.write_bytes(head + beside + image.astype(image.dtype.newbyteorder("<")).tobytes())
    return path


def write_bands(root, channels, save_image, suffix, dtype=np.uint8, count=10):
    """`images/` and `masks/`, each image of so many channels."""
    for index in range(count):
        save_image(root / "images" / f"{index:03d}{suffix}", bands(index, channels, dtype=dtype))
        save(root / "masks" / f"{index:03d}.png", spot(value=255))
    return root


def write_grey(root):
    return write_bands(root, 1, lambda path, image: save(path, image[..., 0]), ".png")


def write_infrared(root):
    return write_bands(root, 4, save, ".png")


def write_infrared_tiff(root):
    return write_bands(root, 4, lambda path, image: save_tiff(path, image, extra=(0,)), ".tif")


def write_arrays(root):
    return write_bands(root, 6, save_array, ".npy", dtype=np.uint16)


def write_pages(root):
    return write_bands(root, 5, save_pages, ".tiff")
