"""Which Python package speaks to a database server: the one that is installed, whatever SQLAlchemy would take by default."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from nas.errors import UserError


@dataclass(frozen=True)
class Server:
    """A kind of database server.

    Attributes:
        name: For people.
        drivers: SQLAlchemy's name of a driver -> the module that it imports, the preferred ones first.
        install: What installs the first.
    """

    name: str
    drivers: Mapping[str, str]
    install: str


POSTGRESQL = Server("PostgreSQL", {"psycopg": "psycopg", "psycopg2": "psycopg2", "pg8000": "pg8000"}, "psycopg[binary]")
MYSQL = Server("MySQL", {"mysqldb": "MySQLdb", "pymysql": "pymysql", "mysqlconnector": "mysql.connector"}, "pymysql")
SERVERS: Mapping[str, Server] = {"postgresql": POSTGRESQL, "mysql": MYSQL, "mariadb": MYSQL}
"""By SQLAlchemy's name of the dialect."""


def with_driver(url: str) -> str:
    """The URL of a storage with a driver that is installed; as it is where it names one, is no server's, or cannot be read.

    SQLAlchemy takes psycopg2 for postgresql:// before 2.1 and psycopg from then on, and mysqlclient for mysql://, installed or not.

    Raises:
        UserError: None is installed, or not the one that the URL names; the message says how to install it.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        return url
    backend, _, named = parsed.drivername.partition("+")
    server = SERVERS.get(backend)
    if server is None:
        return url
    wanted = {named: server.drivers.get(named, named)} if named else server.drivers
    found = next((driver for driver, module in wanted.items() if _is_installed(module)), None)
    if found is None:
        missing = f"the driver {named}" if named else f"a driver for {server.name}"
        raise UserError(
            f"the storage {parsed.render_as_string(hide_password=True)} cannot be used: it needs {missing}, and this Python has none. "
            f'Install one with: pip install "{server.install}"{" and leave +" + named + " out of the URL" if named else ""}'
        )
    return parsed.set(drivername=f"{backend}+{found}").render_as_string(hide_password=False)


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # The package of a dotted name is missing.
        return False
