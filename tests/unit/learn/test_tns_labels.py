"""The daily file of TNS: typed transients, matched by their ZTF names and by position."""

from __future__ import annotations

import gzip
import zipfile

import numpy as np
import pytest

from redpoll.errors import UsageError
from redpoll.learn.tns_labels import ObjectPositions, read_tns, tns_labels

HEADER = '"objid","name_prefix","name","ra","declination","redshift","typeid","type","reporting_group","internal_names"'
ROWS = (
    '"1","SN","2021abc","10.0","20.0","0.1","3","SN Ia","ZTF","ZTF21aaaaaaa, ATLAS21xyz, PS21q"',
    '"2","AT","2021abd","11.0","20.0","","","","ZTF","ZTF21aaaaaab"',
    '"3","SN","2021abe","12.0","-20.0","","10","SN II","ATLAS","ATLAS21aa, ""quoted, comma"""',
)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "tns_public_objects.csv"
    path.write_text("\n".join(['"2026-11-30 00:00:00 - 23:59:59"', HEADER, *ROWS]) + "\n")
    return path


def test_only_transients_with_a_type_are_read(file):
    ia, ii = read_tns(file)
    assert (ia.name, ia.kind, ia.ra, ia.dec, ia.ztf_names) == ("2021abc", "SN Ia", 10.0, 20.0, ("ZTF21aaaaaaa",))
    assert (ii.name, ii.kind, ii.ztf_names) == ("2021abe", "SN II", ())


def test_the_file_may_be_packed_as_tns_sends_it(file, tmp_path):
    plain = list(read_tns(file))
    packed, zipped = tmp_path / "t.csv.gz", tmp_path / "t.csv.zip"
    packed.write_bytes(gzip.compress(file.read_bytes()))
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.write(file, "tns_public_objects.csv")
    assert list(read_tns(packed)) == list(read_tns(zipped)) == plain


def test_objects_are_matched_by_name_and_by_position(file):
    near, far = 20.0 - 1.4 / 3600, 20.0 - 1.6 / 3600
    objects = ObjectPositions(
        ["rubin", "rubin", "ztf"],
        ["1", "2", "ZTF21aaaaaaa"],
        np.array([10.0, 10.0, 12.0]),
        np.array([near, far, -20.0]),
    )
    labels, n = tns_labels(read_tns(file), objects, 1.5)
    assert n == 2
    assert {(label.survey, label.object_id): (label.label, label.note) for label in labels} == {
        ("ztf", "ZTF21aaaaaaa"): ("SN Ia", "2021abc"),  # its name says more than its position
        ("rubin", "1"): ("SN Ia", "2021abc"),
    }
    assert {label.source for label in labels} == {"TNS"}
    assert len(tns_labels(read_tns(file), None, 1.5)[0]) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no header"),
        ("a,b\n1,2\n", "no header"),
        ('"name","type"\n', "has no column 'ra'"),
        (HEADER + "\n" + ROWS[0].replace('"10.0"', '"10h"'), "line 2: position '10h'"),
        (HEADER + "\n" + ROWS[0].replace('"10.0"', '"370"'), "line 2: position 370.0, 20.0 is not on the sky"),
        (HEADER + "\n" + ROWS[0].replace('"10.0"', '"nan"'), "is not on the sky"),
        (HEADER + "\n" + "\0" * 10 + "\n" + "x" * 200_000, "cannot be read"),
    ],
)
def test_another_file_is_refused_with_its_line(tmp_path, text, message):
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(UsageError, match=message):
        list(read_tns(path))


def test_a_damaged_archive_and_one_of_two_files_are_refused(tmp_path, file):
    path = tmp_path / "t.zip"
    path.write_bytes(b"PK\x03\x04" + b"x" * 50)
    with pytest.raises(UsageError, match="cannot be read"):
        list(read_tns(path))
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(file, "a.csv"), archive.write(file, "b.csv")
    with pytest.raises(UsageError, match="has 2 CSV files"):
        list(read_tns(path))
    packed = tmp_path / "t.gz"
    packed.write_bytes(gzip.compress(file.read_bytes())[:-20])
    with pytest.raises(UsageError, match="cannot be read"):
        list(read_tns(packed))
