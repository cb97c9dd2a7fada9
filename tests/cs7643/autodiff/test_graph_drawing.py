"""The picture of a computation graph: what crosses, what overlaps, and what is drawn."""

from __future__ import annotations

from functools import cache
from itertools import combinations, pairwise, permutations, product

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.patches import FancyBboxPatch

from cs7643.autodiff import by_hand, stack
from cs7643.autodiff.drawing import box_sizes, draw, labelled_layout
from cs7643.autodiff.graph import Graph, Node, trace
from cs7643.autodiff.layout import layout as place_boxes

STEPS = {
    "f": "x; y; 1; a = + x y; b = + y 1; c = * a b",
    "f1": "w1; w2; 2; a = exp w1; b = * 2 w2; c = exp b; d = + a c; e = exp d; f = sin d; g = + e f",
    "f2": "w1; w2; a = * w1 w2; b = sigmoid w1; c = + a b",
    "as typeset": (
        "w1; w2; 2; a = exp w1; b = * 2 w2; c = exp b; d = + w1 c; e = exp d; f = + a c; g = sin f; h = + e g"
    ),
    "square": "x; y = * x x; z = exp y; loss_total = + z x",
}


def layout(graph):
    return place_boxes(graph, box_sizes(graph))


def build(steps, **derivatives):
    """Read a graph from a short text; the values are made up, and wide."""
    places, nodes = {}, []
    for k, step in enumerate(steps.split("; ")):
        name, _, rest = step.partition(" = ")
        kind = "constant" if name.isdigit() else "input"
        operation, *inputs = rest.split() or [kind]
        value = float(name) if kind == "constant" else -1.2345678e24 / 10**k
        label = "" if kind == "constant" else name
        nodes.append(Node(label, operation, tuple(places[i] for i in inputs), value, **derivatives))
        places[name] = k
    return Graph(tuple(nodes), (len(nodes) - 1,))


def random_graph(seed):
    rng = np.random.default_rng(seed)
    nodes = [Node(f"w{k}", "input", (), 1.0) for k in range(1 + seed % 4)] + [Node("", "constant", (), 0.5)]
    for k in range(len(nodes), 10 + 5 * seed):
        inputs = rng.integers(max(0, k - 10), k, rng.integers(1, 3))
        nodes.append(Node(f"v{k}", "exp" if len(inputs) == 1 else "*", tuple(map(int, inputs)), float(k)))
    return Graph(tuple(nodes), (len(nodes) - 1,))


GRAPHS = {name: build(steps, adjoint=-7.8e24, tangent=1 / 3) for name, steps in STEPS.items()}
GRAPHS |= {f"random {seed}": random_graph(seed) for seed in range(7)}
EVERY = pytest.mark.parametrize("name", GRAPHS)


@cache
def plan_of(name):
    return layout(GRAPHS[name])


def boxes_of(plan):
    return np.hstack([plan.centres - plan.sizes / 2, plan.centres + plan.sizes / 2])


def side(a, b, c):
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def meet(first, second):
    """Say whether two polylines cross, segment by segment."""
    return any(
        side(a, b, c) * side(a, b, d) < -1e-12 and side(c, d, a) * side(c, d, b) < -1e-12
        for a, b in pairwise(first)
        for c, d in pairwise(second)
        if max(a[0], c[0]) < min(b[0], d[0])
    )


@pytest.mark.parametrize("name", ["f", "f1", "f2", "square"])
def test_the_functions_of_the_problem_are_drawn_without_a_crossing(name):
    wires = plan_of(name).wires
    assert not any(meet(a, b) for (_, _, a), (_, _, b) in combinations(wires, 2))


def test_the_function_as_typeset_has_the_one_crossing_that_its_layers_force():
    wires = plan_of("as typeset").wires
    assert sum(meet(a, b) for (_, _, a), (_, _, b) in combinations(wires, 2)) == 1
    columns = ("w1 w2 2", "a b w1", "a c w1", "d f")  # behind them, nothing can cross
    edges = ("w1-a w1-w1 w2-b 2-b", "a-a b-c w1-w1", "w1-d c-d c-f a-f")
    pieces = [[edge.split("-") for edge in some.split()] for some in edges]

    def tangle(left, right, piece):
        ends = [(left.index(s), right.index(t)) for s, t in piece]
        return sum((a - c) * (b - d) < 0 for (a, b), (c, d) in combinations(ends, 2))

    orders = product(*(permutations(column.split()) for column in columns))
    assert min(sum(map(tangle, order, order[1:], pieces)) for order in orders) == 1


@EVERY
def test_every_edge_goes_from_the_border_of_its_source_to_the_border_of_its_target_on_the_right(name):
    graph, plan = GRAPHS[name], plan_of(name)
    boxes = boxes_of(plan)
    drawn = sorted((s, t) for s, t, _ in plan.wires)
    assert drawn == sorted((s, t) for t, node in enumerate(graph.nodes) for s in node.inputs)
    for s, t, points in plan.wires:
        assert np.all(np.diff(points[:, 0]) > 0)
        np.testing.assert_allclose(points[0], (boxes[s, 2], plan.centres[s, 1]))
        assert points[-1, 0] == pytest.approx(boxes[t, 0])
        assert boxes[t, 1] < points[-1, 1] < boxes[t, 3]


@EVERY
def test_no_edge_passes_through_the_box_of_another_node(name):
    plan = plan_of(name)
    for s, t, points in plan.wires:
        for k, (x0, y0, x1, y1) in enumerate(boxes_of(plan)):
            x = np.linspace(max(x0, points[0, 0]), min(x1, points[-1, 0]), 50)
            y = np.interp(x, *points.T)
            assert k in (s, t) or x[0] >= x[-1] or np.all((y < y0 - 0.1) | (y > y1 + 0.1))


@EVERY
def test_no_two_boxes_overlap_and_the_same_graph_gets_the_same_places(name):
    plan, again = plan_of(name), layout(GRAPHS[name])
    for a, b in combinations(boxes_of(plan), 2):
        assert np.any(a[:2] > b[2:] + 0.05) or np.any(b[:2] > a[2:] + 0.05)
    assert np.array_equal(plan.centres, again.centres)
    assert all(np.array_equal(a, b) for (_, _, a), (_, _, b) in zip(plan.wires, again.wires, strict=True))


def test_inputs_stand_in_the_first_layer_and_a_constant_just_before_its_use():
    plan = layout(build("x; y; 3; a = exp x; b = exp a; c = * 3 b; d = + c y"))
    right = boxes_of(plan)[:, 2]
    assert right[0] == right[1] < right[2] == pytest.approx(right[4])


@pytest.mark.parametrize("derivatives", [{}, {"adjoint": -7.8e24, "tangent": float("nan")}])
@pytest.mark.parametrize("name", STEPS)
def test_a_picture_renders_closed_with_every_text_inside_its_box(name, derivatives, tmp_path):
    graph = build(STEPS[name], **derivatives)
    figure = draw(graph, "A title that is much longer than the picture of a small function is wide\nand has two lines")
    assert plt.get_fignums() == []
    for kind in ("png", "svg"):
        figure.savefig(tmp_path / f"figure.{kind}")
        assert (tmp_path / f"figure.{kind}").stat().st_size > 1000
    axis = figure.axes[0]
    spots = {text.get_gid() or "title": text.get_window_extent() for text in axis.texts}
    boxes = {box.get_gid(): box.get_window_extent() for box in axis.patches if isinstance(box, FancyBboxPatch)}
    for first, second in combinations(spots.values(), 2):
        assert not first.overlaps(second)
    for gid, spot in spots.items():
        around = figure.bbox if gid == "title" else boxes["node-" + gid.split("-")[1]]
        assert around.x0 <= spot.x0 < spot.x1 <= around.x1
        assert around.y0 <= spot.y0 < spot.y1 <= around.y1
        assert gid == "title" or not spot.overlaps(spots["title"])


def test_a_box_tells_the_formula_the_value_and_the_derivatives():
    figure = draw(build("w1; 2; a = * 2 w1; b = exp a; c = ** b 2; s = - c", adjoint=7.8e24, tangent=-0.00012346))
    texts = {text.get_gid(): text.get_text() for text in figure.axes[0].texts}
    assert texts["text-0-0"] == r"$\mathbf{w}_{1}$"
    assert texts["text-1-0"] == r"$\mathit{\mathrm{2}}$"
    assert texts["text-2-0"] == r"$\mathbf{a} = \mathit{\mathrm{2}} \cdot \mathit{w}_{1}$"
    assert texts["text-2-1"] == "= -1.235e+22"
    assert texts["text-2-2"] == r"$\dot{a}$ = -0.0001235"
    assert texts["text-2-3"] == r"$\bar{a}$ = 7.8e+24"
    assert texts["text-3-0"] == r"$\mathbf{b} = \mathrm{exp}(\mathit{a})$"
    assert texts["text-4-0"] == r"$\mathbf{c} = {\mathit{b}}^{\mathit{\mathrm{2}}}$"
    assert texts["text-5-0"] == r"$\mathbf{s} = -\mathit{c}$"


@pytest.mark.parametrize("name", ["", "a_b_c", "$x$", "50%", "a^b", "{", "back\\slash", "two words", "λ", "x'"])
def test_any_name_can_be_drawn(name, tmp_path):
    nodes = (
        Node(name, "input", (), 1.0),
        Node(name, name or "f", (0, 0), 1.0, 2.0, 3.0),
        Node("pi", "constant", (), 3.14),
    )
    draw(Graph(nodes, (1,))).savefig(tmp_path / "figure.png")


PROBLEM = [(name, w) for name in ("f1", "f1_as_typeset", "f2") for w in ((1.0, 2.0), (0.1, -0.3))]
PROBLEM += [("warm_up", (2.0, 3.0))]


@pytest.mark.parametrize("sweeps", ["no sweep", "both sweeps"])
@pytest.mark.parametrize(("name", "w"), PROBLEM)
def test_each_arrow_carries_its_local_derivative_and_nothing_is_covered(name, w, sweeps):
    graph = by_hand.program(name, w)
    if sweeps == "both sweeps":
        graph = by_hand.differentiated(graph, (1.0, 0.0))
    plan, labels = labelled_layout(graph)
    wanted = [
        (s, t, f"{x:.4g}")
        for t, node in enumerate(graph.nodes)
        for s, x in zip(node.inputs, node.local, strict=True)
        if x is not None
    ]
    assert sorted((label.source, label.target, label.text) for label in labels) == sorted(wanted)
    wires = {(s, t): points for s, t, points in plan.wires}
    for label in labels:
        points = wires[label.source, label.target]
        assert np.interp(label.centre[0], *points.T) == pytest.approx(label.centre[1])
    axis = draw(graph, "title", local=True).axes[0]
    figure = axis.figure
    boxes = [box.get_window_extent() for box in axis.patches if isinstance(box, FancyBboxPatch)]
    texts = {text.get_gid() or "title": text.get_window_extent() for text in axis.texts}
    spots = {gid: spot for gid, spot in texts.items() if gid.startswith("local")}
    assert len(spots) == len(wanted)
    for first, second in combinations(texts.values(), 2):
        assert not first.overlaps(second)
    for spot in spots.values():
        assert not any(spot.overlaps(box) for box in boxes)
        assert figure.bbox.x0 <= spot.x0 < spot.x1 <= figure.bbox.x1
    assert all(f"from {graph.nodes[s].name} to {graph.nodes[t].name} {x}" in figure.get_label() for s, t, x in wanted)


def test_a_number_used_twice_by_one_step_has_two_local_derivatives():
    graph = trace(lambda x: x / x, (4.0,), ("x",), adjoints=False)
    assert [label.text for label in labelled_layout(graph)[1]] == ["0.25", "-0.25"]
    assert trace(lambda x: x**2, (-3.0,), ("x",), adjoints=False).nodes[-1].local == (-6.0, None)


def test_a_step_of_arrays_has_no_local_derivative():
    graph = trace(lambda x, y: stack([x, y]).sum(), (1.0, 2.0), ("x", "y"), adjoints=False)
    assert [node.local for node in graph.nodes] == [(), (), (), ()]
