"""Static files, in memory: one name per content, so that a browser may keep them for ever."""

from __future__ import annotations

import gzip
import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from redpoll.serve.problems import problem

log = logging.getLogger(__name__)
STATIC = Path(__file__).with_name("static")
VENDOR = ("vendor/uPlot.iife.min.js", "vendor/uPlot.min.css")
"""Files that come from npm; pages work without them, with the server's own drawing of the light curve."""
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".png": "image/png"}
_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Asset:
    """One static file and its gzipped twin."""

    body: bytes
    zipped: bytes
    media_type: str


class Assets:
    """All static files under one hash of their contents, so that modules may import each other by relative names."""

    def __init__(self, folder: Path = STATIC) -> None:
        paths = sorted(path for path in folder.rglob("*") if path.suffix in _TYPES)
        self._files = {path.relative_to(folder).as_posix(): _load(path) for path in paths}
        digest = hashlib.sha256()
        for name, asset in self._files.items():
            digest.update(name.encode() + b"\0" + asset.body)
        self.version = digest.hexdigest()[:12]
        self.has_vendor = all(name in self._files for name in VENDOR)
        if not self.has_vendor:
            log.warning("interactive plots are off: front-end packages are missing; run `make setup` to fetch them")

    def url(self, name: str) -> str:
        """Address of a static file; KeyError if there is none, so that a template cannot name a missing one."""
        self._files[name]
        return f"/static/{self.version}/{name}"

    async def answer(self, request: Request) -> Response:
        """The file, gzipped for a browser that takes it; 404 for any other name or version."""
        asset = self._files.get(request.path_params["name"])
        if asset is None or request.path_params["version"] != self.version:
            return problem(404, "There is no such file in this version of the portal.")
        headers = {"Cache-Control": _FOR_EVER, "Vary": "Accept-Encoding"}
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return Response(asset.zipped, headers=headers, media_type=asset.media_type)
        return Response(asset.body, headers=headers, media_type=asset.media_type)


def _load(path: Path) -> Asset:
    body = path.read_bytes()
    return Asset(body, gzip.compress(body, 9, mtime=0), _TYPES[path.suffix])
