"""The alert table, column by column."""

from __future__ import annotations

import pyarrow as pa

from redpoll.schema.alert import COLUMNS, PACKET
from redpoll.schema.bands import BANDS, KINDS, SURVEYS
from redpoll.schema.column import Column
from redpoll.schema.light_curve import POINT_TYPE
from redpoll_reference.links import link, made
from redpoll_reference.markdown import required, table

INTRODUCTION = f"""# Columns

*For anyone who reads alerts, or writes a science module or a filter: the name of every quantity.*

One name per quantity, the same for both surveys. Times are MJD TAI, positions ICRS degrees, fluxes nJy with the AB
zero point 31.4. Unknown is null, never a special number. The bands are {", ".join(f"`{b}`" for b in BANDS)}.
"""
ORIGINS = """## Where it comes from

The field of each survey's packet that a column is made of. Indexed columns are in the store's index, where any query
reaches them; the others are in the archive. `survey` and `hpx29` are Redpoll's own.
"""
MADE = """## Made by modules, filters and catalogues

What is added to the packet's own columns. Where a column assigns a class, its name in the taxonomy is given, or with
`@` the vocabulary of its words. The column `classes` collects the assigned classes of all sources.
"""


def page() -> str:
    """The page of columns."""
    meanings = table(["column", "type", "unit", "meaning and null rule"], (_meaning(*item) for item in COLUMNS.items()))
    origins = table(["column", "UCD", "indexed", *SURVEYS], (_origin(*item) for item in COLUMNS.items()))
    return "\n\n".join([INTRODUCTION, meanings, ORIGINS, origins, _light_curve(), _packet(), _made()]) + "\n"


def _made() -> str:
    rows = [
        [f"`{name}`", _type(column.arrow_type), column.unit, f"`{column.assigns}`" if column.assigns else "",
         link(maker, page), required(column.doc, f"column {name}")]
        for name, column, maker, page in made()
    ]  # fmt: skip
    return "\n\n".join([MADE, table(["column", "type", "unit", "class", "made by", "meaning and null rule"], rows)])


def _meaning(name: str, column: Column) -> list[str]:
    kind = "list of points" if pa.types.is_list(column.arrow_type) else _type(column.arrow_type)
    return [f"`{name}`", kind, column.unit, required(column.doc, f"column {name}")]


def _origin(name: str, column: Column) -> list[str]:
    sources = [column.source.get(survey, "computed by Redpoll") for survey in SURVEYS]
    return [f"`{name}`", column.ucd.replace(";", "; "), "yes" if column.indexed else "", *sources]


def _type(arrow: pa.DataType) -> str:
    if pa.types.is_dictionary(arrow):
        return "string"
    return "bytes" if arrow == pa.binary_view() else str(arrow)


def _light_curve() -> str:
    fields = [[f"`{field.name}`", _type(field.type)] for field in POINT_TYPE]
    kinds = ", ".join(f"`{kind}`" for kind in KINDS)
    return f"""## A point of `light_curve`

{table(["field", "type"], fields)}

The kinds of point are {kinds}. An upper limit has no flux; its `flux_err` is the one-sigma depth."""


def _packet() -> str:
    return f"""## `{PACKET}`

The last column: a struct with all the survey's own fields under their own names, except the bytes of the cutouts.
Nothing the survey sent is lost; a field that is newer than this version of Redpoll is there too."""
