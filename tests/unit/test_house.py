"""The house rules that a machine can hold: sizes, names, docstrings, what may be committed."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "redpoll"
FILES = sorted(SOURCE.rglob("*.py"))
Function = ast.FunctionDef | ast.AsyncFunctionDef

LONG_FILES: dict[str, str] = {}
"""Files that may pass the ceiling of 600 lines, with the reason."""
LONG_FUNCTIONS: dict[str, str] = {}
"""Functions (``path::name``) whose body may pass the ceiling of 60 lines, with the reason."""
INVENTED_WORDS = re.compile(
    r"""(?<![a-z0-9])(?: speakers? | said | dearest | reckon(?:s|ed)? | mend(?:s|ed|ing)? | made[ _-]?up | settle[sd]?
    | tags? | stamps? | own[ _]points? | n_limits | (?<!amplitude_)is_limit | from[ _]a[ _]limit | them[ ]limits?
    | hot[ _](?:index|columns?) | cold_\w+ | \w+_cold | alerts?[ ]whole | shares?[ _](?:of|below|no|err|right)
    | (?<!at_)least(?=_)(?!_squares) | least[ ](?:of|time|seconds|cpu|distance)
    | random[ _]places? | places?[ ]on[ ]the[ ]sky | stars?[ ]that[ ]dim | torn[ ]apart | bursts[ ]that[ ]nobody
    | light.curve[ ]fits | astro[./]fits)(?![a-z0-9])""",
    re.VERBOSE,
)
"""Words of the table in CONVENTIONS, alone or with neighbours that show which meaning is meant; in small letters."""
INVENTED_MAXIMA = re.compile(r"MOST_|_MOST\b|Most (?:rows|bytes|characters|packets)\b")
MEANT_OTHERWISE = {
    "tag": (
        "src/redpoll/serve/api/", "tests/contract/serve/test_pages.py",  # of OpenAPI and of HTML
        "tests/docs/test_reference.py", "tests/unit/schema/test_ztf.py",  # of XML; a field that a survey might add
        "benchmarks/anomaly.py",  # a field of SNAD's file
    ),
    "stamp": ("src/redpoll/compiler.py",),  # an attribute of numba
}  # fmt: skip
"""Word -> files in which it has another meaning."""
EMPTY_NAMES = {"utils", "util", "common", "misc", "helpers", "tools", "shared"}


def lines_of(path: Path) -> int:
    return path.read_text(encoding="utf-8").count("\n")


def body_lines(function: Function) -> int:
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def functions() -> Iterator[tuple[str, int]]:
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, Function):
                yield f"{path.relative_to(SOURCE)}::{node.name}", body_lines(node)


def tracked() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listing.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]


def undocumented(path: Path) -> Iterator[str]:
    name = str(path.relative_to(SOURCE))
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if tree.body and ast.get_docstring(tree) is None:
        yield name
    owners: list[tuple[str, ast.Module | ast.ClassDef]] = [(name, tree)]
    while owners:
        owner, node = owners.pop()
        for child in node.body:
            if not isinstance(child, Function | ast.ClassDef) or is_named_enough(child):
                continue
            if ast.get_docstring(child) is None:
                yield f"{owner}::{child.name}"
            if isinstance(child, ast.ClassDef):
                owners.append((f"{owner}::{child.name}", child))


def is_named_enough(node: Function | ast.ClassDef) -> bool:
    """Private; or a case of a test suite, whose name says all; or a setter, whose getter has the docstring."""
    decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
    return node.name.startswith(("_", "test_")) or any(name.endswith(("overload", ".setter")) for name in decorators)


def test_no_file_passes_the_ceiling() -> None:
    long = {str(p.relative_to(SOURCE)): lines_of(p) for p in FILES if lines_of(p) > 600}
    assert long.keys() == LONG_FILES.keys(), long


def test_no_function_passes_the_ceiling() -> None:
    long = {name: n for name, n in functions() if n > 60}
    assert long.keys() == LONG_FUNCTIONS.keys(), long


def test_most_files_are_short() -> None:
    sizes = [lines_of(p) for p in FILES]
    assert median(sizes) <= 150
    assert quantiles(sizes, n=10)[-1] <= 400


def test_most_functions_are_short() -> None:
    sizes = [n for _name, n in functions()]
    assert median(sizes) <= 8
    assert quantiles(sizes, n=10)[-1] <= 35


def test_every_file_is_named_for_its_topic() -> None:
    assert [p for p in SOURCE.rglob("*") if p.stem.strip("_") in EMPTY_NAMES] == []


def test_class_names_are_unique() -> None:
    names = Counter(
        node.name
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    )
    assert {name for name, n in names.items() if n > 1} == set()


def test_code_docs_tests_and_benchmarks_have_no_invented_words() -> None:
    kinds = {".py", ".html", ".css", ".js", ".toml", ".sql", ".md"}
    paths = [
        (path, str(path.relative_to(ROOT))) for folder in ("src", "docs", "tests", "benchmarks")
        for path in (ROOT / folder).rglob("*") if path.suffix in kinds and path != Path(__file__)
        and not {"vendor", "_build", "generated"} & set(path.parts)
    ]  # fmt: skip
    found = {
        f"{name}:{number}: {word}"
        for path, name in paths
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for word in [*INVENTED_WORDS.findall(line.lower()), *INVENTED_MAXIMA.findall(line)]
        if not name.startswith(MEANT_OTHERWISE.get(word.removesuffix("s"), ()))
    }
    assert len(paths) > 900
    assert found == set()


def test_no_script_declares_what_it_imports() -> None:
    """A browser refuses such a script as a whole, and the page stays without its interactive parts."""
    doubled = {}
    for path in sorted((SOURCE / "serve" / "portal" / "static" / "js").glob("*.js")):
        text = path.read_text(encoding="utf-8")
        imported = [
            name.strip().split(" as ")[-1]
            for names in re.findall(r"^import \{([^}]+)\}", text, re.MULTILINE)
            for name in names.split(",")
        ]
        declared = re.findall(r"^(?:export )?(?:function|const|let|class) (\w+)", text, re.MULTILINE)
        doubled[path.name] = [name for name, n in Counter([*imported, *declared]).items() if n > 1]
    assert doubled and not any(doubled.values()), doubled


def test_every_room_is_in_the_import_contract() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = config["tool"]["importlinter"]["contracts"][0]["layers"]
    named = {name.strip() for layer in layers for name in layer.split("|")}
    rooms = {p.parent.name for p in SOURCE.glob("*/__init__.py")}
    assert rooms <= named


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_public_names_are_documented(path: Path) -> None:
    assert list(undocumented(path)) == []


def test_no_large_file_is_committed() -> None:
    assert [p for p in tracked() if p.stat().st_size > 500_000] == []


def test_lock_files_name_no_registry() -> None:
    """They hold names and hashes only, so that they install from any index or folder of wheels."""
    locks = [
        (ROOT / "requirements" / name).read_text(encoding="utf-8") for name in ("runtime.txt", "dev.txt", "uv.txt")
    ]
    assert not any("://" in lock for lock in locks)
    assert '"resolved": "http' not in (ROOT / "package-lock.json").read_text(encoding="utf-8")


def test_every_dependency_is_locked() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = config["dependency-groups"]
    runtime = [*config["project"]["dependencies"], *groups["build"]]
    every = [*runtime, *(name for group in groups.values() for name in group)]
    for lock, wanted in {"runtime.txt": runtime, "dev.txt": every}.items():
        lines = (ROOT / "requirements" / lock).read_text(encoding="utf-8").splitlines()
        locked = {line.split("==")[0] for line in lines}
        assert {re.split("[<>=~!]", name)[0] for name in wanted} <= locked, "run `make lock`"


def test_every_change_fragment_has_a_known_kind() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["towncrier"]
    endings = tuple(f".{kind['directory']}.md" for kind in config["type"])
    fragments = {p.name for p in (ROOT / "changes").iterdir()} - set(config["ignore"])
    assert {name for name in fragments if not name.endswith(endings)} == set()
