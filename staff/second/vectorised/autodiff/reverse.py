"""Task 5d, with comprehensions and sum."""

import numpy as np


def sweep(self, last, seed):
    # collect all contributions to each place first, and add them up when it is reached
    arriving = [[] for _ in self.records]
    arriving[last].append(seed)
    for place in range(last, -1, -1):
        primitive, result, arguments, parents = self.records[place]
        if primitive is None or not arriving[place]:
            continue
        adjoint = sum(arriving[place])
        pairs = [(rule, k) for rule, k in zip(primitive.backward, parents) if k is not None]
        for rule, k in pairs:
            arriving[k].append(rule(adjoint, result, *arguments))
    return [sum(a) if a else None for a in arriving]


def backward_jacobian(f, w):
    x, ys = record(f, point("backward_jacobian: w", w))
    # one sweep for each output; a plain number does not depend on w
    sweeps = [y.tape.sweep(y.place, 1.0)[x.place] if isinstance(y, Variable) else None for y in ys]
    return np.stack([np.zeros(len(x)) if row is None else row for row in sweeps])
