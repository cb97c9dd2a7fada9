"""The slider: it shows the picture of its position, draws each once, and leaves a static picture elsewhere."""

from __future__ import annotations

import base64
import io

import matplotlib.pyplot as plt
import pytest

from coursework.notebooks import figures
from coursework.notebooks.slider import Slider, png, strip


def draw(value):
    """Return a picture that differs with the value, also in its width."""
    figure, axis = plt.subplots(figsize=(2 + len(str(value)), 1.5))
    axis.set_title(str(value))
    figure.set_label(f"A picture of {value}")
    plt.close(figure)
    return figure


def pixels(picture):
    return plt.imread(io.BytesIO(picture), format="png")


@pytest.fixture
def slider():
    return Slider(draw, "size", ["a", "bb", "ccc"], draw("static"))


def test_the_slider_starts_at_the_first_value_with_its_label_and_its_positions(slider):
    assert slider.picture == png(draw("a"))
    assert slider.control.description == "size"
    assert [text for text, _ in slider.control.options] == ["a", "bb", "ccc"]


def test_moving_the_slider_changes_the_picture_to_that_of_its_value(slider):
    for k, value in ((2, "ccc"), (1, "bb"), (0, "a"), (2, "ccc")):
        slider.control.value = k
        assert slider.picture == png(draw(value))
        assert slider.shown == figures.image(base64.b64encode(slider.picture).decode(), f"A picture of {value}")


def test_a_value_that_is_visited_twice_is_drawn_once():
    drawn = []

    def count(value):
        drawn.append(value)
        return draw(value)

    slider = Slider(count, "k", [1, 2, 3], draw("static"))
    for k in (1, 2, 1, 0, 1, 2):
        slider.control.value = k
    assert sorted(drawn) == [1, 2, 3]


def test_a_slider_of_one_value_shows_it():
    slider = Slider(draw, "k", [7], draw("static"))
    assert slider.picture == png(draw(7))


def test_the_notebook_gets_a_widget_and_a_static_picture(slider):
    bundle, metadata = slider._repr_mimebundle_(include=None, exclude=None)  # as IPython calls it
    view = bundle["application/vnd.jupyter.widget-view+json"]
    assert view["model_id"] == slider._box.model_id
    assert slider._box.children[0] is slider.control
    static = base64.b64decode(bundle["image/png"], validate=True)
    assert static.startswith(b"\x89PNG\r\n\x1a\n")
    assert static == png(draw("static"))
    assert pixels(static).ndim == 3  # it can be decoded to its end
    assert bundle["text/plain"] == "A slider with 3 positions. A picture of static"
    assert metadata == {"image/png": {"alt": "A picture of static"}}


def test_the_static_picture_stays_when_the_slider_moves(slider):
    before = slider._repr_mimebundle_()[0]["image/png"]
    slider.control.value = 2
    assert slider._repr_mimebundle_()[0]["image/png"] == before


@pytest.mark.parametrize("values", [[], ()])
def test_no_values_are_an_error_that_says_so(values):
    with pytest.raises(ValueError, match="Slider: values must hold at least one value"):
        Slider(draw, "k", values, draw("static"))


def test_a_strip_shows_the_pictures_pixel_by_pixel_below_one_another():
    pictures = [pixels(png(draw(value))) for value in ("a", "ccc")]
    whole = strip([draw("a"), draw("ccc")])
    assert whole.get_label() == "1: A picture of a 2: A picture of ccc"
    assert plt.get_fignums() == []
    stream = io.BytesIO()
    whole.savefig(stream, format="png")
    shown = pixels(stream.getvalue())
    height, width = sum(p.shape[0] for p in pictures), max(p.shape[1] for p in pictures)
    assert shown.shape[:2] == (height, width)
    top = 0
    for picture in pictures:
        rows, columns = picture.shape[:2]
        found = shown[top : top + rows, :columns, :3]
        assert abs(found - picture[..., :3]).mean() < 1e-2
        top += rows
