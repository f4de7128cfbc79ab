"""The column `classes`: what anything says that an alert is, as one list of tags per alert."""

from __future__ import annotations

import pyarrow as pa

from redpoll.schema.column import Column

CLASSES = "classes"
"""Name of the column; it stands after those of modules and filters, before ``packet``."""
CLASSIFICATION_TYPE = pa.struct(
    [pa.field("name", pa.string()), pa.field("probability", pa.float32()), pa.field("by", pa.string())]
)
CLASSES_TYPE = pa.list_(CLASSIFICATION_TYPE)
CLASSES_COLUMN = Column(
    CLASSES_TYPE,
    doc="Every class said of the alert, by name: probability (null where a catalogue or a rule says it without one) "
    "and by whom, as module@version or catalogue@version.",
    ucd="src.class",
    indexed=False,
)
