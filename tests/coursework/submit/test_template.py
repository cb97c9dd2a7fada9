"""The LaTeX template: the same problems and points as everywhere else, and it compiles."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from repository import ROOT

from coursework.homework import homework
from coursework.submit import pdf_pages

TEMPLATE = ROOT / "writeup" / "sol1.tex"


def test_the_template_has_the_problems_with_their_points():
    text = TEMPLATE.read_text(encoding="utf-8")
    found = re.findall(r"^\\problem\{(\d)\}\{(.+)\}\{(\d+)\}$", text, re.M)
    assert [(int(number), title) for number, title, _ in found] == [(p.number, p.title) for p in homework().problems]
    points = {number: int(count) for number, _, count in found}
    assert sum(points.values()) == 41
    parts = dict(re.findall(r"\\textbf\{(6\.\d) .*?\((\d+) points\)", text))
    assert sum(map(int, parts.values())) == points["6"]
    for problem in homework().problems:
        assert points[str(problem.number)] == problem.points
    assert {task.number: str(task.points) for task in homework().all_tasks if task.number.startswith("6")} == parts


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_the_template_compiles_and_can_be_handed_in(tmp_path):
    shutil.copy(TEMPLATE, tmp_path)
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", TEMPLATE.name]
    for _ in range(2):
        result = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", errors="replace")
        assert result.returncode == 0, result.stdout[-2000:]
    assert "Overfull" not in result.stdout
    path = tmp_path / "sol1.pdf"
    assert pdf_pages.inspect(path) == []
    texts = [page.extract_text() for page in pdf_pages.open_pdf(path.read_bytes()).pages]
    assert len(texts) == 6
    for number, text in enumerate(texts, start=1):
        assert text.startswith(f"Problem {number}")
