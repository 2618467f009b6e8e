"""A headless Chromium, driven over the WebDriver protocol (W3C Recommendation "WebDriver", level 2).

*Why* no library: what a form needs is a dozen commands, each one HTTP request with JSON in and out.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.interop.processes import Program, need, wait_until

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key under which the protocol passes a reference to an element
OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # its sandbox refuses root
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # it asks nothing of the world
    "--window-size=1400,1000",  # narrower, a web mail shows one pane at a time
)


PATIENCE = 120.0  # seconds that a condition may take to come true, on a machine that has much else to do


class Refused(Exception):
    """The driver could not carry a command out: no such element, not to be clicked now."""


class Browser:
    """One window with a profile of its own below `directory`."""

    def __init__(self, directory: Path) -> None:
        need("chromium", "chromedriver")
        directory.mkdir()
        self.directory, self.port = directory, 0
        self.downloads = directory / "downloads"
        # It takes a port that is free for IPv4 and IPv6, and says which in its log.
        self.program = Program(
            ["chromedriver", "--port=0"], directory / "log", env={**os.environ, "HOME": str(directory)}
        )
        self.session = ""
        self._http = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # the driver is never behind a proxy

    def start(self) -> None:
        """Once more where it dies at its start, as Chromium does now and then on a machine that has much else to do."""
        try:
            self._start()
        except (Refused, OSError, AssertionError):
            self.program.kill()
            self._start()

    def _start(self) -> None:
        shutil.rmtree(self.directory / "profile", ignore_errors=True)
        self.program.log.unlink(missing_ok=True)  # the port of an earlier driver stands there
        self.program.start(self._listening, PATIENCE)
        options = {
            "args": [*OPTIONS, f"--user-data-dir={self.directory / 'profile'}"],
            "prefs": {"download.default_directory": str(self.downloads), "download.prompt_for_download": False},
        }
        wanted = {"browserName": "chrome", "goog:chromeOptions": options}
        self.session = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]

    def _listening(self) -> bool:
        told = re.search(r"started successfully on port (\d+)", self.program.log.read_text())
        self.port = int(told[1]) if told else 0
        return bool(told)

    def stop(self) -> None:
        try:
            if self.session:
                self._ask("DELETE", f"/session/{self.session}")
        finally:
            self.program.kill()  # with what a browser that did not leave has left

    def _ask(self, method: str, path: str, given: dict[str, object] | None = None) -> object:
        body = json.dumps(given if given is not None else {}).encode() if method == "POST" else None
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=body, method=method)
        request.add_header("Content-Type", "application/json; charset=utf-8")
        try:
            with self._http.open(request, timeout=PATIENCE) as reply:
                return json.load(reply)["value"]
        except urllib.error.HTTPError as error:
            with error:
                told = json.load(error)["value"]
            raise Refused(f"{told['error']}: {told['message'].splitlines()[0]}") from None

    def _post(self, command: str, **given: object) -> object:
        return self._ask("POST", f"/session/{self.session}/{command}", given)

    def forget(self) -> None:
        """Drop the cookies of the page that is shown: whoever is logged in there, is no longer."""
        self._ask("DELETE", f"/session/{self.session}/cookie")

    def visit(self, url: str) -> None:
        """Load a page; comes back when it has been loaded."""
        self._post("url", url=url)

    def run(self, script: str, *arguments: object) -> object:
        """What a function with this JavaScript as its body returns."""
        return self._post("execute/sync", script=script, args=list(arguments))

    def find(self, selector: str) -> str:
        """The element of a CSS selector; Refused where there is none."""
        return self._post("element", using="css selector", value=selector)[ELEMENT]

    def wait_for(self, selector: str) -> None:
        self._done(lambda: self.find(selector), f"{selector} in the page")

    def wait_for_text(self, selector: str, text: str) -> None:
        """Until an element that fits says this, somewhere in what it shows."""
        told = (
            "return [...document.querySelectorAll(arguments[0])].some(each => each.innerText.includes(arguments[1]));"
        )
        self.wait_for_script(told, f"{text!r} in {selector}", selector, text)

    def wait_for_script(self, script: str, what: str, *arguments: object) -> None:
        """Until a function with this JavaScript as its body returns true, in whatever page is there then."""

        def so() -> None:
            if self.run(script, *arguments) is not True:
                raise Refused("it is not so")

        self._done(so, what)

    def click(self, selector: str) -> None:
        """Click as soon as the element is there and nothing covers it."""
        self._done(lambda: self._post(f"element/{self.find(selector)}/click"), f"a click on {selector}")

    def type(self, selector: str, text: str) -> None:
        """Replace what a field holds, key by key, as soon as it takes keys."""

        def typed() -> None:
            element = self.find(selector)
            self._post(f"element/{element}/clear")
            self._post(f"element/{element}/value", text=text)

        self._done(typed, f"a field {selector} to write in")

    def _done(self, act: Callable[[], object], what: str) -> None:
        """Try until the driver does it."""

        def done() -> bool:
            try:
                act()
            except Refused as refused:
                why.append(str(refused))
                return False
            return True

        why: list[str] = ["never tried"]
        try:
            wait_until(done, what, PATIENCE)
        except AssertionError as late:
            raise AssertionError(f"{late}: {why[-1]}") from None

    def choose(self, selector: str, value: str) -> None:
        """Take the option with this value from a select, as a person does whose choice then is a change."""
        taken = self.run(
            "const select = document.querySelector(arguments[0]); select.value = arguments[1];"
            "select.dispatchEvent(new Event('change', {bubbles: true})); return select.value;",
            selector,
            value,
        )
        assert taken == value, f"{selector} has no option {value}"

    @contextmanager
    def frame(self, selector: str) -> Iterator[None]:
        """Inside, everything is about the document of an iframe."""
        self._post("frame", id={ELEMENT: self.find(selector)})
        try:
            yield
        finally:
            self._post("frame", id=None)

    def text(self, selector: str = "body") -> str:
        return str(self.run("return document.querySelector(arguments[0]).innerText;", selector))
