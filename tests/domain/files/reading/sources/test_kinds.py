"""What kind of file it is, found out without unpacking more than that takes."""

import io
import tracemalloc
import zipfile

import pytest

from domain.files.reading.records import FileUnusable
from domain.files.reading.sources.content import Content
from domain.files.reading.sources.kinds import kind_of

MEBIBYTE = 1 << 20


def test_what_says_which_document_a_zip_is_is_read_to_its_first_hundred_bytes_only() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", bytes(64 * MEBIBYTE))
    content = Content("large.zip", packed)
    tracemalloc.start()
    try:
        with pytest.raises(FileUnusable, match="far too large"):
            kind_of(content)
        assert tracemalloc.get_traced_memory()[1] < 8 * MEBIBYTE
    finally:
        tracemalloc.stop()
