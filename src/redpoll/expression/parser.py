"""From words to a tree: a Pratt parser, one binding power per operator."""

from __future__ import annotations

import math

from redpoll.errors import ExpressionError
from redpoll.expression.syntax import (
    AND,
    COMPARISON,
    NOT,
    OR,
    PRODUCT,
    SIGN,
    SUM,
    Arithmetic,
    Between,
    Call,
    Compare,
    In,
    IsNull,
    Literal,
    Logic,
    Name,
    Negate,
    Not,
    Tree,
    walk,
)
from redpoll.expression.tokens import Token, complaint, tokens

MAX_DEPTH = 64
"""How deeply an expression may be nested."""
MAX_NODES = 1000
"""How many columns, constants, operators and functions an expression may have."""
FUNCTIONS = {"abs": (1, 1), "log10": (1, 1), "sqrt": (1, 1), "min": (2, 16), "max": (2, 16)}
"""The functions, with the minimum and maximum number of arguments."""
_COMPARISONS = frozenset(["<", "<=", ">", ">=", "==", "!="])
_POWERS = dict.fromkeys([*_COMPARISONS, "in", "between", "is", "not"], COMPARISON)
_POWERS |= {"or": OR, "and": AND, "+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT}


def parse(text: str) -> Tree:
    """The tree of an expression.

    Raises
    ------
    ExpressionError
        If the text is no expression; the message shows the position of the error.

    Examples
    --------
    >>> str(parse("not(mag>18)AND band in ('g','r')"))
    'not mag > 18 and band in ("g", "r")'
    """
    parser = _Parser(text)
    tree = parser.expression(0)
    parser.expect_end()
    for n, (part, depth) in enumerate(walk(tree)):
        if n >= MAX_NODES:
            raise complaint(text, part.at, f"more than {MAX_NODES} columns, constants and operators")
        if depth > MAX_DEPTH:
            raise complaint(text, part.at, f"nested more than {MAX_DEPTH} deep")
    return tree


class _Parser:
    def __init__(self, text: str) -> None:
        self._text, self._tokens = text, tokens(text)
        self._i = self._depth = 0

    @property
    def _token(self) -> Token:
        return self._tokens[self._i]

    def expression(self, power: int) -> Tree:
        """The longest expression from here whose operators bind more strongly than `power`."""
        left = self._operand()
        while _power(self._token) > power:
            left = self._joined(left)
        return left

    def expect_end(self) -> None:
        if self._token.kind != "end":
            raise self._complaint(self._token, f"unexpected {self._token.text!r}")

    def _operand(self) -> Tree:
        token = self._next()
        if token.kind == "number":
            return self._number(token)
        if token.kind == "string":
            return self._string(token)
        if token.kind == "name":
            return self._call(token) if self._token.text == "(" else Name(token.text, token.at)
        if token.text in ("true", "false"):
            return Literal(token.text == "true", token.at)
        return self._prefixed(token)

    def _prefixed(self, token: Token) -> Tree:
        if token.text not in ("(", "-", "not"):
            raise self._complaint(token, _expected_value(token))
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._complaint(token, f"nested more than {MAX_DEPTH} deep")
        tree = self._below(token)
        self._depth -= 1
        return tree

    def _below(self, token: Token) -> Tree:
        if token.text == "not":
            return Not(self.expression(NOT - 1), token.at)
        if token.text == "-":
            if self._token.kind == "number":
                number = self._number(self._next())
                return Literal(-number.value, token.at)  # type: ignore[operator]  # a number's value is one
            return Negate(self.expression(SIGN - 1), token.at)
        tree = self.expression(0)
        self._expect(")")
        return tree

    def _joined(self, left: Tree) -> Tree:
        token = self._token
        if token.text in ("and", "or"):
            return self._logic(left, token)
        if token.text in _COMPARISONS:
            return self._comparison(left, token)
        self._next()
        if token.text in ("+", "-", "*", "/"):
            return Arithmetic(token.text, left, self.expression(_power(token)), token.at)
        if token.text == "is":
            negated = self._accept("not")
            self._expect("null")
            return Not(IsNull(left, token.at), token.at) if negated else IsNull(left, token.at)
        if token.text == "not":
            return Not(self._membership(left, self._next()), token.at)
        return self._membership(left, token)

    def _logic(self, left: Tree, token: Token) -> Tree:
        parts = [left]
        while self._accept(token.text):
            parts.append(self.expression(_power(token)))
        return Logic(token.text, tuple(parts), token.at)

    def _comparison(self, left: Tree, token: Token) -> Tree:
        operators, parts = [], [left]
        while self._token.text in _COMPARISONS and self._token.kind == "symbol":
            operators.append(self._next().text)
            parts.append(self.expression(COMPARISON))
        return Compare(tuple(operators), tuple(parts), token.at)

    def _membership(self, left: Tree, token: Token) -> Tree:
        if token.text == "between":
            low = self.expression(COMPARISON)
            self._expect("and")
            return Between(left, low, self.expression(COMPARISON), token.at)
        if token.text != "in":
            raise self._complaint(token, "expected 'in' or 'between' after 'not'")
        self._expect("(")
        values = [self._literal()]
        while self._accept(","):
            values.append(self._literal())
        self._expect(")")
        return In(left, tuple(values), token.at)

    def _literal(self) -> Literal:
        start = self._token
        value = self._operand()
        if not isinstance(value, Literal):
            raise self._complaint(start, "a list holds numbers or strings only")
        return value

    def _call(self, token: Token) -> Tree:
        if token.text not in FUNCTIONS:
            raise self._complaint(token, f"there is no function '{token.text}'; use one of {', '.join(FUNCTIONS)}")
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._complaint(token, f"nested more than {MAX_DEPTH} deep")
        self._expect("(")
        parts = [self.expression(0)]
        while self._accept(","):
            parts.append(self.expression(0))
        self._expect(")")
        self._depth -= 1
        n_min, n_max = FUNCTIONS[token.text]
        if not n_min <= len(parts) <= n_max:
            wanted = str(n_min) if n_min == n_max else f"{n_min} to {n_max}"
            raise self._complaint(token, f"{token.text} takes {wanted} values, not {len(parts)}")
        return Call(token.text, tuple(parts), token.at)

    def _number(self, token: Token) -> Literal:
        if token.text.isdigit():
            if int(token.text) >= 2**63:
                raise self._complaint(token, "this integer does not fit into 64 bits")
            return Literal(int(token.text), token.at)
        value = float(token.text)
        if not math.isfinite(value):
            raise self._complaint(token, "this number is too large")
        return Literal(value, token.at)

    def _string(self, token: Token) -> Literal:
        quote = token.text[0]
        value = token.text[1:-1].replace(quote * 2, quote)
        if any("\ud800" <= c <= "\udfff" or c == "\0" for c in value):
            raise self._complaint(token, "this string holds a character that no column can hold")
        return Literal(value, token.at)

    def _next(self) -> Token:
        token = self._token
        self._i = min(self._i + 1, len(self._tokens) - 1)
        return token

    def _accept(self, text: str) -> bool:
        if self._token.kind != "symbol" or self._token.text != text:
            return False
        self._next()
        return True

    def _expect(self, text: str) -> None:
        if not self._accept(text):
            found = f"found {self._token.text!r}" if self._token.text else "the expression ends"
            raise self._complaint(self._token, f"expected {text!r}, {found}")

    def _complaint(self, token: Token, what: str) -> ExpressionError:
        return complaint(self._text, token.at, what)


def _power(token: Token) -> int:
    return _POWERS.get(token.text, 0) if token.kind == "symbol" else 0


def _expected_value(token: Token) -> str:
    if token.text == "null":
        return "null is no value; write 'is null' or 'is not null'"
    found = f"found {token.text!r}" if token.text else "the expression ends"
    return f"expected a column, number or string, {found}"
