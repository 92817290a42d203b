"""Masks for images that nobody has labelled."""

from nas.predict.files import find_images, write_mask

__all__ = ["find_images", "write_mask"]
