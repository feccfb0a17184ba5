"""Lines of text, with their numbers, in the encodings that files of invoices come in."""

import codecs
import io
from collections.abc import Iterator
from typing import BinaryIO

from domain.files.reading.records import FileUnusable
from domain.files.reading.sources.content import Content

UTF_8 = "utf-8"
ENCODINGS = {UTF_8: "UTF-8", "utf-16": "UTF-16", "cp1252": "Windows-1252", "cp932": "Shift_JIS"}
"""As Python names them, in the order in which they are tried; and what people call them."""
RECORD_LENGTH = 100_000
"""The longest record in characters, and piece of a line that is held in memory; far above what its fields may hold."""
_CHUNK = 1 << 20


def first_fault(content: Content, encoding: str) -> int | None:
    """The line of the first byte that isn't of the encoding; None if all are."""
    decoder = codecs.getincrementaldecoder(encoding)()
    file = content.beginning()
    line, after_return = 1, False
    try:
        while chunk := file.read(_CHUNK):
            text = decoder.decode(chunk)
            line += _line_ends(text, after_return)
            after_return = text.endswith("\r")
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        good = error.object[: error.start]
        return line + _line_ends(good.decode(encoding, errors="ignore"), after_return)
    return None


def _line_ends(text: str, after_return: bool) -> int:
    ends = text.count("\n") + text.count("\r") - text.count("\r\n")
    return ends - (after_return and text.startswith("\n"))


def encoding_of(content: Content) -> str | None:
    """The encoding that a byte-order mark, or the zeros of UTF-16, say; None if nothing does."""
    start = content.beginning().read(64)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if start.startswith(codecs.BOM_UTF8):
        return UTF_8
    if start[1:2] == b"\0" != start[:1] and start[3:4] == b"\0":
        return "utf-16-le"
    if start[:1] == b"\0" != start[1:2] and start[2:3] == b"\0":
        return "utf-16-be"
    return None


class Lines:
    """The lines from the first one on, as pieces of at most RECORD_LENGTH characters; the last piece of a line has its end."""

    def __init__(self, content: Content, encoding: str) -> None:
        file = io.BufferedReader(_Borrowed(content.beginning()), _CHUNK)
        marked = "utf-8-sig" if codecs.lookup(encoding).name == UTF_8 else encoding
        self._text = io.TextIOWrapper(file, encoding=marked, newline="")
        self.number = 0
        """Of the line that was given last."""
        self._within = False

    def next(self) -> str:
        """The next piece; nothing after the last. Raises FileUnusable if the file can't be read any more."""
        try:
            piece = self._text.readline(RECORD_LENGTH)
        except (OSError, ValueError) as error:
            raise FileUnusable("the file changed, or can't be read any more: import it again") from error
        if piece and not self._within:
            self.number += 1
        self._within = bool(piece) and piece[-1] not in "\r\n"
        return piece

    def skip(self, lines: int) -> None:
        """Pass over so many lines."""
        while self.number < lines or self._within:
            if not self.next():
                return

    @property
    def within(self) -> bool:
        """Whether the line goes on after the piece that was given last (or the file ends without a line's end)."""
        return self._within

    def __iter__(self) -> Iterator[str]:
        while piece := self.next():
            yield piece


class _Borrowed(io.RawIOBase):
    """A file that whoever reads it as text doesn't close."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
