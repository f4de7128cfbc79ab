"""``python -m redpoll`` is the ``redpoll`` command."""

from redpoll.cli.main import main

if __name__ == "__main__":
    main()
