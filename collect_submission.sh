#!/bin/sh
# Writes hw1.zip and hw1.pdf beside this file, whichever folder it is called from; --help lists the options.
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || exit 1
python=$here/.venv/bin/python
[ -x "$python" ] || python=$here/.venv/Scripts/python.exe  # Windows
[ -x "$python" ] || python=${PYTHON:-$(command -v python3 || command -v python || echo python3)}
PYTHONPATH=$here${PYTHONPATH:+:$PYTHONPATH}
export PYTHONPATH
exec "$python" -m cs7643 submit "$@"
