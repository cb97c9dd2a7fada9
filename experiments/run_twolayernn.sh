#!/usr/bin/env bash
# Problem 6.5: the two-layer network. The log, the weights and the pictures go to experiments/results.
# Tune the settings (`python -m cs7643 train --help` lists them); more can be given here: run_twolayernn.sh --resume
set -eu
cd "$(dirname "$0")/.."
here=$PWD
. experiments/python.sh
# As in: settings=(--lr 0.01 --epochs 5)
# BEGIN SOLUTION 6.5 twolayernn_settings
settings=(
    --hidden-dim 300 --lr 0.05 --schedule triangle --epochs 12 --batch-size 256
    --weight-decay 0.0005 --flip
)
# END SOLUTION
exec "$python" -m cs7643 train --model twolayernn --plots ${settings[@]+"${settings[@]}"} "$@"
