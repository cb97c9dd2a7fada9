"""Three hints for each function that a student writes: the idea, the formula, the shapes. None is the answer."""

from __future__ import annotations

import argparse
import difflib
import sys

STEPS = ("the idea", "the formula", "the shapes")
HINTS: dict[str, tuple[str, str, str]] = {
    "proximal_step": (
        "The objective of eq. (3) is a quadratic function of z. Where is its gradient zero?",
        "The squared norm is a sum over coordinates, so differentiate with respect to one coordinate of z.",
        "w, grad and the result have shape (d,); lam is a number.",
    ),
    "step_size": (
        "Compare your proximal step with w - eta grad.",
        "What stands in front of the gradient in the minimiser of eq. (3)?",
        "One number in, one number out.",
    ),
    "follow": (
        "Each point is the one before, minus eta times a vector: a running sum.",
        "w(1) is zero and comes first; w(T+1) has seen all T vectors.",
        "v is (T, d), the result (T + 1, d).",
    ),
    "regret": (
        "For each t, how far does v(t) point along the way from w* to w(t)?",
        "A sum over t of inner products; an inner product is a sum over coordinates.",
        "iterates is (T + 1, d) and v is (T, d): one of the iterates has no vector.",
    ),
    "regret_bound": (
        "Two terms: one falls with eta, the other grows with it.",
        "The first has the squared norm of w*, the second the sum of all squared norms of v.",
        "w_star is (d,), v is (T, d), the result a number.",
    ),
    "gradient_descent": (
        "A loop over the steps; each asks for the gradient at the newest point.",
        "w(t+1) = w(t) - eta grad(w(t)). Call the gradient once a step.",
        "Make an array of T + 1 rows, and fill in the first.",
    ),
    "rate_step_size": (
        "The bound on the average is the right side of eq. (4) over T. Which eta makes it smallest?",
        "With norms at most B and rho, differentiate the bound with respect to eta.",
        "Three numbers in, one number out.",
    ),
    "rate_bound": (
        "Put the best step size into the bound of eq. (4) over T.",
        "At the best step size both terms of the bound are equal.",
        "Three numbers in, one number out.",
    ),
    "sgd_step": (
        "Only one term of f is looked at: which point does it pull to?",
        "The slope of half a squared distance is the distance, with its sign.",
        "term may be an array of w's shape, with a 1 or a 2 in each place.",
    ),
    "sgd_counterexample": (
        "The terms pull to different points. Stand between them.",
        "Find a point at which the slope of one term and the slope of f have opposite signs.",
        "Return three numbers: w, 1 or 2, and a positive step size.",
    ),
    "f1": (
        "The same sum of two exponentials is used twice: give it a name.",
        "An exponential of the sum, plus a sine of the sum.",
        "Numbers in, a number out; arrays element by element, so use the functions of primitives.py.",
    ),
    "f1_as_typeset": (
        "Only the first exponent differs from f1.",
        "In the first term w1 itself stands in the exponent; in the sine it is an exponential, as before.",
        "Numbers in, a number out; and arrays element by element, as for f1.",
    ),
    "f2": (
        "A product, plus the logistic function of one of the two.",
        "sigmoid is imported in the file.",
        "Numbers in, a number out; and arrays element by element, as for f1.",
    ),
    "numerical_jacobian": (
        "Change one coordinate at a time, and see what every output does.",
        "The rows of delta times the identity are the changes; the docstring has the three quotients.",
        "Each change gives a column, (m,); n of them side by side are (m, n).",
    ),
    "Dual.apply": (
        "The value comes from the values. The tangent is a sum of what each argument contributes.",
        "A contribution is what the argument's forward rule makes of its tangent; a constant, None, has none.",
        "The rules take care of shapes: call them with (tangent, result, *values).",
    ),
    "forward_jacobian": (
        "Move one input at a time, at unit speed: jvp gives what all outputs do.",
        "The directions are the rows of the identity; jvp returns (value, tangent).",
        "Each sweep gives a column, (m,); n of them side by side are (m, n).",
    ),
    "Tape.sweep": (
        "Pass on what you have: each argument on the tape gets a contribution, added to what is there.",
        "A contribution is what the argument's backward rule makes of the adjoint; None means nothing there yet.",
        "The rules take care of shapes: call them with (adjoint, result, *arguments).",
    ),
    "backward_jacobian": (
        "One sweep back from each output; afterwards x knows its derivatives.",
        "backward() of an output, then the adjoint of x. An output may be a plain number: its row stays zero.",
        "Row k, (n,), belongs to output k.",
    ),
    "two_layer_net": (
        "Forward: affine, rectifier, affine, softmax loss. Backward: the same steps in reverse order.",
        "The gradient of the loss by the scores is (probabilities - one-hot labels) / N.",
        "A gradient has the shape of its parameter: W1 (D, H), b1 (H,), W2 (H, C), b2 (C,).",
    ),
    "momentum": (
        "The velocity remembers: part of it is kept, and the new gradient is added downhill.",
        "New velocity first; it is also the step.",
        "All arrays have the parameter's shape; make a new one.",
    ),
    "rmsprop": (
        "Divide the gradient by the root of its recent mean square.",
        "The mean square first: a weighted mean of the old one and the gradient's square. eps is inside the root.",
        "All arrays have the parameter's shape, and every operation is element by element.",
    ),
    "affine_forward": (
        "Flatten each example to a row, then one matrix product and one addition.",
        "out = rows w + b, and what the backward pass needs goes into the cache.",
        "x is (N, ...), w is (D, M) with D the product of the rest of x's shape.",
    ),
    "affine_backward": (
        "Each of x, w and b gets what the chain rule sends through the product or the sum.",
        "dx comes from dout and w, dw from x and dout, db is a sum over examples.",
        "There is one way in which the shapes fit; dx has x's own shape.",
    ),
    "relu_forward": (
        "Keep what is positive.",
        "The maximum of each element and zero.",
        "The result has x's shape; the cache is x.",
    ),
    "relu_backward": (
        "The gradient passes where the input was positive.",
        "Multiply by a mask; do not change dout.",
        "dout, x and dx have one shape.",
    ),
    "conv_forward_naive": (
        "For every example, filter and position: window times filter, summed, plus the bias.",
        "The window of output (i, j) begins at (i stride, j stride) of the padded image.",
        "The window is (C, HH, WW), and HH may differ from WW.",
    ),
    "conv_backward_naive": (
        "Walk over the same windows as forward; each output sends its gradient to its window, its filter, its bias.",
        "Where windows overlap, contributions add. Work on the padded image, and cut the padding off at the end.",
        "dx, dw, db have the shapes of x, w, b; with pad 0 there is nothing to cut.",
    ),
    "max_pool_forward_naive": (
        "For every example, channel and position: the largest number of the window.",
        "The window of output (i, j) begins at (i stride, j stride).",
        "The window is pool_height by pool_width; channels stay apart.",
    ),
    "max_pool_backward_naive": (
        "Each output sends its gradient to the one place that was largest.",
        "Of several equal maxima take the first; windows may overlap, so add.",
        "dx has x's shape and is zero where nothing was largest.",
    ),
    "Softmax": (
        "One layer is enough: each class has a weight for each value of the image.",
        "nn.Linear holds weights and bias. No softmax: cross_entropy has it.",
        "Images (N, C, H, W) are flattened to (N, C H W); logits are (N, n_classes).",
    ),
    "make_optimizer": (
        "torch.optim has stochastic gradient descent ready.",
        "It takes the parameters of the model, and three numbers by name.",
        "A model lists its parameters itself.",
    ),
    "update_step": (
        "Gradients add up in PyTorch: start each step from zero.",
        "Zero, loss, backward, step. What the step needs is in the parameters' grad.",
        "The loss is one number, and should no longer hold the graph that it came from.",
    ),
    "TwoLayerNN": (
        "The network of problem 6.1, with layers that hold their own weights.",
        "Two linear layers and a ReLU between them; nothing after the second.",
        "(N, C, H, W), then (N, C H W), (N, hidden_dim), (N, n_classes).",
    ),
    "CNN": (
        "The network of problem 6.3: what is the shape after each layer?",
        "A kernel of odd size k keeps the image's size if it is padded with (k - 1) / 2 zeros.",
        "Pooling halves H and W, so the last layer takes hidden_dim H/2 W/2 numbers.",
    ),
}


def hint(name: str, step: int = 1) -> str:
    """Return a hint for a function that you write.

    Args:
        name: the function, e.g. "conv_backward_naive".
        step: 1 for the idea, 2 for the formula, 3 for the shapes.

    Raises:
        ValueError: if there is no such function or step.
    """
    if name not in HINTS:
        close = difflib.get_close_matches(name, HINTS, n=3) or sorted(HINTS)
        raise ValueError(f"hint: expected a function, such as {' or '.join(close[:3])}, got {name!r}")
    if step not in (1, 2, 3):
        raise ValueError(f"hint: step must be 1, 2 or 3, got {step!r}")
    return f"{STEPS[step - 1].capitalize()}: {HINTS[name][step - 1]}"


def main(args: argparse.Namespace) -> int:
    """Print a hint; return 0, or 2 if there is no such function."""
    try:
        print(hint(args.name, args.step))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    return 0
