"""What axe-core, which npm brings, finds on a page that a browser shows."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

VERSION = "4.14.1"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def source(folder: Path) -> str | None:
    """Return the program, installed into a folder; None without npm, or without a network."""
    npm = shutil.which("npm")
    if npm is None:
        return None
    command = [npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts"]
    try:
        subprocess.run([*command, f"axe-core@{VERSION}"], capture_output=True, check=True, timeout=120)
    except (subprocess.SubprocessError, OSError):
        return None
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def violations(browser, program: str) -> list[str]:
    """Return what the page that is open violates: the rule, the element, and what to do."""
    browser.ask(program)
    options = json.dumps({"runOnly": RULES, "resultTypes": ["violations"]})
    called = f"axe.run(document, {options}).then(found => JSON.stringify(found.violations))"
    answer = browser.call("Runtime.evaluate", expression=called, returnByValue=True, awaitPromise=True)
    return [
        f"{found['id']}: {node['html'][:200]}: {' '.join(node['failureSummary'].split())}"
        for found in json.loads(answer["result"]["value"])
        for node in found["nodes"]
    ]
