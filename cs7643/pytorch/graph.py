"""The graph of a number that PyTorch keeps for its backward pass, in the form that problem 5 draws."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from string import ascii_lowercase
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from cs7643.autodiff.graph import Graph, Node

SIGNS = {"Add": "+", "Sub": "-", "Mul": "*", "Div": "/", "Pow": "**"}


class _Results(TorchFunctionMode):
    """Notes each result with what it was made of: PyTorch's graph holds no values, and keeps no inner gradients."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[Any, tuple[Tensor, tuple[Any, ...]]] = {}  # by the node of PyTorch's graph

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor) and result.grad_fn is not None:
            result.retain_grad()
            self.found.setdefault(result.grad_fn, (result, args))
        return result


def graph_of(f: Callable[..., Tensor], values: Mapping[str, float]) -> tuple[Graph, Tensor]:
    """Run f on numbers, follow PyTorch's graph of the result, and return it with all values and adjoints.

    Args:
        f: takes tensors of one number each, and returns one. Its constants are Python's numbers.
        values: the numbers by which it is differentiated, by the names of f's arguments, in their order.

    Returns:
        The graph, whose arrows are the ``next_functions`` of PyTorch's nodes, and the result.

    Raises:
        ValueError: if the result is not one number that depends on the values.
    """
    leaves = {name: torch.tensor(float(x), dtype=torch.float64, requires_grad=True) for name, x in values.items()}
    results = _Results()
    with results:
        loss = f(*leaves.values())
    if not isinstance(loss, Tensor) or loss.numel() != 1 or loss.grad_fn is None:
        raise ValueError(f"graph_of: f must return one number that depends on {', '.join(values)}, got {loss!r}")
    loss.backward()  # type: ignore[no-untyped-call]
    nodes: list[Node] = []
    places: dict[Any, int] = {}  # of PyTorch's nodes, and of the numbers
    for name, leaf in leaves.items():
        places[id(leaf)] = len(nodes)
        nodes.append(Node(name, "input", (), leaf.item(), None if leaf.grad is None else leaf.grad.item()))
    letters = (letter for letter in ascii_lowercase if letter not in values)
    below = _below(loss.grad_fn)
    for function in (each for each in results.found if each in below):
        result, arguments = results.found[function]
        sources = []
        links = [link for link, _ in function.next_functions]
        for k, argument in enumerate(arguments):
            link = links[k] if k < len(links) else None
            if link is None:
                nodes.append(Node("", "constant", (), float(argument)))
            sources.append(len(nodes) - 1 if link is None else places[id(getattr(link, "variable", link))])
        kind = re.sub(r"Backward\d*", "", function.name())
        places[id(function)] = len(nodes)
        adjoint = None if result.grad is None else result.grad.item()
        nodes.append(Node(next(letters), SIGNS.get(kind, kind.lower()), tuple(sources), result.item(), adjoint))
    return Graph(tuple(nodes), (places[id(loss.grad_fn)],)), loss


def _below(function: Any) -> set[Any]:
    """Return the nodes of PyTorch's graph that can be reached from one of them, it included."""
    found, ahead = set(), [function]
    while ahead:
        node = ahead.pop()
        if node is not None and node not in found:
            found.add(node)
            ahead += [link for link, _ in node.next_functions]
    return found
