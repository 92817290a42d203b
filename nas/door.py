"""What every door does with errors: a person's mistake gets a message and exit code 2, never a traceback."""

import io
import os
import sys
from collections.abc import Callable

from nas.errors import UserError, in_words

MISTAKE = 2
INTERRUPTED = 130


def enter(main: Callable[[], int]) -> int:
    """Runs a door's main function and turns what it raises into an exit code.

    Args:
        main: Gives the exit code.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # A name that the terminal cannot show must not end a search.
    try:
        return main()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return MISTAKE
    except BrokenPipeError:
        # The reader of a pipe, such as `head`, has left; Python would complain again while it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        print(f"error: {in_words(error)}", file=sys.stderr)
        return MISTAKE
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
