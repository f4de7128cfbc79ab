"""A store keeps the answers of searches and fits for the next night, and nothing depends on them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from redpoll.config import AnswersConfig, Config, QualityConfig, RunConfig
from redpoll.ingest.files import open_sources
from redpoll.pipeline.run import run_night
from redpoll.simulate import simulate_night
from redpoll.store import Selection, open_store

CONFIG = replace(Config(), run=RunConfig(workers=0), quality=QualityConfig())
COLUMNS = ("period", "period_mjd", "is_periodic", "shape_rise_time", "shape_phase", "shape_mjd", "mulens_delta_chi2",
           "mulens_mjd", "drw_tau", "is_agn_candidate")  # fmt: skip


@pytest.fixture(scope="module")
def nights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nights")
    simulate_night(folder, survey="rubin", n_alerts=500, seed=3, nights=2, workers=1)
    return sorted(folder.glob("*.tar.gz"))


def _alerts(store):
    with open_store(store) as opened:
        return opened.alerts.scan(["alert_id", *COLUMNS], Selection(), order_by="oldest").to_table().sort_by("alert_id")


def _run(nights, store, config=CONFIG, between=lambda: None):
    for night in nights:
        run_night(open_sources([night]), store, config)
        between()
    return _alerts(store)


@pytest.fixture(scope="module")
def without(nights, tmp_path_factory):
    """All alerts of a store without a cache."""
    folder = tmp_path_factory.mktemp("without") / "store"
    alerts = _run(nights, folder, replace(CONFIG, answers=AnswersConfig(max_mb=0)))
    assert not (folder / "answers.sqlite").exists()
    assert all(alerts[name].null_count < len(alerts) for name in COLUMNS)
    return alerts


def test_alerts_are_the_same_with_the_answers_of_the_night_before(nights, without, tmp_path, monkeypatch):
    from redpoll.store.answers import AnswerFile

    asked, found = [], []

    def get(self, keys, real=AnswerFile.get):
        answers = real(self, keys)
        asked.append(len(keys))
        found.append(len(answers))
        return answers

    monkeypatch.setattr(AnswerFile, "get", get)
    assert _run(nights, tmp_path / "store").equals(without)
    assert sum(asked) > 200 and sum(found) > 20  # few objects are seen in both nights


def _damaged(store):
    for log in store.glob("answers.sqlite-*"):
        log.unlink()
    (store / "answers.sqlite").write_bytes(b"x" * 10_000)


@pytest.mark.parametrize("lost", [
    lambda store: [path.unlink() for path in store.glob("answers.sqlite*")], _damaged,
], ids=["deleted", "damaged"])  # fmt: skip
def test_a_lost_cache_loses_nothing(nights, without, tmp_path, lost):
    store = tmp_path / "store"
    assert _run(nights, store, between=lambda: lost(store)).equals(without)


def test_two_workers_share_the_answers(nights, without, tmp_path):
    config = replace(CONFIG, run=RunConfig(workers=2, batch_size=100))
    assert _run(nights, tmp_path / "store", config).equals(without)
