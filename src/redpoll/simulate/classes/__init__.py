"""Simulated classes of objects, one file each; see `contract.ObjectClass`."""

from __future__ import annotations

from redpoll.simulate.classes.agn import AGN
from redpoll.simulate.classes.asteroid import Asteroid
from redpoll.simulate.classes.bogus import Bogus
from redpoll.simulate.classes.cataclysmic_variable import CataclysmicVariable
from redpoll.simulate.classes.contract import ObjectClass
from redpoll.simulate.classes.dipper import Dipper
from redpoll.simulate.classes.eclipsing_binary import EclipsingBinary
from redpoll.simulate.classes.kilonova import Kilonova
from redpoll.simulate.classes.long_period_variable import LongPeriodVariable
from redpoll.simulate.classes.m_dwarf_flare import MDwarfFlare
from redpoll.simulate.classes.microlensing import Microlensing
from redpoll.simulate.classes.orphan_afterglow import OrphanAfterglow
from redpoll.simulate.classes.pisn import PISN
from redpoll.simulate.classes.rr_lyrae import RRLyrae
from redpoll.simulate.classes.satellite_glint import SatelliteGlint
from redpoll.simulate.classes.slsn import SLSN
from redpoll.simulate.classes.sn_ia import SNIa
from redpoll.simulate.classes.sn_ibc import SNIbc
from redpoll.simulate.classes.sn_ii import SNII
from redpoll.simulate.classes.tde import TDE
from redpoll.simulate.classes.young_star import YoungStar

_ALL: tuple[ObjectClass, ...] = (
    SNIa(),
    SNII(),
    SNIbc(),
    Kilonova(),
    TDE(),
    Microlensing(),
    RRLyrae(),
    EclipsingBinary(),
    LongPeriodVariable(),
    AGN(),
    MDwarfFlare(),
    CataclysmicVariable(),
    Asteroid(),
    SatelliteGlint(),
    Bogus(),
    SLSN(),
    PISN(),
    OrphanAfterglow(),
    Dipper(),
    YoungStar(),
)
CLASSES: dict[str, ObjectClass] = {each.name: each for each in _ALL}
"""Every class by its name, in a fixed order that the random streams depend on."""
