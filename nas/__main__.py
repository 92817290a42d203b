"""`python -m nas`: lists the doors."""

import ast
import pkgutil
from pathlib import Path

import nas


def doors() -> dict[str, str]:
    """Name of each room with a `__main__` -> the first line of that file's docstring."""
    root = Path(nas.__file__).parent
    found = {}
    for module in pkgutil.iter_modules([str(root)]):
        main = root / module.name / "__main__.py"
        if main.exists():
            text = ast.get_docstring(ast.parse(main.read_text(encoding="utf-8"))) or ""
            found[module.name] = text.partition("\n")[0]
    return found


def main() -> None:
    """Prints one line a door."""
    print(f"nas {nas.__version__}. Doors, each with --help:")
    for name, text in doors().items():
        print(f"  python -m nas.{name:<8} {text}")


if __name__ == "__main__":
    main()
