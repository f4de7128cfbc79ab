"""Column of the alert table: dtype, unit, meaning and origin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import Literal

import pyarrow as pa

from redpoll.errors import SchemaError

_DTYPES = {
    "bool": pa.bool_(),
    "int8": pa.int8(),
    "int16": pa.int16(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "float32": pa.float32(),
    "float64": pa.float64(),
    "string": pa.string(),
    "bytes": pa.binary_view(),
}


@dataclass(frozen=True)
class Column:
    """A column, as declared by the data model or by a science module.

    Parameters
    ----------
    dtype
        One of bool, int8 to int64, float32, float64, string, bytes, or an Arrow type.
    unit
        Unit in the notation of the VOUnits standard; empty if it has none.
    doc
        One sentence: what the number means, and when it is null.
    ucd
        Unified Content Descriptor (IVOA UCD1+).
    indexed
        Whether the value is stored in the index as well as in the archive. False for large families of features.
    aggregate
        ``"max"`` or ``"min"``: the object keeps the maximum or minimum over its alerts. None: no aggregate.
    assigns
        Name of the class in the taxonomy that this column assigns. A float is the probability of the class; a true
        boolean or a non-null string assigns it. ``"@simbad"``, ``"@vsx"`` and the like: a string of that vocabulary,
        which the taxonomy maps to classes. None: the column assigns no class.
    label
        Short name for people, such as ``"Peak magnitude"``. Empty: pages derive one from the column's name.
    source
        Where the value comes from in each survey, for the data model's own columns.

    Examples
    --------
    >>> Column("float32", "mag/day").arrow_type
    DataType(float)
    """

    dtype: str | pa.DataType
    unit: str = ""
    doc: str = ""
    ucd: str = ""
    indexed: bool = True
    aggregate: Literal["max", "min"] | None = None
    assigns: str | None = None
    label: str = ""
    source: Mapping[str, str] = attribute(default_factory=dict, compare=False)

    @property
    def arrow_type(self) -> pa.DataType:
        """The Arrow type of the column."""
        if isinstance(self.dtype, pa.DataType):
            return self.dtype
        if self.dtype not in _DTYPES:
            raise SchemaError(f"unknown dtype '{self.dtype}'; use one of {', '.join(_DTYPES)} or an Arrow type")
        return _DTYPES[self.dtype]

    def field(self, name: str, *, by: str | None = None) -> pa.Field:
        """The Arrow field of this column; its metadata has what is known of description, label and maker `by`.

        >>> Column("float32", "mag/day").field("rise_rate", by="rise_rate@1").metadata[b"by"]
        b'rise_rate@1'
        """
        facts = {
            "unit": self.unit,
            "doc": self.doc,
            "ucd": self.ucd,
            "label": self.label,
            "indexed": "1" if self.indexed else "0",
        }
        facts |= {"aggregate": self.aggregate or "", "assigns": self.assigns or "", "by": by or ""}
        return described_field(name, self.arrow_type, facts)


def described_field(name: str, arrow_type: pa.DataType, facts: Mapping[str, str]) -> pa.Field:
    """A field whose metadata has those facts that are not empty: all others would be written to every file.

    >>> described_field("m", pa.float32(), {"unit": "mag", "ucd": ""}).metadata
    {b'unit': b'mag'}
    """
    return pa.field(name, arrow_type, metadata={key: fact for key, fact in facts.items() if fact})


def field_fact(field: pa.Field, key: str) -> str:
    """An entry of a field's metadata as text; empty if there is none.

    >>> field_fact(Column("float32", "mag").field("m"), "unit")
    'mag'
    """
    metadata: Mapping[bytes, bytes] = field.metadata or {}
    return metadata.get(key.encode(), b"").decode()


def is_text(arrow_type: pa.DataType) -> bool:
    """Whether a type is a string, dictionary-encoded or not."""
    value = arrow_type.value_type if pa.types.is_dictionary(arrow_type) else arrow_type
    return bool(pa.types.is_string(value) or pa.types.is_large_string(value) or pa.types.is_string_view(value))
