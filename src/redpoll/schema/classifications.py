"""The column `classes`: the classes assigned to each alert, with probability and source."""

from __future__ import annotations

import pyarrow as pa

from redpoll.schema.column import Column

CLASSES = "classes"
"""Name of the column, which follows those of modules and filters and precedes ``packet``."""
CLASSIFICATION_TYPE = pa.struct(
    [pa.field("name", pa.string()), pa.field("probability", pa.float32()), pa.field("by", pa.string())]
)
CLASSES_TYPE = pa.list_(CLASSIFICATION_TYPE)
CLASSES_COLUMN = Column(
    CLASSES_TYPE,
    doc="Classes assigned to the alert, by name: probability (null where a catalogue or rule gives none) and source, "
    "as module@version or catalogue@version.",
    ucd="src.class",
    indexed=False,
)
