"""What the API's JSON answers look like; a contract test validates real answers against these models."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Values = dict[str, Any]
"""One row: column name to value; null where unknown, 64-bit identifiers as strings."""


class Answer(BaseModel):
    """Base of all answers: no field that is not declared."""

    model_config = ConfigDict(extra="forbid")


class Problem(Answer):
    """An error, RFC 9457."""

    type: str = "about:blank"
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["there is no object 'ZTF20aaelulx'"])
    errors: list[dict[str, str]] = Field(default=[], description="which parameters are wrong: in, name, message")


PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "content": {"application/problem+json": {}}} for status in (400, 404, 422, 503)
}
"""OpenAPI description of the errors of a route."""


class ColumnFacts(Answer):
    """What a column means and where it comes from."""

    label: str = Field(examples=["Magnitude"], description="short name for people")
    dtype: str = Field(examples=["float32"])
    unit: str = Field(examples=["mag"], description="VOUnits; empty if it has none")
    doc: str = Field(examples=["AB magnitude of the absolute value of flux."])
    ucd: str = Field(examples=["phot.mag"])
    by: str = Field(examples=["rise_rate@1"], description="module@version that made it, or the survey's field")


class LightCurve(Answer):
    """A light curve column by column, time-sorted; all lists have the same length.

    One point per exposure and band. That of an object has at most 2,000: the newest 1,000 and a thinned past.
    """

    mjd: list[float] = Field(description="MJD TAI, days")
    band: list[str | None] = Field(description="u, g, r, i, z or y")
    flux: list[float | None] = Field(description="difference flux, nJy; null for upper limits")
    flux_err: list[float | None] = Field(description="one-sigma error of flux or, for upper limits, of the noise, nJy")
    kind: list[str | None] = Field(description="detection, forced, upper_limit or low_quality")


class AlertPage(Answer):
    """One page of alerts."""

    alerts: list[Values] = Field(
        examples=[[{"survey": "ztf", "alert_id": "1105522281015015001", "object_id": "ZTF20aaelulu", "mag": 17.54}]]
    )
    next: str | None = Field(description="cursor of the next page; null on the last one")


class AssignedClass(Answer):
    """A class that one module or catalogue assigned to alerts of an object; contradicting classes are kept too."""

    name: str = Field(examples=["sn_ia"], description="class of the taxonomy")
    by: str = Field(examples=["early_ia@1"], description="module@version or catalogue@version")
    first_mjd: float = Field(description="first alert with the class, MJD TAI")
    last_mjd: float = Field(description="last alert with the class, MJD TAI")
    n_alerts: int = Field(description="alerts with the class")
    max_probability: float | None = Field(description="maximum; null where the class has no probability")
    last_probability: float | None = Field(description="that of the last of these alerts")


class ObjectAnswer(Answer):
    """An object: its summary, newest alerts, and light curve: the measurements of all its packets."""

    object: Values = Field(examples=[{"object_id": "ZTF20aaelulu", "ra": 185.7289, "dec": 15.8236, "n_alerts": 47}])
    classes: list[AssignedClass] = Field(description="every assigned class, by class and source")
    alerts: list[Values] = Field(description="newest first")
    next: str | None = Field(description="cursor for /api/v2/alerts?object_id=...: older alerts; null if none")
    light_curve: LightCurve
    columns: dict[str, ColumnFacts] = Field(description="every column that occurs in object and alerts")


class FullAlert(Answer):
    """One alert with its history, added values and the survey's own packet; the cutouts have their own address."""

    alert: Values
    columns: dict[str, ColumnFacts]
    cutouts: dict[str, str] = Field(description="kind to address, for those that were sent")


class CutoutPixels(Answer):
    """One cutout, small enough for a page: stored value = low + (high - low) x pixel / 65534."""

    width: int
    height: int
    low: float = Field(description="0.5 percentile of the pixels; lower ones are clipped")
    high: float = Field(description="99.95 percentile of the pixels; higher ones are clipped")
    pixels: str = Field(description="base64 of little-endian uint16, lowest row first; 65535 where blank")


class LedgerRow(Answer):
    """Counts of packets: received = stored + duplicate + rejected."""

    survey: str | None
    night: int | None = Field(default=None, examples=[20260310])
    run: int | None = None
    received: int
    stored: int
    duplicate: int
    rejected: int
    reasons: dict[str, int] = Field(description="packets per reason")


class LedgerAnswer(Answer):
    """The ledger, newest first."""

    ledger: list[LedgerRow]


class Topics(Answer):
    """Alerts per topic: how many passed each filter."""

    night: int | None
    topics: dict[str, Annotated[int, Field(ge=0)]]


class Health(Answer):
    """Whether the server runs, and whether the store can be read."""

    status: str = Field(examples=["ok"])
    store: str = Field(examples=["ready"], description="ready, or waiting until a first run makes the store")
    version: str
