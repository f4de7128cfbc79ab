"""Simulated light curves of every class, and whole nights in the survey's own packets, with the truth."""

from __future__ import annotations

from redpoll.simulate.night import SimulationReport, simulate_night

__all__ = ["SimulationReport", "simulate_night"]
