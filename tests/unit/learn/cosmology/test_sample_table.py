"""A classified sample in a file: its classes and threshold, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from redpoll.errors import RedpollError
from redpoll.learn.cosmology.sample_table import ClassifiedSample, read_sample


@pytest.fixture
def read(tmp_path: Path):
    """The sample of a CSV text."""

    def sample(text: str, min_probability: float = 0.5) -> ClassifiedSample:
        (tmp_path / "sample.csv").write_text(text)
        return read_sample(tmp_path / "sample.csv", min_probability)

    return sample


def rows(extra: str = "", columns: str = "redshift,mu,mu_err,class", each: str = "0.3,40.9,0.15,sn_ia") -> str:
    return f"{columns}\n" + f"{each}\n" * 60 + extra


def test_subclasses_and_words_of_tns_are_understood(read) -> None:
    found = read(rows("0.3,42,0.2,sn_ia_91t\n0.2,41,0.2,SN II\n0.1,40,0.2,agn\n"))
    assert {kind: len(data) for kind, data in found.by_class.items()} == {"agn": 1, "sn_ia": 61, "sn_ii": 1}


def test_magnitudes_do_as_well_as_moduli(read) -> None:
    found = read(rows(columns="redshift,mag,mag_err,class", each="0.3,21.6,0.15,sn_ia"))
    assert found.by_class["sn_ia"].mu[0] == 21.6


def test_what_the_classifier_did_not_take_is_left_out(read) -> None:
    columns, each = "redshift,mu,mu_err,class,probability", "0.3,40.9,0.15,sn_ia,0.9"
    found = read(rows("0.2,41,0.2,sn_ii,0.4\n0.2,41,0.2,sn_ii,\n0.2,41,0.2,sn_ii,0.5\n", columns, each))
    assert found.n_left_out == 2 and len(found.by_class["sn_ii"]) == 1
    with pytest.raises(RedpollError, match="only 0 SNe Ia are in the sample"):
        read(rows("", columns, each), 0.95)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not a CSV"),
        ("redshift,mu,mu_err,class\n", "has no rows"),
        (rows(columns="z,mu,mu_err,class"), "has no column 'redshift'"),
        (rows(columns="redshift,mu,mu_err,klass"), "has no column 'class'; near: klass"),
        (rows(columns="redshift,m,mu_err,class"), "give either the column mu with mu_err, or mag with mag_err"),
        (rows(columns="redshift,mu,sigma,class"), "has no column 'mu_err', the error of 'mu'"),
        (rows("0.3,40.9,0,sn_ia\n"), "row 61, column 'mu_err': '0' is no error in magnitudes; use 0.0001 to 5"),
        (rows("0,40.9,0.1,sn_ia\n"), "row 61, column 'redshift': '0' is no redshift"),
        (rows("7,40.9,0.1,sn_ia\n"), "row 61, column 'redshift': '7' is no redshift; use 0.0001 to 3"),
        (rows("0.3,,0.1,sn_ia\n"), "row 61, column 'mu': '' is no distance modulus; every row needs one"),
        (rows("0.3,inf,0.1,sn_ia\n"), "row 61, column 'mu': 'inf' is no distance modulus"),
        (rows("0.3,high,0.1,sn_ia\n"), "row 61, column 'mu': 'high' is no number"),
        (rows("0.3,40,0.1,sn\n"), "row 61, column 'class': 'sn' does not say whether it is a SN Ia"),
        (rows("0.3,40,0.1,\n"), "row 61, column 'class': '' does not say"),
        (rows("0.3,40\n"), "1 rows have too many or too few values"),
        ("redshift,mu,mu_err,class\n0.3,40,0.1,sn_ia\n", "only 1 SNe Ia are in the sample; 50 are needed"),
        ("redshift,mu,mu_err,class\n\0\0", "is not a CSV"),
    ],
)
def test_what_cannot_be_used_is_named(read, text: str, message: str) -> None:
    with pytest.raises(RedpollError, match=message):
        read(text)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(RedpollError, match="cannot be read"):
            read_sample(path)
