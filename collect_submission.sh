#!/bin/sh
# Writes hw1.zip and hw1.pdf beside this file, whichever folder it is called from; --help lists the options.
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || exit 1
. "$here/experiments/python.sh"
PYTHONPATH=$here${PYTHONPATH:+:$PYTHONPATH}
export PYTHONPATH
exec "$python" -m cs7643 submit "$@"
