"""Astronomical functions on numpy arrays: photometry, positions, time, light curves and fits."""
