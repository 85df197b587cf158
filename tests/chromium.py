"""Drive a headless Chromium by its DevTools protocol over two pipes.

Chromium reads commands from descriptor 3 and writes answers and events to 4, each a
JSON object that ends in a NUL. The protocol is simple, so no driver is needed.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
    "--disable-extensions", "--disable-background-networking", "--disable-sync",
    "--disable-component-update", "--remote-debugging-pipe", "--mute-audio",
)  # fmt: skip
CONTRAST = 4.5  # WCAG AA for text
# Returns every visible text whose contrast to its background is too low.
PALE = """
(() => {
  const parts = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = colour => parts(colour).slice(0, 3).map(v => v / 255)
    .map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, n) => sum + v * [.2126, .7152, .0722][n], 0);
  const background = element => {
    for (; element; element = element.parentElement) {
      const colour = getComputedStyle(element).backgroundColor;
      if ((parts(colour)[3] ?? 1) === 1) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const pale = [];
  for (let node; node = texts.nextNode();) {
    const owner = node.parentElement, box = owner.getBoundingClientRect();
    if (!node.data.trim() || !box.width || owner.tagName === "title") continue;
    const style = getComputedStyle(owner);
    const [a, b] = [light(owner.closest("svg") ? style.fill : style.color),
                    light(background(owner))];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < LEAST) pale.push(`${ratio.toFixed(2)} ${node.data.slice(0, 40)}`);
  }
  return pale;
})()
""".replace("LEAST", str(CONTRAST))

WIDER = """
[...document.querySelectorAll("main *")].filter(element => !element.closest(".scroll")
  && element.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML)
"""
# Ends when the map of the graph is drawn, or cannot be.
READY = """
new Promise(done => {
  const look = () => document.documentElement.dataset.ready
    || !document.getElementById("problem").hidden ? done() : setTimeout(look, 10);
  look();
})
"""
_LOWEST = 10  # descriptors from here on do not collide with 3 and 4
_SEVERE = ("error", "warning")


def installed() -> str:
    """Return the program's path; "" if it is not installed."""
    return next(filter(None, map(shutil.which, NAMES)), "")


class Browser:
    """One process, which ends with its `with` block; `open` makes a new tab."""

    def __init__(self, profile: Path) -> None:
        to_read, self._write = _pipe()
        self._read, to_write = _pipe()
        shell = f'exec "$@" 3<&{to_read} 4>&{to_write} {to_read}<&- {to_write}>&-'
        self._process = subprocess.Popen(
            ["bash", "-c", shell, "bash", installed(), *FLAGS,
             f"--user-data-dir={profile}"],
            pass_fds=(to_read, to_write), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(to_read)
        os.close(to_write)
        self._rest = b""
        self._number = 0
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, session: str = "", **params: Any) -> dict[str, Any]:
        """Send a command and return its result; keep the events that come before it."""
        self._number += 1
        command = {"id": self._number, "method": method, "params": params}
        command |= {"sessionId": session} if session else {}
        os.write(self._write, json.dumps(command).encode() + b"\0")
        answer = next(m for m in self._messages() if m.get("id") == self._number)
        assert "error" not in answer, (method, answer["error"])
        return dict(answer["result"])

    def wait(self, method: str, session: str) -> None:
        """Wait for an event."""
        if not any(_is(event, method, session) for event in self.events):
            next(m for m in self._messages() if _is(m, method, session))

    def open(self, uri: str, width: int = 1280, scheme: str = "light") -> Tab:
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        given = self.call("Target.attachToTarget", targetId=target, flatten=True)
        return Tab(self, target, given["sessionId"], uri, width, scheme)

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *error: object) -> None:
        self.call("Browser.close")
        self._process.wait(30)
        os.close(self._read)
        os.close(self._write)

    def _messages(self) -> Iterator[dict[str, Any]]:
        while True:
            *whole, self._rest = self._rest.split(b"\0")
            for n, message in enumerate(whole):
                found = json.loads(message)
                if "method" in found:
                    self.events.append(found)
                left = whole[n + 1 :]
                if left:
                    self._rest = b"\0".join([*left, self._rest])
                yield found
                if left:
                    break
            else:
                read = os.read(self._read, 1 << 20)
                assert read, "chromium has ended"
                self._rest += read


class Tab:
    """A page with a width and a colour scheme."""

    def __init__(
        self, browser: Browser, target: str, session: str, uri: str, width: int,
        scheme: str,
    ) -> None:  # fmt: skip
        self._browser, self._target, self._session = browser, target, session
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")
        self._call("Performance.enable", timeDomain="threadTicks")
        size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
        self._call("Emulation.setDeviceMetricsOverride", **size)
        self.show(scheme)
        self._call("Page.navigate", url=uri)
        browser.wait("Page.loadEventFired", session)

    def show(self, scheme: str, media: str = "screen") -> None:
        """Change the colour scheme, or the medium to print."""
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self._call("Emulation.setEmulatedMedia", media=media, features=[feature])

    def value(self, script: str, wait: bool = False) -> Any:
        """Evaluate a JavaScript expression in the page; `wait` for its promise."""
        found = self._call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=wait
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def press(self, key: str, code: int) -> None:
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            self._call(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key,
                windowsVirtualKeyCode=code, **text,
            )  # fmt: skip

    def pdf(self) -> str:
        return str(self._call("Page.printToPDF")["data"])

    def picture(self, form: str = "png", quality: int = 70) -> bytes:
        """Return a picture of what the window shows: png, webp or jpeg."""
        given = {} if form == "png" else {"quality": quality}
        found = self._call("Page.captureScreenshot", format=form, **given)
        return base64.b64decode(str(found["data"]))

    def cpu(self) -> float:
        """Return the seconds of CPU time that the page's main thread has taken."""
        found = self._call("Performance.getMetrics")["metrics"]
        return next(float(m["value"]) for m in found if m["name"] == "TaskDuration")

    def errors(self) -> list[str]:
        """Return the console's errors and warnings, and exceptions."""
        self.value("1")  # all earlier events have arrived when this returns
        return [text for event in self._own_events() if (text := _error_text(event))]

    def requests(self) -> list[str]:
        """Return the address of every request of the page."""
        sent = [
            e for e in self._own_events() if e["method"] == "Network.requestWillBeSent"
        ]
        return [str(event["params"]["request"]["url"]) for event in sent]

    def close(self) -> None:
        self._browser.call("Target.closeTarget", targetId=self._target)

    def _own_events(self) -> list[dict[str, Any]]:
        return [e for e in self._browser.events if e.get("sessionId") == self._session]

    def _call(self, method: str, **params: Any) -> dict[str, Any]:
        return self._browser.call(method, self._session, **params)


def _is(message: dict[str, Any], method: str, session: str) -> bool:
    return message.get("method") == method and message.get("sessionId") == session


def _error_text(event: dict[str, Any]) -> str:
    """Return the text of an event that is an error, else an empty string."""
    params = event["params"]
    if event["method"] == "Runtime.exceptionThrown":
        return str(params["exceptionDetails"])
    if event["method"] == "Runtime.consoleAPICalled" and params["type"] in _SEVERE:
        return str(params["args"])
    if event["method"] == "Log.entryAdded" and params["entry"]["level"] in _SEVERE:
        return str(params["entry"]["text"])
    return ""


def _pipe() -> tuple[int, int]:
    """Return a pipe's read and write end, above the descriptors of the protocol."""
    low = os.pipe()
    high = [fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, _LOWEST) for number in low]
    for number in low:
        os.close(number)
    return high[0], high[1]
