"""Errors in words: the one exception that stands for a mistake a person can mend, which doors print without a traceback and exit with 2."""


class UserError(Exception):
    """A mistake of the user's, in words: what must hold, what came, what to do next."""


def in_words(error: Exception) -> str:
    """What an error says to a person, with advice where it is the machine's: a disk, a path, a permission."""
    text = str(error) or type(error).__name__
    return f"{text}. Check the path, the permissions and the space on the disk" if isinstance(error, OSError) else text
