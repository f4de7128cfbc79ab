"""Cutouts as pictures: a bounded FITS reader, stretches, and a small PNG writer."""
