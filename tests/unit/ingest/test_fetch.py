"""A night is fetched over real sockets: resumed, checked, and in its place only when whole."""

from __future__ import annotations

import errno
import fcntl
import gzip
import hashlib
import logging
import os
import shutil
from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from redpoll.errors import SourceError, UsageError
from redpoll.ingest.fetch import fetch_ztf_night
from redpoll.testing.http import CannedResponse, Request, file_response, http_server

NAME = "ztf_public_20240117.tar.gz"
DATA = gzip.compress(os.urandom(200_000), 1)
MD5 = hashlib.md5(DATA).hexdigest()


@contextmanager
def archive(answer: Callable[[Request], CannedResponse], listed: str | None = f"{MD5}  {NAME}\n"):
    """An archive whose list of checksums is `listed` and which answers `answer` for the night itself."""

    def reply(request: Request) -> CannedResponse:
        if request.path.endswith("/MD5SUMS"):
            return (
                CannedResponse(404)
                if listed is None
                else CannedResponse(200, f"{'0' * 32}  other.tar.gz\n{listed}".encode())
            )
        assert request.path.endswith(f"/{NAME}")
        return answer(request)

    with http_server(reply) as server:
        yield server


def fetch(server, out, **more):
    return fetch_ztf_night("20240117", out, base_url=f"{server.url}/public/", sleep=lambda seconds: None, **more)


def asked(server) -> list[str | None]:
    """Ranges asked of the night's file, request by request."""
    return [r.headers.get("range") for r in server.requests if r.path.endswith(NAME)]


class Cuts:
    """Answers as a good server whose connection is cut after each number of bytes in turn."""

    def __init__(self, *after: int, ranges: bool = True, etags: tuple[str, ...] = ()) -> None:
        self.after, self.ranges, self.etags = list(after), ranges, list(etags)

    def __call__(self, request: Request) -> CannedResponse:
        headers = request.headers if self.ranges else {}
        etag = self.etags.pop(0) if self.etags else '"1"'
        cut = self.after.pop(0) if self.after else None
        return file_response(Request(request.path, headers), DATA, etag=etag, cut_after=cut)


def test_a_night_is_fetched_whole(tmp_path):
    seen = []
    with archive(lambda r: file_response(r, DATA)) as server:
        path = fetch(server, tmp_path / "new" / "folder", progress=lambda done, total: seen.append((done, total)))
    assert path == tmp_path / "new" / "folder" / NAME
    assert path.read_bytes() == DATA
    assert seen[-1] == (len(DATA), len(DATA))
    assert [p.name for p in path.parent.iterdir()] == [NAME]


def test_a_whole_night_is_not_fetched_again(tmp_path):
    (tmp_path / NAME).write_bytes(DATA)
    with archive(lambda r: CannedResponse(500)) as server:
        assert fetch(server, tmp_path) == tmp_path / NAME
        assert server.requests == []


def test_a_cut_connection_is_resumed_at_the_byte(tmp_path):
    with archive(Cuts(50_000, 70_000)) as server:
        assert fetch(server, tmp_path).read_bytes() == DATA
        assert asked(server) == [None, "bytes=50000-", "bytes=120000-"]


def test_a_second_run_resumes_what_the_first_left(tmp_path):
    with archive(Cuts(50_000, 0, 0, 0, 0, 0)) as server, pytest.raises(SourceError, match="The received part is kept"):
        fetch(server, tmp_path)
    assert not (tmp_path / NAME).exists()
    with archive(Cuts()) as other:
        (tmp_path / f"{NAME}.part.json").write_text(
            (tmp_path / f"{NAME}.part.json").read_text().replace(server.url, other.url)
        )
        assert fetch(other, tmp_path).read_bytes() == DATA
        assert asked(other) == ["bytes=50000-"]


def test_a_part_of_another_address_is_not_continued(tmp_path):
    with archive(Cuts(50_000, 0, 0, 0, 0, 0)) as server, pytest.raises(SourceError):
        fetch(server, tmp_path)
    with archive(Cuts()) as other:
        assert fetch(other, tmp_path).read_bytes() == DATA
        assert asked(other) == [None]


def test_a_file_that_changed_meanwhile_is_fetched_anew(tmp_path):
    with archive(Cuts(50_000, etags=('"1"', '"2"'))) as server:
        assert fetch(server, tmp_path).read_bytes() == DATA


def test_a_server_without_ranges_starts_over(tmp_path):
    with archive(Cuts(50_000, ranges=False)) as server:
        assert fetch(server, tmp_path).read_bytes() == DATA


def test_a_server_without_ranges_that_always_cuts_is_given_up(tmp_path):
    with archive(Cuts(*[50_000] * 99, ranges=False)) as server:
        with pytest.raises(SourceError, match="check the network and run the same command"):
            fetch(server, tmp_path)
        assert len(asked(server)) < 10


def test_a_weak_etag_does_not_vouch_for_the_part(tmp_path):
    with archive(Cuts(50_000, etags=('W/"1"',))) as server:
        assert fetch(server, tmp_path).read_bytes() == DATA
        assert asked(server) == [None, None]


def test_a_wrong_range_is_not_believed(tmp_path):
    answers = [
        file_response(Request("", {}), DATA, cut_after=50_000),
        CannedResponse(206, DATA[60_000:], {"Content-Range": f"bytes 60000-{len(DATA) - 1}/{len(DATA)}"}),
        file_response(Request("", {}), DATA),
    ]
    with archive(lambda r: answers.pop(0)) as server:
        assert fetch(server, tmp_path).read_bytes() == DATA


def test_a_complete_part_is_not_fetched_again(tmp_path):
    with archive(lambda r: file_response(r, DATA)) as server:
        (tmp_path / f"{NAME}.part").write_bytes(DATA)
        (tmp_path / f"{NAME}.part.json").write_text(f'{{"url": "{server.url}/public/{NAME}", "validator": "\\"1\\""}}')
        assert fetch(server, tmp_path).read_bytes() == DATA
        assert asked(server) == [f"bytes={len(DATA)}-"]


def test_a_part_longer_than_the_file_is_fetched_anew(tmp_path):
    with archive(lambda r: file_response(r, DATA)) as server:
        (tmp_path / f"{NAME}.part").write_bytes(DATA + b"more")
        (tmp_path / f"{NAME}.part.json").write_text(f'{{"url": "{server.url}/public/{NAME}", "validator": "\\"1\\""}}')
        assert fetch(server, tmp_path).read_bytes() == DATA


@pytest.mark.parametrize("state", ["", "[]", "{}", '{"url": 5}', "\x00"])
def test_a_broken_note_of_the_part_starts_over(tmp_path, state):
    (tmp_path / f"{NAME}.part").write_bytes(b"old")
    (tmp_path / f"{NAME}.part.json").write_text(state)
    with archive(lambda r: file_response(r, DATA)) as server:
        assert fetch(server, tmp_path).read_bytes() == DATA


def test_a_wrong_checksum_sets_the_file_aside(tmp_path):
    with (
        archive(lambda r: file_response(r, DATA), listed=f"{'a' * 32} *{NAME}\n") as server,
        pytest.raises(SourceError, match=r"its MD5 is .*, the archive lists a{32}; it is kept as"),
    ):
        fetch(server, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [f"{NAME}.corrupt"]


@pytest.mark.parametrize("listed", [None, "", "<html>"])
def test_a_missing_checksum_is_reported(tmp_path, listed, caplog):
    with archive(lambda r: file_response(r, DATA), listed=listed) as server, caplog.at_level(logging.WARNING):
        assert fetch(server, tmp_path).exists()
    assert "its checksum is not checked" in caplog.text


def test_an_error_page_is_no_night(tmp_path):
    with (
        archive(lambda r: CannedResponse(200, b"<html>please sign in</html>"), listed=None) as server,
        pytest.raises(SourceError, match="not gzip, perhaps an error page"),
    ):
        fetch(server, tmp_path)
    assert not (tmp_path / NAME).exists()


def test_a_night_without_alerts_is_told_and_leaves_nothing(tmp_path):
    with (
        archive(lambda r: CannedResponse(404)) as server,
        pytest.raises(SourceError, match="No public alerts of 20240117"),
    ):
        fetch(server, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_busy_server_is_asked_again(tmp_path):
    answers = [CannedResponse(503), CannedResponse(429), file_response(Request("", {}), DATA)]
    with archive(lambda r: answers.pop(0)) as server:
        assert fetch(server, tmp_path).read_bytes() == DATA


def test_a_strange_status_is_told(tmp_path):
    with archive(lambda r: CannedResponse(403)) as server, pytest.raises(SourceError, match="status 403"):
        fetch(server, tmp_path)


def test_no_network_is_told(tmp_path):
    with http_server(lambda r: CannedResponse()) as server:
        pass
    with pytest.raises(SourceError, match=r"ConnectError: .*check the network"):
        fetch(server, tmp_path)


def test_a_full_disk_is_told_before_it_is_full(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr("redpoll.web.download.shutil.disk_usage", lambda path: usage)
    with (
        archive(lambda r: file_response(r, DATA)) as server,
        pytest.raises(SourceError, match=r"no space left on the disk \(0.00 GB missing, 0.00 GB free\)"),
    ):
        fetch(server, tmp_path)


def test_a_disk_that_fills_up_is_told(tmp_path, monkeypatch):
    def full(file, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("redpoll.web.download._write", full)
    with (
        archive(lambda r: file_response(r, DATA)) as server,
        pytest.raises(SourceError, match="make room and run the same command"),
    ):
        fetch(server, tmp_path)


def test_a_folder_that_is_a_file_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with archive(lambda r: file_response(r, DATA)) as server, pytest.raises(SourceError, match="check the folder"):
        fetch(server, tmp_path / "file")


def test_two_fetches_of_one_night_do_not_mix(tmp_path):
    with archive(lambda r: file_response(r, DATA)) as server, (tmp_path / f"{NAME}.part").open("wb") as part:
        fcntl.flock(part, fcntl.LOCK_EX)
        with pytest.raises(SourceError, match="another process is fetching it"):
            fetch(server, tmp_path)


@pytest.mark.parametrize(
    "night", ["2024", "20241301", "20240117x", "../../etc", "20171231", "2024-1-1", "", "２０２４０１１７"]
)
def test_a_night_that_is_no_date_is_refused(tmp_path, night):
    with pytest.raises(UsageError, match="YYYYMMDD"):
        fetch_ztf_night(night, tmp_path)


def test_a_night_to_come_is_refused(tmp_path):
    later = datetime.now(UTC) + timedelta(days=3)
    with pytest.raises(UsageError, match="to today"):
        fetch_ztf_night(f"{later:%Y%m%d}", tmp_path)
