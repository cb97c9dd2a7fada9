"""Reverse mode with a dictionary; Variable, record, point and so on are those of the homework's own file."""

import numpy as np


def sweep(self, last, seed):
    found = {last: seed}  # place: adjoint, as far as there is one
    for place in reversed(range(last + 1)):
        primitive, result, arguments, parents = self.records[place]
        if place not in found or primitive is None:
            continue
        for rule, parent in zip(primitive.backward, parents, strict=False):
            if parent is None:
                continue
            part = rule(found[place], result, *arguments)
            found[parent] = found[parent] + part if parent in found else part
    return [found.get(place) for place in range(len(self.records))]


def backward_jacobian(f, w):
    x, ys = record(f, point("backward_jacobian: w", w))
    jacobian = np.zeros((len(ys), len(w)))
    variable = [k for k in range(len(ys)) if isinstance(ys[k], Variable)]  # the others are constant
    for k in variable:
        adjoint = x.tape.sweep(ys[k].place, 1.0)[x.place]
        jacobian[k] = 0.0 if adjoint is None else adjoint
    return jacobian
