#!/usr/bin/env bash
# Problem 6.4: the linear classifier. The log, the weights and the pictures go to experiments/results.
# Tune the settings (`python -m cs7643 train --help` lists them); more can be given here: run_softmax.sh --resume
set -eu
cd "$(dirname "$0")/.."
here=$PWD
. experiments/python.sh
# As in: settings=(--lr 0.01 --epochs 5)
# BEGIN SOLUTION 6.4 softmax_settings
settings=(
    --lr 0.002 --schedule triangle --epochs 8 --batch-size 500 --weight-decay 0.002
)
# END SOLUTION
exec "$python" -m cs7643 train --model softmax --plots ${settings[@]+"${settings[@]}"} "$@"
