"""Promotions and a rollback while two workers score a night: no alert lost, and each names the version that scored it.

The score of each version of the model is a constant, so that a stored score shows which version computed it.
"""

from __future__ import annotations

import json
import logging
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from redpoll.config import parse_config
from redpoll.ingest.block import Block
from redpoll.pipeline.assemble import build_graph, packet_decoder
from redpoll.pipeline.models import model_validator
from redpoll.pipeline.run import run_night
from redpoll.plugin.discovery import installed_filters, installed_modules
from redpoll.plugin.model_card import parse_card
from redpoll.plugin.polling import all_packets
from redpoll.simulate.source import simulated_source
from redpoll.store import open_store
from redpoll.store.app import NewModel, open_app
from redpoll.testing.fakes import FakeStream
from redpoll.testing.models import linear_onnx

log = logging.getLogger(__name__)
N, BLOCK = 1500, 10
SCORES = {"1": 0.1, "2": 0.2, "3": 0.3}
MODULE = """
from redpoll import class_scores, probability, science_module

@science_module(version="1", model="toy", outputs={"p_toy": probability("0..1.", assigns="variable_star")})
def toy(mag, model):
    "The score of a version."
    return class_scores(model, mag)
"""
PROMOTER = """
import sys, time
from redpoll.store.app import open_app

with open_app(sys.argv[1]) as app:
    app.models.generation()
    print("ready", flush=True)
    for line in sys.stdin:
        action, *version = line.split()
        start = time.perf_counter()
        generation = getattr(app.models, action)("toy", *version, by="ada")
        print(generation, time.perf_counter() - start, flush=True)
"""
ALTERNATING = """
import sys, time
from redpoll.store.app import open_app

with open_app(sys.argv[1]) as app:
    print("ready", flush=True)
    while True:
        for version in "12":
            app.models.promote("toy", version, by="ada")
"""


class Night(FakeStream):
    """A topic that ends: its packets come as fast as they are asked for."""

    is_finite = True

    @property
    def n_polled(self):
        return self._next

    @property
    def is_finished(self):
        return self._next == N


class Commits:
    """The offsets of each block in the order of the commits; a thread can wait for a number of packets."""

    def __init__(self):
        self.blocks, self._more = [], threading.Condition()

    def __call__(self, packets, dead_letters):
        with self._more:
            self.blocks.append([packet.position.offset for packet in packets])
            self._more.notify_all()

    def wait(self, n):
        with self._more:
            assert self._more.wait_for(lambda: sum(map(len, self.blocks)) >= n, timeout=300)


def register(app, config, version):
    score = SCORES[version]
    card = {"name": "toy", "version": version, "features": ["mag"], "classes": ["other", "variable_star"]}
    data = linear_onnx([[0, 0]], [0, np.log(score / (1 - score))])
    validate = model_validator(parse_card(json.dumps(card)), build_graph(config).nodes)
    return app.models.register(NewModel("toy", version, data, card, "ada"), validate)


@pytest.fixture(scope="module")
def packets():
    return [packet.data for packet in all_packets(simulated_source(f"simulate://ztf?alerts={N}&seed=5"))][:N]


@pytest.fixture
def config(tmp_path):
    (tmp_path / "toy.py").write_text(MODULE)
    return parse_config(f'plugins = ["{tmp_path / "toy.py"}"]\n[run]\nworkers = 2\nbatch_size = {BLOCK}\n')


@pytest.fixture
def store(tmp_path, config):
    """A store with three versions, none of them in use."""
    open_store(tmp_path / "store", mode="write").close()
    with open_app(tmp_path / "store") as app:
        for version in SCORES:
            register(app, config, version)
    return tmp_path / "store"


def run_with(changes, packets, store, config):
    """Run the night; `changes` is called in a thread. Returns the report and the blocks in the order of commits."""
    night, commits, failed = Night(lambda i: packets[i]), Commits(), []

    def work():
        try:
            changes(night, commits)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    report = run_night([night], store, config, on_committed=commits)
    thread.join()
    assert not failed, failed
    return report, commits.blocks


def scored(store, packets, config):
    """Offset -> (maker of the score, score) of the stored alerts."""
    found = {}
    for batch, rows in packet_decoder(config)(Block.of(packets)).batches:
        offsets = dict(zip(batch["alert_id"].to_pylist(), rows.tolist(), strict=True))
    with open_store(store) as reader:
        assert reader.maintenance.check(deep=True).problems == ()
        for row in reader.alerts.scan(["alert_id", "p_toy"]).to_table().to_pylist():
            by = reader.alerts.provenance(row["alert_id"], "ztf")["p_toy"]
            found[offsets[row["alert_id"]]] = by, row["p_toy"]
    return found


def check_nothing_lost(report, store, found):
    assert (report.read, report.received, report.status) == (N, N, "done") and report.is_complete
    assert (report.failures, report.worker_deaths) == (Counter(), 0)
    assert len(found) == report.stored > N / 3
    with open_store(store) as reader:
        assert sum(reader.ledger.table()["received"].to_pylist()) == N


@pytest.mark.slow
def test_promotions_and_a_rollback_under_load_lose_nothing_and_each_alert_names_its_model(packets, store, config):
    plan = {150: "promote 1", 450: "promote 2", 750: "promote 3", 1050: "rollback"}
    versions = ["", "1", "2", "3", "2"]
    begun, done, seconds = [], [], []

    def change(night, commits):
        command = [sys.executable, "-c", PROMOTER, str(store)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as promoter:
            assert promoter.stdout.readline() == "ready\n"
            for n, action in plan.items():
                commits.wait(n)
                begun.append(len(commits.blocks))
                promoter.stdin.write(action + "\n")
                generation, took = promoter.stdout.readline().split()
                done.append(night.n_polled)
                assert int(generation) == len(done)
                seconds.append(float(took))

    report, blocks = run_with(change, packets, store, config)
    found = scored(store, packets, config)
    check_nothing_lost(report, store, found)
    assert report.unusable_models == {}
    last = 0
    seen = Counter()
    for number, block in sorted(enumerate(blocks), key=lambda numbered: numbered[1]):
        answers = {found[offset] for offset in block if offset in found}
        if not answers:
            continue
        ((by, score),) = answers
        version = by.removeprefix("toy@1").removeprefix(", toy@")
        assert score == (pytest.approx(SCORES[version], rel=1e-6) if version else None)
        oldest = max(last, sum(polled <= block[0] for polled in done))
        newest = sum(n <= number for n in begun)
        last = next(g for g in range(oldest, newest + 1) if versions[g] == version)
        seen[last] += 1
    assert sorted(seen) == [0, 1, 2, 3, 4]
    assert seconds[-1] < 1
    log.info("rollback in %.1f ms; blocks of each generation: %s", 1e3 * seconds[-1], dict(seen))


@pytest.mark.slow
def test_a_champion_damaged_before_its_promotion_leaves_the_former_at_work(packets, store, config, caplog):
    off = (tuple(node.name for node in nodes) for nodes in (installed_modules(), installed_filters()))
    modules, filters = off
    config = replace(config, modules=replace(config.modules, off=modules), filters=replace(config.filters, off=filters))

    def change(_, commits):
        commits.wait(200)
        with open_app(store) as app:
            sha256 = app.models.versions("toy")["sha256"][1].as_py()
            (store / "models" / sha256).write_bytes(b"damaged")
            app.models.promote("toy", "2", by="ada")

    with open_app(store) as app:
        app.models.promote("toy", "1", by="ada")
    report, _ = run_with(change, packets, store, config)
    found = {}
    with open_store(store) as reader:
        for row in reader.alerts.scan(["alert_id", "p_toy"]).to_table().to_pylist():
            found[row["alert_id"]] = reader.alerts.provenance(row["alert_id"], "ztf")["p_toy"], row["p_toy"]
    check_nothing_lost(report, store, found)
    assert {by for by, _ in found.values()} == {"toy@1, toy@1"}
    assert {round(score, 6) for _, score in found.values()} == {0.1}
    assert list(report.unusable_models) == ["toy@2"] and "toy@1 goes on" in report.unusable_models["toy@2"]
    assert report.exit_code == 1
    assert caplog.text.count("model toy@2 cannot be used") == 1


@pytest.mark.slow
def test_a_promotion_killed_at_any_moment_leaves_one_champion(store):
    moments, seen = random.Random(11), set()
    for _ in range(8):
        command = [sys.executable, "-c", ALTERNATING, str(store)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as promoter:
            assert promoter.stdout.readline() == b"ready\n"
            time.sleep(0.05 + moments.uniform(0, 0.02))
            promoter.send_signal(signal.SIGKILL)
        with open_app(store) as app:
            (champion,) = app.models.champions().to_pylist()
            stages = Counter(app.models.versions()["stage"].to_pylist())
            assert stages["champion"] == 1 and champion["stage"] == "champion"
            last = app.models.promotions().to_pylist()[-1]
            assert (last["generation"], last["version"]) == (app.models.generation(), champion["version"])
            assert app.models.read(champion["sha256"])
            seen.add(champion["version"])
    assert seen == {"1", "2"}
