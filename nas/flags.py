"""Kinds of values that the doors' flags take."""

import argparse
from collections.abc import Callable


def count(text: str) -> int:
    """A number with K, M or G for thousands, millions or billions."""
    return _suffixed(text, 1000)


def size_in_bytes(text: str) -> int:
    """A number of bytes with K, M or G for 1024, 1024^2 or 1024^3."""
    return _suffixed(text, 1024)


def _suffixed(text: str, thousand: int) -> int:
    power = "KMG".find(text[-1:].upper()) + 1
    digits = text[:-1] if text[-1:].upper() in ("K", "M", "G") else text
    try:
        factor: int = thousand**power if digits != text else 1
        return round(float(digits.replace("_", "")) * factor)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"a number such as 10000, 512K or 50M is needed, {text!r} was given") from None


def image_size(text: str) -> tuple[int, int]:
    """H or HxW, in pixels."""
    parts = text.lower().split("x")
    if len(parts) > 2 or not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise argparse.ArgumentTypeError(f"a height, or height x width in pixels, is needed, such as 128 or 320x480; {text!r} was given")
    return int(parts[0]), int(parts[-1])


def workers(text: str) -> int | None:
    """A number of processes; None for auto."""
    if text == "auto":
        return None
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"a number of processes, or auto, is needed; {text!r} was given")
    return int(text)


def at_least(least: int) -> Callable[[str], int]:
    """A whole number that is not below `least`."""

    def number(text: str) -> int:
        if not text.lstrip("+-").isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"a whole number of at least {least} is needed, {text!r} was given")
        return int(text)

    return number
