"""The classes that anything may say of an alert: one versioned tree, and the words of other vocabularies for them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import Any

from redpoll.errors import SchemaError

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_DOUBT = re.compile(r"\([^)]*\)|:")
_LONGEST_WORD = 200
_OWN_KEYS = ("in", "title", "means")
COMPOSED = ("vsx", "gcvs")
"""Vocabularies whose words are composed with ``|``, ``+``, ``/`` and ``:``."""
_WAYS: Mapping[str, Callable[[str], str]] = {
    "milliquas": lambda word: word[:1],  # then how it was found: QRX is a quasar seen in radio and X-rays
    "4lac": str.lower,  # capitals: identified, not only associated
    "ned": lambda word: word.removeprefix("!"),  # marks what is in the Milky Way
}


@dataclass(frozen=True)
class Class:
    """One class: what it is a kind of, what people read, and the words of each vocabulary for it."""

    name: str
    parent: str | None
    title: str
    means: str
    words: Mapping[str, tuple[str, ...]]


class Taxonomy:
    """The tree of classes; get it from `taxonomy`.

    Parameters
    ----------
    version
        Changes with every class and word.
    classes
        Every class once.
    silent
        Words by vocabulary that say nothing.

    Raises
    ------
    SchemaError
        If a parent is unknown, the tree has a circle, or a word means two classes.

    Examples
    --------
    >>> tree = taxonomy()
    >>> tree.of("tns", "SN Ia-91T-like"), tree.is_a("sn_ia_91t", "sn"), tree.of("simbad", "no such word")
    ('sn_ia_91t', True, None)
    """

    def __init__(self, version: str, classes: Iterable[Class], silent: Mapping[str, Iterable[str]]) -> None:
        self.version = version
        self.classes = {c.name: c for c in classes}
        self._ancestors = {name: self._climb(name) for name in self.classes}
        self._words = self._by_word()
        self._silent = {vocabulary: frozenset(words) for vocabulary, words in silent.items()}
        self.all_of = lru_cache(maxsize=20_000)(self._all_of)

    @cached_property
    def vocabularies(self) -> tuple[str, ...]:
        """Names of the vocabularies that are mapped."""
        return tuple(sorted({*self._words, *self._silent}))

    def of(self, vocabulary: str, word: str) -> str | None:
        """The class a word means, the first if it means several; None if it means none that is known.

        Raises
        ------
        SchemaError
            If there is no such vocabulary.
        """
        return next(iter(self.all_of(vocabulary, word)), None)

    def _all_of(self, vocabulary: str, word: str) -> tuple[str, ...]:
        """Every class a word means, the most special ones only: ``E+UG`` is an eclipsing binary and a dwarf nova.

        In the words of VSX and GCVS, ``A+B`` says both and ``A|B`` says one of them, so what they have in common;
        ``A/B`` is A of the subtype B, or A where the subtype has no class; ``:`` and ``(B)`` are left out.

        >>> tree = taxonomy()
        >>> tree.all_of("vsx", "UGSU+E"), tree.all_of("vsx", "RRAB|RRC:"), tree.all_of("gcvs", "EA/RS:")
        (('dwarf_nova', 'eclipsing_binary'), ('rr_lyrae',), ('eclipsing_ea',))
        """
        words = self._vocabulary(vocabulary)
        word = word.strip()
        if len(word) > _LONGEST_WORD:
            return ()
        if vocabulary in COMPOSED and word not in words:
            return self._composed(words, word)
        found = words.get(word) or words.get(_WAYS.get(vocabulary, str)(word))
        return (found,) if found else ()

    def is_silent(self, vocabulary: str, word: str) -> bool:
        """Whether a word is known to say nothing, so that it need not be counted as unknown."""
        word = _DOUBT.sub("", word).strip() if vocabulary in COMPOSED else word.strip()
        return not word or word in self._silent.get(vocabulary, ())

    def ancestors(self, name: str) -> tuple[str, ...]:
        """The classes that a class is a kind of, nearest first.

        >>> taxonomy().ancestors("sn_iip")
        ('sn_ii', 'sn', 'extragalactic_transient', 'extragalactic', 'real')
        """
        return self._ancestors[self.check(name)][1:]

    def is_a(self, name: str, other: str) -> bool:
        """Whether a class is another one or a kind of it."""
        return self.check(other) in self._ancestors[self.check(name)]

    def descendants(self, name: str) -> tuple[str, ...]:
        """A class and all kinds of it.

        >>> taxonomy().descendants("rr_lyrae")
        ('rr_lyrae', 'rr_lyrae_ab', 'rr_lyrae_c', 'rr_lyrae_d')
        """
        self.check(name)
        return tuple(c for c in self.classes if name in self._ancestors[c])

    def common(self, names: Iterable[str]) -> str | None:
        """The nearest class that all of these are kinds of; None if there is none.

        >>> taxonomy().common(["rr_lyrae_ab", "classical_cepheid"])
        'pulsating_star'
        """
        lines = [self._ancestors[self.check(name)] for name in names]
        return next((c for c in lines[0] if all(c in line for line in lines)), None) if lines else None

    def check(self, name: str) -> str:
        """The name itself; SchemaError with the near ones if there is no such class."""
        if name not in self.classes:
            near = ", ".join(get_close_matches(name, self.classes, n=3)) or "see the reference, Classes"
            raise SchemaError(f"there is no class '{name}' in the taxonomy; near: {near}")
        return name

    def _composed(self, words: Mapping[str, str], word: str) -> tuple[str, ...]:
        alternatives = [[_single(words, piece) for piece in text.split("+")] for text in word.split("|")]
        if len(alternatives) == 1:
            return self._special(c for c in alternatives[0] if c)
        known = [c for pieces in alternatives for c in pieces if c]
        common = self.common(known) if all(all(pieces) for pieces in alternatives) else None
        return (common,) if common else ()

    def _special(self, names: Iterable[str]) -> tuple[str, ...]:
        """The names without doubles and without those that another one is a kind of."""
        unique = tuple(dict.fromkeys(names))
        return tuple(c for c in unique if not any(c in self._ancestors[o][1:] for o in unique))

    def _vocabulary(self, name: str) -> Mapping[str, str]:
        if name not in self._words:
            raise SchemaError(f"there is no vocabulary '{name}'; known: {', '.join(self.vocabularies)}")
        return self._words[name]

    def _climb(self, name: str) -> tuple[str, ...]:
        path = [name]
        while (parent := self.classes[path[-1]].parent) is not None:
            if parent not in self.classes or parent in path:
                raise SchemaError(f"taxonomy: class '{path[-1]}' is in '{parent}', which is unknown or a kind of it")
            path.append(parent)
        return tuple(path)

    def _by_word(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for c in self.classes.values():
            for vocabulary, words in c.words.items():
                for word in words:
                    if found.setdefault(vocabulary, {}).setdefault(word, c.name) != c.name:
                        raise SchemaError(f"taxonomy: {vocabulary} '{word}': {found[vocabulary][word]} or {c.name}?")
        return found


def _single(words: Mapping[str, str], piece: str) -> str | None:
    """The class of one piece of a composed word: with its subtypes, else with fewer of them."""
    text = _DOUBT.sub("", piece).strip()
    while text not in words and "/" in text:
        text = text.rpartition("/")[0]
    return words.get(text)


def parse_taxonomy(text: str) -> Taxonomy:
    """The taxonomy in TOML text of the form of ``taxonomy.toml``; SchemaError if it is not one."""
    try:
        tree: dict[str, Any] = tomllib.loads(text)
        classes = [_class(name, facts) for name, facts in tree["classes"].items()]
        return Taxonomy(str(tree["version"]), classes, tree.get("silent", {}))
    except (tomllib.TOMLDecodeError, KeyError, AttributeError) as error:
        raise SchemaError(f"taxonomy: {error!r}; a class has title and means, and lists of words") from error


def _class(name: str, facts: Mapping[str, Any]) -> Class:
    if not _NAME.fullmatch(name):
        raise SchemaError(f"taxonomy: '{name}' is no name: small letters, digits and underscores")
    words = {key: tuple(value) for key, value in facts.items() if key not in _OWN_KEYS}
    return Class(name, facts.get("in"), facts["title"], facts["means"], words)


@lru_cache(maxsize=1)
def taxonomy() -> Taxonomy:
    """The taxonomy of this Redpoll, read once.

    >>> taxonomy().classes["tde"].title
    'Tidal disruption event'
    """
    return parse_taxonomy((files("redpoll.schema") / "taxonomy.toml").read_text(encoding="utf-8"))
