#!/bin/sh
# Install Debian packages, or say which command does: tools/debian.sh WHAT-FOR PACKAGE...
set -eu
reason=$1
shift
if [ "$(id -u)" = 0 ]; then
    as_root=""
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root="sudo -n"
else
    as_root="no"
fi
if [ "$as_root" = no ] || ! command -v apt-get >/dev/null; then
    echo "redpoll: $* is missing ($reason). As root, run:  apt-get install $*" >&2
    exit 1
fi
echo "redpoll: installing $* ($reason)" >&2
export DEBIAN_FRONTEND=noninteractive
install() { $as_root apt-get install -qq --no-install-recommends -y "$@" >/dev/null </dev/null; }
install "$@" 2>/dev/null && exit 0
$as_root apt-get update -qq </dev/null && install "$@" && exit 0
echo "redpoll: apt-get could not install it. As root, run:  apt-get update && apt-get install $*" >&2
exit 1
