"""Probability sky maps of gravitational waves, gamma-ray bursts and neutrinos: read, ranked, and asked about alerts."""
