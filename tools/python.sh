#!/bin/sh
# Make .venv from the first Python that is new enough, and put the locked uv into it.
set -eu
fits() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
if [ ! -x .venv/bin/python ] || ! fits .venv/bin/python; then
    python=""
    for name in python3 python3.11 python3.12 python3.13 python3.14; do
        if command -v "$name" >/dev/null && fits "$name"; then
            python=$name
            break
        fi
    done
    if [ -z "$python" ]; then
        echo "redpoll: Python 3.11 or newer is needed and was not found. On Debian, as root:  apt-get install python3 python3-venv" >&2
        exit 1
    fi
    "$python" -c 'import ensurepip, venv' 2>/dev/null || tools/debian.sh "to make .venv" "$python-venv"
    "$python" -m venv --clear .venv
fi
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
