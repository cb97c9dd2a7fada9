#!/usr/bin/env bash
# Problem 6.7: your own model. The log, the weights and the pictures go to experiments/results.
# Tune the settings (`python -m cs7643 train --help` lists them); more can be given here: run_mymodel.sh --resume
set -eu
cd "$(dirname "$0")/.."
here=$PWD
. experiments/python.sh
# As in: settings=(--lr 0.01 --epochs 5)
# BEGIN SOLUTION 6.7 mymodel_settings
settings=(
    --hidden-dim 48 --kernel-size 3 --lr 0.2 --schedule triangle --epochs 10
    --batch-size 250 --weight-decay 0.0005 --flip --translate 2 --label-smoothing 0.1
)
# END SOLUTION
exec "$python" -m cs7643 train --model mymodel --plots ${settings[@]+"${settings[@]}"} "$@"
