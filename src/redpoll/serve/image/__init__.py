"""Cutouts as pictures: stretches and a PNG writer."""
