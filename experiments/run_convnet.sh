#!/usr/bin/env bash
# Problem 6.6: the network with one convolutional layer. The log, the weights and the pictures go to experiments/results.
# Tune the settings (`python -m cs7643 train --help` lists them); more can be given here: run_convnet.sh --resume
set -eu
cd "$(dirname "$0")/.."
here=$PWD
. experiments/python.sh
# As in: settings=(--lr 0.01 --epochs 5)
# BEGIN SOLUTION 6.6 convnet_settings
settings=(
    --hidden-dim 64 --kernel-size 5 --lr 0.02 --schedule triangle --epochs 14
    --batch-size 128 --weight-decay 0.001 --flip --translate 2
)
# END SOLUTION
exec "$python" -m cs7643 train --model convnet --plots ${settings[@]+"${settings[@]}"} "$@"
