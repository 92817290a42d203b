"""The one exception that stands for a mistake a person can mend: doors print it without a traceback and exit with 2."""


class UserError(Exception):
    """A mistake of the user's, in words: what must hold, what came, what to do next."""
