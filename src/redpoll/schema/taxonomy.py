"""The taxonomy: a versioned tree of classes, with the words of other vocabularies for each class."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import Any

from redpoll.errors import SchemaError, near
from redpoll.schema.names import COLUMN_NAME

_DOUBT = re.compile(r"\([^)]*\)|:")
_MAX_WORD = 200
_OWN_KEYS = ("in", "title", "means")
COMPOSED = ("vsx", "gcvs")
"""Vocabularies with composed words, joined by ``|``, ``+``, ``/`` and ``:``."""
_WAYS: Mapping[str, Callable[[str], str]] = {
    "milliquas": lambda word: word[
        :1
    ],  # the further letters name the means of discovery: QRX is a quasar seen in radio and X-rays
    "4lac": str.lower,  # capitals mark an identification, as opposed to an association
    "ned": lambda word: word.removeprefix("!"),  # "!" marks sources in the Milky Way
}


@dataclass(frozen=True)
class Class:
    """A class: its parent, its title and description, and the words of each vocabulary for it."""

    name: str
    parent: str | None
    title: str
    means: str
    words: Mapping[str, tuple[str, ...]]


class Taxonomy:
    """The tree of classes, as returned by `taxonomy`.

    Parameters
    ----------
    version
        Version of the tree; it changes with every class and word.
    classes
        The classes, each once.
    silent
        Words of each vocabulary that assign no class.

    Raises
    ------
    SchemaError
        If a parent is unknown, the tree has a cycle, or a word means two classes.

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
        """Names of the mapped vocabularies."""
        return tuple(sorted({*self._words, *self._silent}))

    def of(self, vocabulary: str, word: str) -> str | None:
        """The class of a word, the first if it has several; None if it has none.

        Raises
        ------
        SchemaError
            If there is no such vocabulary.
        """
        return next(iter(self.all_of(vocabulary, word)), None)

    def _all_of(self, vocabulary: str, word: str) -> tuple[str, ...]:
        """The classes of a word, the most specific ones only: ``E+UG`` is an eclipsing binary and a dwarf nova.

        In VSX and GCVS, ``A+B`` has both classes; ``A|B`` has their nearest common ancestor; ``A/B`` is the subtype B
        of A, or A where the subtype has no class; ``:`` and ``(B)`` are ignored.

        >>> tree = taxonomy()
        >>> tree.all_of("vsx", "UGSU+E"), tree.all_of("vsx", "RRAB|RRC:"), tree.all_of("gcvs", "EA/RS:")
        (('dwarf_nova', 'eclipsing_binary'), ('rr_lyrae',), ('eclipsing_ea',))
        """
        words = self._vocabulary(vocabulary)
        word = word.strip()
        if len(word) > _MAX_WORD:
            return ()
        if vocabulary in COMPOSED and word not in words:
            return self._composed(words, word)
        found = words.get(word) or words.get(_WAYS.get(vocabulary, str)(word))
        return (found,) if found else ()

    def is_silent(self, vocabulary: str, word: str) -> bool:
        """Whether a word is listed as assigning no class, so that it does not count as unknown."""
        word = _DOUBT.sub("", word).strip() if vocabulary in COMPOSED else word.strip()
        return not word or word in self._silent.get(vocabulary, ())

    def ancestors(self, name: str) -> tuple[str, ...]:
        """The ancestors of a class, nearest first.

        >>> taxonomy().ancestors("sn_iip")
        ('sn_ii', 'sn', 'extragalactic_transient', 'extragalactic', 'real')
        """
        return self._ancestors[self.check(name)][1:]

    def is_a(self, name: str, other: str) -> bool:
        """Whether a class is `other` or one of its descendants."""
        return self.check(other) in self._ancestors[self.check(name)]

    def descendants(self, name: str) -> tuple[str, ...]:
        """A class and its descendants.

        >>> taxonomy().descendants("rr_lyrae")
        ('rr_lyrae', 'rr_lyrae_ab', 'rr_lyrae_c', 'rr_lyrae_d')
        """
        self.check(name)
        return tuple(c for c in self.classes if name in self._ancestors[c])

    def common(self, names: Iterable[str]) -> str | None:
        """The nearest common ancestor of these classes; None if there is none.

        >>> taxonomy().common(["rr_lyrae_ab", "classical_cepheid"])
        'pulsating_star'
        """
        lines = [self._ancestors[self.check(name)] for name in names]
        return next((c for c in lines[0] if all(c in line for line in lines)), None) if lines else None

    def check(self, name: str) -> str:
        """The name itself; SchemaError with similar names if there is no such class."""
        if name not in self.classes:
            hint = near(name, self.classes) or "; all are listed in the reference, under Classes"
            raise SchemaError(f"there is no class '{name}' in the taxonomy{hint}")
        return name

    def _composed(self, words: Mapping[str, str], word: str) -> tuple[str, ...]:
        alternatives = [[_single(words, piece) for piece in text.split("+")] for text in word.split("|")]
        if len(alternatives) == 1:
            return self._most_specific(c for c in alternatives[0] if c)
        known = [c for pieces in alternatives for c in pieces if c]
        common = self.common(known) if all(all(pieces) for pieces in alternatives) else None
        return (common,) if common else ()

    def _most_specific(self, names: Iterable[str]) -> tuple[str, ...]:
        """The names without duplicates and without ancestors of other names."""
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
                raise SchemaError(
                    f"taxonomy: class '{path[-1]}' is in '{parent}', which is unknown or one of its descendants"
                )
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
    """The class of one piece of a composed word, dropping subtypes from the right until one is found."""
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
    if not COLUMN_NAME.fullmatch(name):
        raise SchemaError(f"taxonomy: '{name}' is no valid name; use lower-case letters, digits and underscores")
    words = {key: tuple(value) for key, value in facts.items() if key not in _OWN_KEYS}
    return Class(name, facts.get("in"), facts["title"], facts["means"], words)


@lru_cache(maxsize=1)
def taxonomy() -> Taxonomy:
    """The taxonomy of this version of Redpoll, read once.

    >>> taxonomy().classes["tde"].title
    'Tidal disruption event'
    """
    return parse_taxonomy((files("redpoll.schema") / "taxonomy.toml").read_text(encoding="utf-8"))
