"""Filters as one-line expressions over columns: tokens, a Pratt parser, a typed plan, run by Arrow or by SQL."""

from redpoll.plugin.expression.expression import Expression, parse_expression
from redpoll.plugin.expression.filter import ExpressionFilter, expression_filter

__all__ = ["Expression", "ExpressionFilter", "expression_filter", "parse_expression"]
