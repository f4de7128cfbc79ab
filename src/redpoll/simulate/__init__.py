"""Simulator of light curves of every class and of whole nights in the survey's packets, with the truth."""

from __future__ import annotations

from redpoll.simulate.night import SimulationReport, simulate_night

__all__ = ["SimulationReport", "simulate_night"]
