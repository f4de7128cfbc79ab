"""Download of a catalogue that is one file at a URL, possibly in an archive or with an access key."""

from __future__ import annotations

import hashlib
import os
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path

import httpx

from redpoll.catalogs.errors import CatalogError
from redpoll.catalogs.fetch.ask import Service, form
from redpoll.catalogs.fetch.plan import UrlPlan
from redpoll.errors import SourceError, UsageError
from redpoll.web.download import Download

_PAGE = (b"<!doctype html", b"<html")
_CHUNK = 1 << 20


def fetch_address(plan: UrlPlan, folder: Path, service: Service) -> Path:
    """Fetch a file unless it exists; an interrupted download without a key is resumed.

    Raises
    ------
    UsageError
        If an environment variable with a key is not set.
    CatalogError
        If it cannot be fetched, is an error page, has another checksum, or lacks the member of the recipe.
    """
    out = folder / plan.file
    if out.exists():
        return out
    folder.mkdir(parents=True, exist_ok=True)
    raw = folder / f"{plan.file}.raw"
    if plan.form_from_env or plan.headers_from_env:
        service.ask(plan.url, lambda client: _posted(plan, raw, service, client))
        _check(raw, plan)
    else:
        try:
            Download(plan.url, raw, "Check url in the recipe", service.progress,
                     lambda path: _check_download(path, plan), service.sleep).run()  # fmt: skip
        except SourceError as error:
            raise CatalogError(str(error)) from error
    return _unpacked(plan, raw, out)


def from_environment(names: Mapping[str, str], what: str) -> dict[str, str]:
    """Values of environment variables; UsageError with the name of one that is not set."""
    missing = [name for name in names.values() if not os.environ.get(name)]
    if missing:
        raise UsageError(f"{what} needs a key: set the environment variable {missing[0]}")
    return {key: os.environ[name] for key, name in names.items()}


def _posted(plan: UrlPlan, raw: Path, service: Service, client: httpx.Client) -> None:
    fields = from_environment(plan.form_from_env, plan.url)
    headers = from_environment(plan.headers_from_env, plan.url)
    request = form(client, plan.url, fields, headers=headers)
    partial = raw.with_suffix(".part")
    received = 0
    with service.answer(client, request) as response, partial.open("wb") as file:
        for chunk in response.iter_bytes(_CHUNK):
            service.count(len(chunk), str(request.url.host))
            received += len(chunk)
            if received > plan.max_bytes:
                raise CatalogError(f"{plan.url}: more than {plan.max_bytes} bytes")
            file.write(chunk)
    partial.replace(raw)


def _check(raw: Path, plan: UrlPlan) -> None:
    try:
        _check_download(raw, plan)
    except SourceError as error:
        raw.unlink()
        raise CatalogError(str(error)) from error


def _check_download(path: Path, plan: UrlPlan) -> None:
    """Raise SourceError if the file is an error page, too large, or has another checksum."""
    if path.stat().st_size > plan.max_bytes:
        raise SourceError(f"{plan.url}: more than {plan.max_bytes} bytes")
    with path.open("rb") as file:
        start = file.read(256).lstrip().lower()
        if not start or start.startswith(_PAGE):
            raise SourceError(f"{plan.url}: the response is {'a web page' if start else 'empty'}, not a table")
        if plan.sha256 is None:
            return
        file.seek(0)
        if (found := hashlib.file_digest(file, "sha256").hexdigest()) != plan.sha256:
            raise SourceError(f"{plan.url}: its SHA-256 is {found}, the recipe has {plan.sha256}")


def _unpacked(plan: UrlPlan, raw: Path, out: Path) -> Path:
    """Unpack the file, remove the lines before its table, and rename it."""
    partial = out.with_name(f"{out.name}.part")
    try:
        if plan.member is not None:
            _unzip(plan, raw, partial)
        else:
            raw.replace(partial)
        if plan.skip_lines:
            _skip(partial, plan.skip_lines)
    except zipfile.BadZipFile as error:
        raw.unlink(missing_ok=True)
        raise CatalogError(f"{plan.url}: the response is not a zip archive ({error})") from error
    raw.unlink(missing_ok=True)
    partial.replace(out)
    return out


def _unzip(plan: UrlPlan, raw: Path, out: Path) -> None:
    with zipfile.ZipFile(raw) as archive:
        try:
            info = archive.getinfo(str(plan.member))
        except KeyError as error:
            names = ", ".join(archive.namelist()[:5])
            raise CatalogError(f"{plan.url}: the archive has no {plan.member}, but {names}") from error
        if info.file_size > plan.max_bytes:
            raise CatalogError(f"{plan.url}: {plan.member} unpacks to {info.file_size} bytes; that is refused")
        with archive.open(info) as file, out.open("wb") as target:
            shutil.copyfileobj(file, target, _CHUNK)


def _skip(path: Path, n: int) -> None:
    rest = path.with_suffix(".rest")
    with path.open("rb") as file, rest.open("wb") as target:
        for _ in range(n):
            file.readline(_CHUNK)
        shutil.copyfileobj(file, target, _CHUNK)
    rest.replace(path)
