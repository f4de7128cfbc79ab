"""Probability sky maps of gravitational waves, gamma-ray bursts and neutrinos, and their contexts."""
