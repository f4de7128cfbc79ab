"""Contract of science modules and alert filters: functions whose parameters are columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Literal

import pyarrow as pa

from redpoll.errors import PluginError
from redpoll.plugin.call import batch_columns, call
from redpoll.plugin.columns import Columns
from redpoll.plugin.node import Attempt, unguarded
from redpoll.plugin.reference import reference
from redpoll.plugin.signature import Function, check_inputs, inputs_and_settings
from redpoll.schema.column import Column
from redpoll.schema.names import valid_name

Per = Literal["batch", "object"]


@dataclass(frozen=True, eq=False)
class ScienceModule:
    """A function that adds columns to the alert table; made by `science_module`, and callable like the function.

    ``inputs`` are the columns it reads, ``settings`` its keyword-only parameters with their defaults, and
    ``outputs`` the columns it adds. ``model`` is the name of its trained model, if any, and ``features`` the inputs
    of that model.
    """

    function: Function
    name: str
    version: str
    inputs: tuple[str, ...]
    settings: Mapping[str, Any]
    outputs: Mapping[str, Column]
    per: Per
    model: str | None
    features: tuple[str, ...]
    doc: str
    compile_group: str | None = None
    is_module: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self.__dict__.update(_function_attributes(self.function))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"

    def __reduce__(self) -> tuple[Any, ...]:
        return reference(self.function)

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns of a batch it reads: with per="object", detections come from ``light_curve``."""
        return batch_columns(self.inputs, self.per)

    def check(self, columns: Mapping[str, Column]) -> None:
        """Raise UnknownColumn if it reads a column that is not among these."""
        check_inputs(self.name, self.reads, columns)

    def compute(
        self, columns: Columns, settings: Mapping[str, Any], model: Any = None, attempt: Attempt = unguarded
    ) -> dict[str, pa.Array]:
        """The output columns for a batch; exceptions of the function propagate."""
        return call(self, columns, settings, model, attempt)


@dataclass(frozen=True, eq=False)
class AlertFilter:
    """A function that selects alerts by one boolean each; made by `alert_filter`, and callable like the function.

    Its result is the column ``pass_<topic>``; the alerts that pass go to ``topic``.
    """

    function: Function
    topic: str
    version: str
    inputs: tuple[str, ...]
    settings: Mapping[str, Any]
    per: Per
    doc: str
    model: ClassVar[None] = None
    features: ClassVar[tuple[str, ...]] = ()
    compile_group: ClassVar[None] = None
    is_module: ClassVar[bool] = False

    def __post_init__(self) -> None:
        self.__dict__.update(_function_attributes(self.function))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    def __str__(self) -> str:
        return f"{self.topic}@{self.version}"

    def __reduce__(self) -> tuple[Any, ...]:
        return reference(self.function)

    @property
    def name(self) -> str:
        """The topic."""
        return self.topic

    @property
    def outputs(self) -> Mapping[str, Column]:
        """The column it adds: ``pass_<topic>``, never null."""
        return {f"pass_{self.topic}": Column("bool", doc=self.doc)}

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns of a batch it reads: with per="object", detections come from ``light_curve``."""
        return batch_columns(self.inputs, self.per)

    def check(self, columns: Mapping[str, Column]) -> None:
        """Raise UnknownColumn if it reads a column that is not among these."""
        check_inputs(self.name, self.reads, columns)

    def compute(
        self, columns: Columns, settings: Mapping[str, Any], model: Any = None, attempt: Attempt = unguarded
    ) -> dict[str, pa.Array]:
        """The column ``pass_<topic>`` for a batch; exceptions of the function propagate."""
        return call(self, columns, settings, model, attempt)


def science_module(
    *,
    version: str,
    outputs: Mapping[str, Column],
    per: Per = "batch",
    model: str | None = None,
    features: Sequence[str] = (),
    compile_group: str | None = None,
) -> Callable[[Function], ScienceModule]:
    """Return a decorator that makes a function a science module.

    Parameters
    ----------
    version
        Change it whenever an output may change; it is stored with every value.
    outputs
        Name and `Column` of each value the function returns, in the order of return.
    per
        ``"batch"``: the function is called once, with one array per column. ``"object"``: it is called once per
        alert; ``mjd band flux flux_err mag mag_err`` are then the time-sorted detections of the light curve,
        triggering detection last, and every other parameter is a Python scalar or None.
    model
        Name of a trained model, passed as parameter ``model``.
    features
        Inputs of the model, in order, if the function computes them; default: the inputs of the function.
    compile_group
        For a module whose kernels take seconds to compile: modules of one group share kernels and are compiled in one
        process, ahead of the first run.

    Raises
    ------
    PluginError
        If the function or the declaration breaks the contract.

    Examples
    --------
    >>> @science_module(version="1", outputs={"colour_excess": Column("float32", "mag")})
    ... def colour_excess(mag, reference_mag, *, offset=0.0):
    ...     return mag - reference_mag - offset
    >>> colour_excess.inputs, dict(colour_excess.settings)
    (('mag', 'reference_mag'), {'offset': 0.0})
    >>> colour_excess(20.0, 19.5)
    0.5
    """

    def declare(function: Function) -> ScienceModule:
        name = valid_name(function.__name__, "the function's name")
        _check_version(name, version)
        _check_per(name, per)
        _check_outputs(name, outputs)
        if compile_group is not None:
            valid_name(compile_group, f"the compile group of {name}")
        inputs, settings = inputs_and_settings(function, model=model is not None)
        made = MappingProxyType(dict(outputs))
        used = tuple(features) or inputs if model else ()
        return ScienceModule(function, name, version, inputs, settings, made, per, model, used, _doc(function),
                             compile_group)  # fmt: skip

    return declare


def alert_filter(
    topic: str | None = None, *, version: str = "1", per: Per = "batch"
) -> Callable[[Function], AlertFilter]:
    """Return a decorator that makes a function of one boolean per alert an alert filter.

    Parameters
    ----------
    topic
        Name of the topic for alerts that pass; default: the function's name.
    version, per
        As for `science_module`.

    Raises
    ------
    PluginError
        If the function or the declaration breaks the contract.

    Examples
    --------
    >>> @alert_filter(topic="bright")
    ... def bright(mag, *, max_mag=18.0):
    ...     return mag < max_mag
    >>> list(bright.outputs)
    ['pass_bright']
    """
    if callable(topic):
        raise PluginError(f"{topic.__name__}: write @alert_filter() with parentheses")

    def declare(function: Function) -> AlertFilter:
        name = valid_name(function.__name__ if topic is None else topic, "a topic")
        _check_version(name, version)
        _check_per(name, per)
        inputs, settings = inputs_and_settings(function, model=False)
        return AlertFilter(function, name, version, inputs, settings, per, _doc(function))

    return declare


def _check_version(name: str, version: object) -> None:
    if not isinstance(version, str) or not version or not version.isprintable() or set("@, ") & set(version):
        raise PluginError(f'{name}: version must be a short string without spaces, like version="1"; got {version!r}')


def _check_per(name: str, per: object) -> None:
    if per not in ("batch", "object"):
        raise PluginError(f'{name}: per must be "batch" or "object"; got {per!r}')


def _check_outputs(name: str, outputs: object) -> None:
    if not isinstance(outputs, Mapping) or not outputs:
        raise PluginError(f'{name}: outputs must name its output columns, like outputs={{"{name}": Column("float32")}}')
    for output, column in outputs.items():
        valid_name(output, f"an output of {name}")
        if not isinstance(column, Column):
            raise PluginError(f"{name}: output '{output}' must be declared as a Column; got {column!r}")
        _ = column.arrow_type


def _doc(function: Function) -> str:
    """First line of the docstring; empty if there is none."""
    text = (function.__doc__ or "").strip()
    return text.splitlines()[0].strip() if text else ""


def _function_attributes(function: Function) -> dict[str, Any]:
    """Attributes that make `help`, doctest and notebooks treat the object as the function."""
    names = ("__module__", "__name__", "__qualname__", "__doc__")
    return {name: getattr(function, name) for name in names} | {"__wrapped__": function}
