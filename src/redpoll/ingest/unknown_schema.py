"""Error of an unknown schema id."""

from __future__ import annotations

from redpoll.errors import SchemaError


class UnknownSchema(SchemaError):
    """No folder and no registry has the schema id of a packet."""

    def __init__(self, schema_id: int, *where: str) -> None:
        self.schema_id, self.where = schema_id, ", ".join(where)
        super().__init__(f"no schema with id {schema_id} in {self.where}; name a folder or a registry that has it")

    def __reduce__(self) -> tuple[type[UnknownSchema], tuple[int, str]]:
        return UnknownSchema, (self.schema_id, self.where)
