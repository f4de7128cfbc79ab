"""How far Redpoll agrees with values that Fink published, or where none are at hand with its documented formulas.

``python benchmarks/agreement.py`` needs the enriched copies in REDPOLL_DATA (default ../shared/data); docs/explanation/
agreement.md explains every difference. *Published* values are Fink's own, stored beside the survey's fields. *Defined*
ones are worked out here, slowly and from the packets' own fields, by the definition that Fink documents. The catalogues
of the data folder are built first, unless ``--catalogs`` names a folder of built ones.
"""

from __future__ import annotations

import argparse
import datetime as dt
import platform
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from chain import with_catalogs
from fink.apparent import apparent
from fink.comparison import HEADING, Agreement
from fink.features import features_of_module, features_of_points
from fink.labels import alert_facts, flag_of_asteroids, label_of_asteroids
from fink.packets import ASTEROIDS, DATA, RUBIN, ZTF, avro_packets
from fink.rates import rates

from redpoll.config import Config, load_config
from redpoll.testing.real_data import build_catalogues


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, help="settings, such as where the catalogues are")
    parser.add_argument("--catalogs", type=Path, help="folder of built catalogues; default: build those of the data")
    options = parser.parse_args()
    print(f"{dt.date.today()}, Python {platform.python_version()}, numpy {np.__version__}")
    print("ours, theirs: values that only the one or the other has; largest: of the difference as 'equal means' has it")
    with tempfile.TemporaryDirectory() as folder:
        if not options.catalogs:
            build_catalogues(DATA, Path(folder))
        config = with_catalogs(load_config(options.config), options.catalogs or Path(folder))
        for title, rows in tables(config):
            print(f"\n{title}\n{HEADING}")
            for row in rows:
                print(row.line())


def tables(config: Config) -> Iterator[tuple[str, list[Agreement]]]:
    """Every comparison whose data are there."""
    if ASTEROIDS.is_file():
        yield f"published by Fink: {ASTEROIDS.name}", [flag_of_asteroids(), label_of_asteroids()]
    if RUBIN.is_file():
        yield f"published by Fink: {RUBIN.name}, quantities of the alert", alert_facts(config)
        yield f"published by Fink: {RUBIN.name}, lc_features, from the points of the packets", features_of_points()
        yield f"published by Fink: {RUBIN.name}, lc_features, as the module answers (on fluxes)", features_of_module()
    if found := [DATA / "ztf" / name for name in ZTF if (DATA / "ztf" / name).is_file()]:
        packets = [packet for path in found for packet in avro_packets(path)]
        yield "defined by Fink: magnitude rates of the ZTF packets", rates(packets)
        yield "defined by Fink: DC magnitudes of the ZTF packets", apparent(packets)


if __name__ == "__main__":
    main()
