"""Any columns of any flat record: the bytes are those of fastavro."""

from __future__ import annotations

import io

import fastavro
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from redpoll.simulate.avro_rows import encode_rows

VALUES = {
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(allow_nan=False, width=32),
    "double": st.floats(allow_nan=False),
    "boolean": st.booleans(),
    "string": st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=80),
}
DTYPES = {
    "int": np.int64,
    "long": np.int64,
    "float": np.float64,
    "double": np.float64,
    "boolean": bool,
    "string": object,
}


@st.composite
def tables(draw):
    kinds = draw(st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=6))
    n = draw(st.integers(0, 8))
    fields, columns, rows = [], {}, [{} for _ in range(n)]
    for k, kind in enumerate(kinds):
        null_at = draw(st.sampled_from([None, 0, 1]))
        values = draw(st.lists(VALUES[kind], min_size=n, max_size=n))
        missing = [null_at is not None and draw(st.booleans()) for _ in values]
        union = kind if null_at is None else (["null", kind] if null_at == 0 else [kind, "null"])
        fields.append((f"f{k}", union))
        columns[f"f{k}"] = np.ma.masked_array(np.array(values, DTYPES[kind]), missing)
        for row, value, absent in zip(rows, values, missing, strict=True):
            row[f"f{k}"] = None if absent else value
    return tuple(fields), columns, rows


@settings(max_examples=150)
@given(tables())
def test_columns_at_once_equal_records_one_by_one(table):
    fields, columns, rows = table
    schema = fastavro.parse_schema(
        {"type": "record", "name": "r", "fields": [{"name": name, "type": kind} for name, kind in fields]}
    )
    encoded = encode_rows(fields, columns)
    assert len(encoded) == len(rows)
    for k, row in enumerate(rows):
        buffer = io.BytesIO()
        fastavro.schemaless_writer(buffer, schema, row)
        assert bytes(encoded.row(k)) == buffer.getvalue()
