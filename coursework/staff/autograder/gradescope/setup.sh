#!/usr/bin/env bash
# Runs once, when Gradescope builds the image: Python's packages, in a place that every user can read.
set -euo pipefail

SOURCE="${AUTOGRADER_SOURCE:-/autograder/source}"
VENV="${AUTOGRADER_VENV:-/opt/coursework}"
PYTHON="${AUTOGRADER_PYTHON:-python3}"

if ! "$PYTHON" -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
    apt-get update
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends python3 python3-venv
fi
umask 022
"$PYTHON" -m venv "$VENV"
"$VENV/bin/pip" install --no-cache-dir -r "$SOURCE/requirements.txt"
# The seeds and the labels are for root alone.
chmod -R go-rwx "$SOURCE"
