"""A small client of headless Chromium, over its debugging protocol: open a page, ask it, press keys, photograph it."""

from __future__ import annotations

import base64
import itertools
import json
import os
import shutil
import subprocess
import time
import urllib.request
from pathlib import Path

import websocket

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chrome")


def program() -> str | None:
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


class Browser:
    """One page of a headless browser with an empty profile."""

    def __init__(self, profile: Path) -> None:
        command = [program(), "--headless", "--disable-gpu", "--remote-debugging-port=0", f"--user-data-dir={profile}"]
        command += ["--remote-allow-origins=*", "--no-first-run", "--disable-background-networking"]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.append("--no-sandbox")
        self.process = subprocess.Popen([*command, "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.socket = websocket.WebSocket()
        self.numbers = itertools.count(1)
        self.said: list[str] = []
        self.events: list[str] = []
        try:
            port = self._port(profile / "DevToolsActivePort")
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(f"http://127.0.0.1:{port}/json", timeout=30) as answer:
                pages = json.load(answer)
            address = next(page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page")
            self.socket.connect(address, timeout=60, http_no_proxy=["127.0.0.1"])
        except BaseException:
            self.close()
            raise
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def _port(self, path: Path) -> int:
        for _ in range(600):
            if path.exists() and path.read_text(encoding="utf-8").strip():
                return int(path.read_text(encoding="utf-8").split()[0])
            time.sleep(0.1)
        raise TimeoutError("Chromium does not start")

    def close(self) -> None:
        self.socket.shutdown()
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def call(self, method: str, **parameters):
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv())
            self._note(message)
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]

    def _note(self, message) -> None:
        """Keep what the console says, what fails to load, and which events came."""
        method, parameters = message.get("method", ""), message.get("params", {})
        self.events.append(method)
        if method == "Runtime.consoleAPICalled":
            self.said.append(json.dumps(parameters["args"]))
        elif method == "Runtime.exceptionThrown":
            self.said.append(parameters["exceptionDetails"]["text"])
        elif method == "Log.entryAdded":
            self.said.append(f"{parameters['entry']['text']} {parameters['entry'].get('url', '')}")
        elif method == "Network.loadingFailed":
            self.said.append(parameters["errorText"])

    def open(self, address: str) -> None:
        """Open a page and wait until all of it is loaded."""
        self.events.clear()
        self.call("Page.navigate", url=address)
        for _ in range(600):
            if "Page.loadEventFired" in self.events:
                return
            self.ask("0")
            time.sleep(0.05)
        raise TimeoutError(address)

    def ask(self, expression: str):
        """Return the value of JavaScript in the page."""
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def resize(self, width: int, height: int = 800, mobile: bool = False) -> None:
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile)

    def scheme(self, name: str) -> None:
        """Ask for the light or the dark colours."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def press(self, key: str, code: int) -> None:
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **text)

    def photograph(self, path: Path) -> None:
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 16_000), "scale": 1}
        data = self.call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)["data"]
        path.write_bytes(base64.b64decode(data))
