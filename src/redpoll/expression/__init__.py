"""Conditions on alerts in one line: tokens, a Pratt parser, a typed plan, evaluated by Arrow or by SQL."""

from redpoll.expression.expression import Expression, parse_expression

__all__ = ["Expression", "parse_expression"]
