"""What several routes take: the store, and identifiers in addresses."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Depends, Path, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from redpoll.astro.time import is_date
from redpoll.serve.door import StoreDoor


def _date(night: int) -> int:
    if not is_date(night):
        raise ValueError("a night is a date, YYYYMMDD, such as 20260310")
    return night


Survey = Literal["ztf", "rubin", "elasticc"]
AlertId = Annotated[int, Path(ge=-(2**63), le=2**63 - 1, examples=["1105522281015015001"])]
ObjectId = Annotated[str, Path(max_length=200, examples=["ZTF20aaelulu"])]
Night = Annotated[
    int, Field(ge=0, le=99_991_231, description="night as YYYYMMDD", examples=[20260310]), AfterValidator(_date)
]


class NoQuery(BaseModel):
    """Query of a route without parameters: any parameter is refused."""

    model_config = ConfigDict(extra="forbid")


async def door_of(request: Request) -> StoreDoor:
    """The application's door to the store; its reader is taken in the thread that uses it."""
    door: StoreDoor = request.app.state.door
    return door


Door = Annotated[StoreDoor, Depends(door_of)]
