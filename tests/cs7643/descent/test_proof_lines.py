"""Lines of proofs with one thing changed, judged in fractions by the room and in floating point by an oracle."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
from chains import RIGHT

from cs7643.descent import follow, gradient_descent, rate_step_size
from cs7643.theory import convex
from cs7643.theory.notation import free_in, names, read, show
from cs7643.theory.trial import counterexample

CHANGES = (
    *((" + ", " - "), (" - ", " + "), ("^2", ""), ("2*", ""), ("/2", ""), ("-eta", "eta"), ("eta*", ""), ("/eta", "")),
    *(("w_star", "w[t]"), ("w_star", "w[t+1]"), ("T+1", "T"), ("t+1", "t"), ("w[1]", "w[2]"), ("v[t]", "w[t]")),
    *(("1..t-1", "1..t"), ("sqrt(T)", "T"), ("rho", "B"), ("B", "rho"), ("w_bar", "w[T]"), ("w_bar", "w[T+1]")),
    *(("lam/2", "lam"), ("1/lam", "lam"), ("z - w", "w - z"), ("norm(S)", "norm(w_star)"), ("/(2*lam)", "/lam")),
)


class FromOne(list):
    """A list whose members are counted from 1."""

    def __getitem__(self, place):
        if not 1 <= place <= len(self):
            raise ZeroDivisionError  # as good a reason as any for a line to fail
        return super().__getitem__(int(place) - 1)


def worlds(problem):
    """Yield the symbols of random instances; problem 3 runs on the functions of the notebook."""
    rng = np.random.default_rng(5)
    for _ in range(40 if problem != "3" else 2):
        d, T = int(rng.integers(1, 5)), int(rng.integers(1, 7))
        if problem == "1":
            w, z, slope = rng.standard_normal((3, d))
            bend, lam = rng.standard_normal(), rng.uniform(0.1, 5)
            f, grad = lambda x, a=slope, c=bend: a @ x + c * x @ x, lambda x, a=slope, c=bend: a + 2 * c * x
            model = lambda x, f=f, g=grad, w=w, lam=lam: f(w) + (x - w) @ g(w) + lam / 2 * (x - w) @ (x - w)  # noqa: E731
            yield {"w": w, "z": z, "lam": lam, "f": f, "grad": grad, "model": model}
        elif problem == "2":
            v, w_star, eta = (
                rng.standard_normal((T, d)) * rng.uniform(0, 3),
                rng.standard_normal(d),
                rng.uniform(0.1, 4),
            )
            yield {"T": T, "eta": eta, "w_star": w_star, "v": FromOne(v), "w": FromOne(follow(v, eta))}
        else:
            for each, T in itertools.product([*convex.family(), *map(convex.attaining, (1, 2, 5))], (1, 2, 5, 9)):
                B, rho = each.B * rng.choice((1.0, 1.5)), each.rho * rng.choice((1.0, 1.5))
                eta = rate_step_size(B, rho, T)
                w = gradient_descent(each.subgradient, 0 * each.w_star, eta, T)
                known = {"T": T, "eta": eta, "B": B, "rho": rho, "w_star": each.w_star, "w_bar": w[:-1].mean(axis=0)}
                yield {**known, "w": FromOne(w), "f": each.value, "grad": each.subgradient}


def python(text):
    """Return a side as Python."""
    return re.sub(r"in (\S+?)\.\.([^()\s]+)", r"in between(\1, \2)", text.replace("^", "**"))


class Family:
    """A definition with a parameter."""

    def __init__(self, code, parameter, names):
        self.code, self.parameter, self.names = code, parameter, names

    def __getitem__(self, place):
        return eval(self.code, self.names | {self.parameter: place})


def oracle(problem, definitions, line):
    """Tell whether a line holds in floating point, with a tolerance that is generous to it."""
    free = sorted({*free_in(line.left, definitions), *free_in(line.right, definitions)})
    used = names(line.left, definitions) | names(line.right, definitions)
    sides = [compile(python(side.text), "side", "eval") for side in (line.left, line.right)]
    for world in worlds(problem):
        known = world | {"dot": np.dot, "norm": np.linalg.norm, "sqrt": np.sqrt}
        known["between"] = lambda a, b: range(int(a), int(b) + 1)
        for choice in itertools.product(range(1, world.get("T", 0) + 1), repeat=len(free)):
            here = known | dict(zip(free, choice, strict=True))
            try:
                for name in (each for each in definitions if each in used):
                    definition = definitions[name]
                    code = python(definition.expression.text)
                    here[name] = Family(code, definition.parameter, here) if definition.parameter else eval(code, here)
                left, right = (np.asarray(eval(side, here)) for side in sides)
            except ZeroDivisionError:
                return False
            slack = 1e-7 * (1 + np.abs(left).max() + np.abs(right).max())
            fits = {"=": np.abs(left - right) <= slack, "<=": left <= right + slack, ">=": left >= right - slack}
            if not np.all(fits[line.relation]):
                return False
    return True


def changed(chain):
    """Yield the chain with one thing changed in one place."""
    for old, new in CHANGES:
        for found in re.finditer(re.escape(old), chain):
            yield chain[: found.start()] + new + chain[found.end() :]


@pytest.mark.parametrize("every", [pytest.param(1, marks=pytest.mark.slow), 7])
@pytest.mark.parametrize("name", RIGHT)
def test_a_line_that_the_oracle_refutes_is_refuted(name, every):
    problem, chain = RIGHT[name]
    judged = refuted = 0
    known = {}  # most lines of a changed chain are those of the chain
    for text in dict.fromkeys([chain, *list(changed(chain))[::every]]):
        try:
            definitions, lines = read(text)
            where = str({name: (each.parameter, show(each.expression)) for name, each in definitions.items()})
            new = {(where, str(line)): line for line in lines if (where, str(line)) not in known}
            known |= {key: counterexample(problem, definitions, line, 1) for key, line in new.items()}
        except ValueError:  # such as a number beside a vector
            continue
        for key, line in new.items():
            wrong = known[key]
            if wrong is None:
                assert oracle(problem, definitions, line), f"{line}\nis false, and was not refuted; from\n{text}"
            else:
                assert text != chain, f"{line} was refuted: {wrong}"
                refuted += 1
            judged += 1
    assert judged > 5
    assert refuted > 0
