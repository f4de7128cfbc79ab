"""Building and keeping catalogues: recipes, downloads, file formats, the folder of what is built."""
