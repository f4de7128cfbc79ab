"""Files of a compression that is not read: the error names the remedy."""

from __future__ import annotations

import bz2
import io
import lzma
import zipfile
from pathlib import Path

import pytest

from redpoll.errors import SourceError
from redpoll.ingest.files import open_sources
from redpoll.plugin.polling import all_packets


def zipped(data: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.avro", data)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "remedy"),
    [
        (
            bz2.compress(b"Obj"),
            "bzip2 is not read. Convert it first (`bunzip2 FILE`): Redpoll reads Avro, Parquet, tar",
        ),
        (lzma.compress(b"Obj"), "`unxz FILE`"),
        (zipped(b"Obj"), "a zip archive is not read. Convert it first (`unzip FILE -d FOLDER`)"),
        (b"\x28\xb5\x2f\xfd rest", "`unzstd FILE`"),
    ],
)
def test_a_compression_that_is_not_read_is_an_error_with_its_remedy(tmp_path: Path, data: bytes, remedy: str) -> None:
    (tmp_path / "night").write_bytes(data)
    with pytest.raises(SourceError) as error:
        list(all_packets(open_sources([str(tmp_path / "night")])[0]))
    assert remedy in str(error.value)
