"""Reader of one TOML table of a recipe that checks the type of each value and refuses unknown keys."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeVar

from redpoll.catalogs.errors import RecipeError
from redpoll.errors import near

Choice = TypeVar("Choice", bound=str)


class Section:
    """One TOML table, named `where` in errors; `done` refuses keys that were not read.

    >>> Section({"ra": "RAJ2000", "dce": "DEJ2000"}, "mine.toml: position").maybe("dec")
    """

    def __init__(self, tree: Mapping[str, Any], where: str) -> None:
        self._tree, self.where = tree, where
        self._known: list[str] = []

    def __contains__(self, key: str) -> bool:
        return key in self._tree

    @property
    def names(self) -> tuple[str, ...]:
        """Its keys."""
        return tuple(self._tree)

    def text(self, key: str, *, required: bool = False) -> str:
        """A string; empty if missing."""
        if required and key not in self:
            raise RecipeError(f"{self.where}: needs '{key}'{near(key, self._tree)}")
        value = self._get(key, "")
        return str(self._checked(key, value, isinstance(value, str), "a string"))

    def maybe(self, key: str) -> str | None:
        """A string; None if missing or empty."""
        return self.text(key) or None

    def number(self, key: str, default: float) -> float:
        """A finite number."""
        value = self._get(key, default)
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        return float(self._checked(key, value, is_number, "a number"))

    def flag(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self._get(key, default)
        return bool(self._checked(key, value, isinstance(value, bool), "true or false"))

    def choice(self, key: str, options: tuple[Choice, ...]) -> Choice:
        """One of the options; the first if missing."""
        value = self._get(key, options[0])
        wanted = "one of " + ", ".join(options)
        return options[options.index(self._checked(key, value, value in options, wanted))]

    def scalars(self, key: str) -> tuple[Any, ...]:
        """A string, number or boolean, or a list of them; always as a tuple."""
        value = self._get(key, [])
        values = value if isinstance(value, list) else [value]
        are_plain = all(isinstance(v, str | int | float | bool) for v in values)
        return tuple(self._checked(key, values, are_plain, "a value or a list of values"))

    def section(self, key: str) -> Section:
        """A table in this table; empty if missing."""
        value = self._get(key, {})
        self._checked(key, value, isinstance(value, dict), "a table")
        return Section(value, f"{self.where}: {key}")

    def free(self) -> dict[str, Any]:
        """The table as a dict, without a check of its keys."""
        return dict(self._tree)

    def done(self) -> None:
        """Raise RecipeError if a key was not read."""
        for key in self._tree:
            if key not in self._known:
                raise RecipeError(f"{self.where}: unknown key '{key}'{near(key, self._known)}")

    def _get(self, key: str, default: Any) -> Any:
        self._known.append(key)
        return self._tree.get(key, default)

    def _checked(self, key: str, value: Any, fits: bool, wanted: str) -> Any:
        if not fits:
            raise RecipeError(f"{self.where}: {key}: expected {wanted}, got {value!r}")
        return value
