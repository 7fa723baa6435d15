#!/usr/bin/env bash
#SBATCH --job-name=lockbench
#SBATCH --array=1-4
#SBATCH --exclusive
#SBATCH --time=01:00:00
# Four parts of a sweep, each on a node of its own. Afterwards:
# lockbench merge --out all.txt shard-*.txt
set -euo pipefail

# Flags of the sweep may follow: sbatch deploy/slurm.sh --locks ticket,mcs
srun lockbench run --shard "auto/$SLURM_ARRAY_TASK_COUNT" --out "shard-$SLURM_ARRAY_TASK_ID.txt" --resume --plots= "$@"
