"""Catalogues: a table of any of four formats becomes a folder of memory-mapped arrays that alerts are matched with."""
