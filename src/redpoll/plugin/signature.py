"""Inputs and settings of a plugin, from its signature."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from inspect import Parameter
from types import MappingProxyType
from typing import Any

from redpoll.errors import PluginError, UnknownColumn

Function = Callable[..., Any]
MODEL = "model"
_SETTING_TYPES = (bool, int, float, str, tuple, type(None))


def inputs_and_settings(function: Function, *, model: bool) -> tuple[tuple[str, ...], Mapping[str, Any]]:
    """Names of the columns a function reads, and its settings with their defaults.

    `model` is whether the function takes a trained model, as the parameter of that name.

    Raises
    ------
    PluginError
        For ``*args``, ``**kwargs``, a setting without a default, a column with one, or a `model` parameter
        that does not fit the declaration.
    """
    parameters = list(inspect.signature(function).parameters.values())
    name = function.__name__
    for parameter in parameters:
        _check(name, parameter)
    inputs = tuple(p.name for p in parameters if p.kind is not Parameter.KEYWORD_ONLY)
    _check_model(name, MODEL in inputs, model)
    settings = {p.name: p.default for p in parameters if p.kind is Parameter.KEYWORD_ONLY}
    return tuple(i for i in inputs if i != MODEL), MappingProxyType(settings)


def check_inputs(name: str, inputs: tuple[str, ...], columns: Mapping[str, Any]) -> None:
    """Raise UnknownColumn, with similar names, for the first input that is not among the columns."""
    for column in inputs:
        if column not in columns:
            raise UnknownColumn(name, column, list(columns))


def _check(name: str, parameter: Parameter) -> None:
    if parameter.kind in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD):
        raise PluginError(f"{name}: '{parameter}' names no column; name each column it reads")
    if parameter.kind is Parameter.POSITIONAL_ONLY:
        raise PluginError(f"{name}: '{parameter.name}' is positional-only; columns are given by name, remove the /")
    if parameter.kind is not Parameter.KEYWORD_ONLY:
        if parameter.default is not Parameter.empty:
            raise PluginError(f"{name}: the column '{parameter.name}' has a default; put settings after a bare *")
        return
    if parameter.default is Parameter.empty:
        raise PluginError(f"{name}: the setting '{parameter.name}' needs a default")
    if not isinstance(parameter.default, _SETTING_TYPES):
        kind = type(parameter.default).__name__
        raise PluginError(f"{name}: the setting '{parameter.name}' is a {kind}; use bool, int, float, str or tuple")


def _check_model(name: str, takes: bool, declared: bool) -> None:
    if takes and not declared:
        raise PluginError(f"{name}: it takes 'model' but declares none; write @science_module(model=...)")
    if declared and not takes:
        raise PluginError(f"{name}: it declares a model but has no parameter 'model'")
