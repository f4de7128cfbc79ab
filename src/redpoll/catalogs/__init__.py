"""Catalogues: recipes, downloads, file formats, and the folder of built catalogues."""
