#!/bin/sh
# Install a lock file into .venv, then the packages of this repository: tools/install.sh LOCK PACKAGE...
# uv is fast but reads no pip configuration, so pip's index, wheel folder and certificates are handed to it;
# where uv cannot reach them, pip itself installs the same locked files.
set -eu
lock=$1
shift
python=.venv/bin/python
pip_setting() { printf '%s\n' "$pip_settings" | sed -n "s/^[^=]*\.$1='\(.*\)'\$/\1/p" | tail -n 1; }
pip_settings=$($python -m pip config list 2>/dev/null || true)
index=$(pip_setting index-url)
[ -z "$index" ] || export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$index}"
wheels=$(pip_setting find-links)
[ ! -d "$wheels" ] || export UV_FIND_LINKS="${UV_FIND_LINKS:-$wheels}"
certificates=$(pip_setting cert)
[ -z "$certificates" ] || export SSL_CERT_FILE="${SSL_CERT_FILE:-$certificates}"

export VIRTUAL_ENV="$PWD/.venv"
if ! .venv/bin/uv pip install --quiet --system-certs --compile-bytecode --require-hashes -r "$lock"; then
    echo "redpoll: uv could not install $lock; pip tries" >&2
    $python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
fi
for package in "$@"; do
    $python -m pip install --quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation --editable "$package"
done
