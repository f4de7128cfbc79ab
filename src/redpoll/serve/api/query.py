"""Searches for alerts, and their results page by page."""

from __future__ import annotations

from collections.abc import Collection

from pydantic import BaseModel, ConfigDict, Field

from redpoll.errors import BadQuery, ExpressionError, NotFound, SchemaError, UnknownColumn, UsageError, near
from redpoll.schema.taxonomy import taxonomy
from redpoll.serve.api.formats import Format
from redpoll.serve.dependencies import Night, Survey
from redpoll.serve.door import Reader
from redpoll.store import Cone, Scan, Selection

MAX_LIMIT = 1000
MAX_EXPRESSION = 2000
MAX_RADIUS_ARCSEC = 18_000.0
_CONE = ("ra", "dec", "radius_arcsec")


class AlertQuery(BaseModel):
    """Parameters of /api/v2/alerts: conditions, all of which the alerts fulfil."""

    model_config = ConfigDict(extra="forbid")

    topic: str | None = Field(default=None, max_length=200, description="only alerts that passed this filter")
    class_: str | None = Field(
        default=None,
        alias="class",
        max_length=200,
        description="only alerts to which a module or catalogue assigned this class or a subclass",
        examples=["sn_ia"],
    )
    night: Night | None = None
    object_id: str | None = Field(default=None, max_length=200, description="alerts of this object, newest first")
    ra: float | None = Field(
        default=None, ge=0, le=360, allow_inf_nan=False, description="centre of a cone, ICRS degrees"
    )
    dec: float | None = Field(
        default=None, ge=-90, le=90, allow_inf_nan=False, description="centre of a cone, ICRS degrees"
    )
    radius_arcsec: float | None = Field(
        default=None,
        gt=0,
        le=MAX_RADIUS_ARCSEC,
        allow_inf_nan=False,
        description="radius of a cone; nearest alerts first",
    )
    survey: Survey | None = Field(default=None, description="alerts of this survey", examples=["ztf"])
    where: str | None = Field(
        default=None,
        max_length=MAX_EXPRESSION,
        description="condition on any stored columns, in the language of filters",
        examples=["mag < 18 and n_detections > 3"],
    )
    limit: int = Field(default=100, ge=1, le=MAX_LIMIT, description="alerts per page")
    cursor: str | None = Field(default=None, max_length=500, description="`next` of the page before")
    format: Format | None = Field(default=None, description="else the Accept header decides")

    def selection(self) -> Selection:
        """The alerts that are asked for."""
        cone = None
        if self.ra is not None and self.dec is not None and self.radius_arcsec is not None:
            cone = Cone(self.ra, self.dec, self.radius_arcsec)
        return Selection(
            where=self.where,
            cone=cone,
            night=self.night,
            class_=self.class_,
            topic=self.topic,
            object_ids=None if self.object_id is None else [self.object_id],
            survey=self.survey,
        )

    def check(self) -> None:
        """Refuse a part of a cone, and a class that does not exist."""
        missing = [name for name in _CONE if getattr(self, name) is None]
        if missing and len(missing) < len(_CONE):
            raise BadQuery(f"a cone needs ra, dec and radius_arcsec; missing: {', '.join(missing)}")
        if self.class_ is not None:
            check_class(self.class_)


def check_class(name: str) -> None:
    """Refuse a class that is not in the taxonomy, with the near names."""
    try:
        taxonomy().check(name)
    except SchemaError as error:
        raise BadQuery(str(error)) from error


def check_topic(name: str, topics: Collection[str]) -> None:
    """Refuse a topic that no alert of the store has, with the near names or all of them."""
    if name not in topics:
        raise NotFound(f"no alert of this store passed a filter with the topic '{name}'{near(name, topics)}")


def scan_of(reader: Reader, query: AlertQuery) -> Scan:
    """One page and the cursor of the next; BadQuery for parameters that exclude each other."""
    query.check()
    try:
        return reader.alerts.scan(None, query.selection(), after=query.cursor, limit=query.limit)
    except (ExpressionError, UnknownColumn) as error:
        raise BadQuery(f"where: {error}") from error
    except UsageError as error:
        raise BadQuery(f"cursor: {error}" if query.cursor else str(error)) from error


def check_found(reader: Reader, query: AlertQuery, n_alerts: int) -> None:
    """Refuse a topic that does not exist, where nothing was found."""
    if query.topic is not None and not n_alerts:
        check_topic(query.topic, reader.ledger.topics())
