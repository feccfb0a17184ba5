"""The file that a SQLite database is in."""

from pathlib import Path


class DatabaseFile:
    """Which file it was when it was opened."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened = self._identify()

    @property
    def is_replaced(self) -> bool:
        """Whether another file stands there now, or none. SQLite goes on in the one that it has opened, which nobody reads any
        more, and tells nobody. Takes two microseconds."""
        return self._identify() != self._opened

    def _identify(self) -> tuple[int, int] | None:
        """Its disk and its place there, which are no other file's while it is there; None if there is none."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino


def make_private(path: Path) -> None:
    """Make the file's directory 0700 and the file 0600 before SQLite makes them otherwise (docs/facts/reliability.md)."""
    if not path.parent.exists():
        path.parent.mkdir(parents=True, mode=0o700)
    if not path.exists():
        path.touch(mode=0o600)
