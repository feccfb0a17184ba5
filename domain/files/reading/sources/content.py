"""The bytes of a file, wherever they come from: they can be read again and again."""

import io
import os
import shutil
import tempfile
from pathlib import Path
from typing import BinaryIO

from domain.files.import_fields import shown
from domain.files.reading.records import FileUnusable


class Content:
    """``name`` is what sentences call it. It must be closed."""

    def __init__(self, name: str, file: BinaryIO) -> None:
        self.name = name
        self._file = file
        self._made_of_it: list[BinaryIO] = []
        self.size = file.seek(0, io.SEEK_END)
        self._stamp = self._stamped()

    @classmethod
    def of_path(cls, path: Path) -> "Content":
        """Raises FileUnusable if it can't be opened. A pipe is read to its end."""
        try:
            if path.is_dir():
                raise FileUnusable(f"{path} isn't a file")
            file = path.open("rb")
            if not path.is_file():
                with file:
                    return cls.of_stream(file, str(path))
        except OSError as error:
            raise FileUnusable(f"{path} can't be opened: {error.strerror or error}") from error
        return cls(str(path), file)

    @classmethod
    def of_bytes(cls, data: bytes, name: str) -> "Content":
        """``name`` is a stranger's."""
        return cls(shown(name), io.BytesIO(data))

    @classmethod
    def of_stream(cls, stream: BinaryIO, name: str) -> "Content":
        """All of what can be read once only. Raises FileUnusable if it can't be kept."""
        kept = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the content
        try:
            shutil.copyfileobj(stream, kept)
        except OSError as error:
            kept.close()
            raise FileUnusable(f"{name} can't be read: {error.strerror or error}") from error
        return cls(name, kept)

    def __enter__(self) -> "Content":
        return self

    def __exit__(self, *_: object) -> None:
        for file in (self._file, *self._made_of_it):
            file.close()

    def close_too(self, file: BinaryIO) -> None:
        """Let a file that was made of the content end with it."""
        self._made_of_it.append(file)

    @property
    def suffix(self) -> str:
        return Path(self.name).suffix.lower()

    @property
    def bytes_read(self) -> int:
        """About how much of ``size`` has been read, from the beginning that was asked for last."""
        return min(self._file.tell(), self.size)

    def beginning(self) -> BinaryIO:
        """The bytes from the first one on. There is one reader at a time. Raises FileUnusable if the file has changed."""
        if self._stamped() != self._stamp:
            raise FileUnusable(f"{self.name} changed while it was read: import it again")
        self._file.seek(0)
        return self._file

    def _stamped(self) -> tuple[int, int] | None:
        try:
            found = os.fstat(self._file.fileno())
        except OSError:
            return None  # bytes in memory
        return found.st_size, found.st_mtime_ns
