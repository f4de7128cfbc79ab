"""The ``redpoll`` command: one verb a file, imported when it is called."""
