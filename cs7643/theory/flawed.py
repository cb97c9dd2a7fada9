"""False proofs: ``flaw("2a")`` shows one, ``flaw("2a", line=3)`` tells whether it breaks in line 3, and on what.

Each has one line that is false. Which one is not stored: :mod:`cs7643.theory.proof` finds the counterexample.
"""

from __future__ import annotations

from dataclasses import dataclass

from cs7643.theory.instances import instances
from cs7643.theory.notation import read
from cs7643.theory.proof import Verdict, wrapped, written
from cs7643.theory.trial import counterexample, refuted_by


@dataclass(frozen=True)
class Flawed:
    """A false proof: what it claims to show, its lines, and what to remember, which is told when the line is found."""

    shows: str
    chain: str
    moral: str


FLAWED = {
    "1a": Flawed(
        "If lam is at least 2*norm(grad(w)), the model is nowhere below f(w), and the best step is no step.",
        """
        model(z) = f(w) + dot(z - w, grad(w)) + lam/2*norm(z - w)^2        # the model, written out
                 >= f(w) - norm(z - w)*norm(grad(w)) + lam/2*norm(z - w)^2 # dot(x, y) >= -norm(x)*norm(y)
                 = f(w) - norm(z - w)*norm(grad(w)) + lam/2*norm(z - w)    # the penalty is lam/2 times the distance
                 = f(w) + norm(z - w)*(lam/2 - norm(grad(w)))              # factor out the distance
        """,
        "Near w, the square of a distance is far smaller than the distance: a short step against the gradient pays.",
    ),
    "1b": Flawed(
        "f is nowhere above its model, whatever lam is.",
        """
        f(z) = f(w) + dot(z - w, grad(w))         # the tangent at w
             = model(z) - lam/2*norm(z - w)^2     # the model is the tangent and the penalty
             <= model(z)                          # the penalty is not negative
        """,
        "The tangent equals f at one point. Elsewhere it is an approximation, and f may lie on either side of it.",
    ),
    "1c": Flawed(
        "The penalty is negative at z = 0.",
        """
        model(z) - f(w) - dot(z - w, grad(w)) = lam/2*norm(z - w)^2            # only the penalty is left
            = lam/2*(norm(z)^2 - 2*dot(z, w) - norm(w)^2)                      # the square of a difference
            = lam/2*(norm(z)^2 - norm(w)^2) - lam*dot(z, w)                    # rearranged
        """,
        "In the square of a difference, both squares have a plus sign.",
    ),
    "2a": Flawed(
        "The regret against w_star = 0 is never positive.",
        """
        sum(dot(w[t], v[t]) for t in 1..T)
            = -eta*sum(dot(sum(v[s] for s in 1..t), v[t]) for t in 1..T)       # w[t] is the sum of the steps
            = -eta/2*(norm(sum(v[t] for t in 1..T))^2 + sum(norm(v[s])^2 for s in 1..T))  # each pair twice
            <= 0                                                               # squares
        """,
        "The point w[t] is chosen before v[t] is known. The first t vectors lead to w[t+1].",
    ),
    "2b": Flawed(
        "The regret is at most eta times the sum of the squares, wherever w_star is.",
        """
        dot(w[t] - w_star, v[t]) = dot(w[t] - w[t+1], v[t]) + dot(w[t+1] - w_star, v[t])   # insert w[t+1]
            = eta*norm(v[t])^2 + dot(w[t+1] - w_star, v[t])                    # the step
            <= eta*norm(v[t])^2                                                # after the step, w_star is no better
        """,
        "A step goes against v[t], but it may end long before it reaches w_star.",
    ),
    "2c": Flawed(
        "After the last step you are where you were before it.",
        """
        w[T+1] = -eta*sum(v[t] for t in 1..T)            # all the steps, from 0
               = sum(w[t+1] - w[t] for t in 1..T)        # each of them
               = w[T] - w[1]                             # the terms in between cancel
               = w[T]                                    # w[1] = 0
        """,
        "T steps visit T + 1 points. Write out the sum for T = 1.",
    ),
    "3a": Flawed(
        "Gradient descent lowers f in every step.",
        """
        f(w[t+1]) = f(w[t]) + dot(w[t+1] - w[t], grad(w[t]))        # f along its tangent
                  = f(w[t]) - eta*norm(grad(w[t]))^2                # the step
                  <= f(w[t])                                        # a square
        """,
        "A convex function lies above its tangents. What the tangent promises, f need not keep.",
    ),
    "3b": Flawed(
        "The mean of f(w[t]) - f(w_star) is at most (f(w[1]) - f(w_star))/T.",
        """
        sum(f(w[s]) - f(w_star) for s in 1..T)
            <= sum(f(w[s]) - f(w[s+1]) for s in 1..T)               # the next point is at most as high as w_star
            = f(w[1]) - f(w[T+1])                                   # the terms in between cancel
            <= f(w[1]) - f(w_star)                                  # w_star is a minimiser
        """,
        "It is w_star that is at most as high as the next point, and the inequality goes the other way.",
    ),
    "3c": Flawed(
        "The average is no better than the points of which it is the average.",
        """
        T*f(w_bar) = T*f(1/T*sum(w[t] for t in 1..T))               # what w_bar is
                   = sum(f(w[t]) for t in 1..T)                     # the mean comes out of f
                   >= sum(f(w_star) for t in 1..T)                  # w_star is a minimiser
        """,
        "The value at a mean is the mean of the values only for affine functions, which are linear plus a constant.",
    ),
}


def flaw(name: str, line: int | None = None) -> Verdict:
    """Show a false proof, or tell whether a line of it is the false one.

    Args:
        name: one of ``FLAWED``.
        line: the number of a line, from 1; None shows the proof.

    Raises:
        ValueError: if there is no such proof, or no such line in it.
    """
    if name not in FLAWED:
        raise ValueError(f"flaw: name must be one of {', '.join(FLAWED)}, got {name!r}")
    proof = FLAWED[name]
    definitions, lines = read(proof.chain)
    if line is None:
        asked = f'Which line is false? flaw("{name}", line=...)'
        rows = [f"False proof {name}. {proof.shows}", "", *written(lines), "", asked]
        return Verdict(False, 0, "\n".join(map(wrapped, rows)))
    if type(line) is not int or not 1 <= line <= len(lines):
        raise ValueError(f"flaw: line must be from 1 to {len(lines)}, got {line!r}")
    found = counterexample(name[0], definitions, lines[line - 1], line)
    if found is None:
        count = len(instances(name[0]))
        return Verdict(False, 0, f"Line {line} holds in all {count} instances. Look for another.")
    said = f"Yes. {refuted_by(found, lines[line - 1], line, definitions)}\n{proof.moral}"
    return Verdict(False, line, "\n".join(map(wrapped, said.split("\n"))))
