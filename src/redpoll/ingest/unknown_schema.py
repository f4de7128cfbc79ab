"""The error of a schema id that no place knows."""

from __future__ import annotations

from redpoll.errors import SchemaError


class UnknownSchema(SchemaError):
    """A packet names a schema id that no folder and no registry has."""

    def __init__(self, schema_id: int, *where: str) -> None:
        self.schema_id, self.where = schema_id, ", ".join(where)
        super().__init__(f"no schema with id {schema_id} in {self.where}; name a folder or a registry that has it")

    def __reduce__(self) -> tuple[type[UnknownSchema], tuple[int, str]]:
        return UnknownSchema, (self.schema_id, self.where)
