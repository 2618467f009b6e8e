"""A person at Roundcube, in a browser: what he clicks and types, each step ended when Roundcube shows that it is done."""

from __future__ import annotations

from dataclasses import dataclass

from tests.interop.processes import wait_until
from tests.interop.roundcube import Roundcube
from tests.interop.webdriver import PATIENCE, Browser

# It says that it is no longer busy when some answer has come, though it waits for another; what moves, cannot be hit.
READY = (
    "document.readyState === 'complete' && !!window.rcmail && !rcmail.busy"
    " && jQuery.active === 0 && jQuery(':animated').length === 0"
)
DONE = "#messagestack .confirmation, #messagestack .alert-success"
# The sets; a row that is taken away is hidden.
ROWS = "[...document.querySelectorAll('#filtersetslist tr')].filter(row => row.style.display !== 'none')"


@dataclass(frozen=True)
class Person:
    browser: Browser
    roundcube: Roundcube

    def log_in(self, user: str, password: str) -> None:
        self.browser.forget()
        self.browser.visit(self.roundcube.page("login"))
        self.browser.type("#rcmloginuser", user)
        self.browser.type("#rcmloginpwd", password)
        self.browser.click("#rcmloginsubmit")
        self.browser.wait_for("body.task-mail")

    def press(self, selector: str) -> None:
        """Click on something of a page that is ready to act on it: while it starts or loads, Roundcube drops clicks."""
        ready = f"return {READY} && !!document.querySelector(arguments[0]);"
        self.browser.wait_for_script(ready, f"{selector} in a page that is ready", selector)
        self.browser.click(selector)

    def open_filters(self) -> None:
        """The page of the filters, loaded anew."""
        self.browser.visit(self.roundcube.page("settings", "plugin.managesieve"))
        self.browser.wait_for_script(f"return {READY};", "the page of the filters")

    def make_rule(self, name: str, word: str, folder: str) -> None:
        """Settings, Filters, Create: a message whose subject contains `word` goes to `folder`, as IMAP names it."""
        browser = self.browser
        self.press("#taskmenu a.settings")
        self.press("#settings-menu .filter a")
        self.add_rule(name, word, folder)
        browser.wait_for_text("#filterslist", name)

    def add_rule(self, name: str, word: str, folder: str) -> None:
        """The same in the set that is shown."""
        browser = self.browser
        self.press("#toolbar-menu a.create:not(.disabled)")
        with browser.frame("#filter-box"):
            browser.type("[name='_name']", name)
            browser.choose("[name='_header[0]']", "subject")
            browser.choose("[name='_rule_op[0]']", "contains")
            browser.type("[name='_rule_target[0][]']", word)
            browser.choose("[name='_action_type[0]']", "fileinto")
            browser.choose("[name='_action_mailbox[0]']", folder)
            self.press("button.submit")
        browser.wait_for_text("#filterslist", name)

    def make_vacation(self, subject: str, reason: str) -> None:
        """Settings, Out of Office: switched on; what comes is kept too."""
        self.press("#taskmenu a.settings")
        self.press("#settings-menu .vacation a")
        self.browser.type("#vacation_subject", subject)
        self.browser.type("#vacation_reason", reason)
        self.browser.choose("#vacation_status", "on")
        self.press("button.submit")
        self.browser.wait_for(DONE)

    # -- sets of filters, which are scripts ----------------------------------------------------------------------------

    def act(self, button: str) -> None:
        """Take something from the menu of the set that is chosen."""
        self.browser.wait_for_script("return !document.querySelector('.popover');", "the menu closed")
        self.press("#layout-list a.actions")
        self.press(f"#filterset-menu a.{button}.active")

    def make_set(self, name: str) -> None:
        """An empty one, which is chosen then and not active."""
        self.act("create")
        with self.browser.frame("#filter-box"):
            self.browser.type("#_name", name)
            self.press("button.submit")
        self.browser.wait_for_text("#filterset-name", name)
        self.browser.wait_for_script(f"return {READY};", "the new set")

    def choose_set(self, name: str) -> None:
        """The list of the sets unfolds at the first time, and stays so until the page is left."""
        if self.browser.run("return document.querySelector('#filtersetslistbox').clientHeight === 0;"):
            self.press("#layout-list .pagenav a.expand")
        row = self.browser.run(f"return {ROWS}.find(row => row.textContent.trim() === arguments[0]).id;", name)
        self.press(f"#{row} td")
        self.browser.wait_for_text("#filterset-name", name)
        self.browser.wait_for_script(f"return {READY};", "the filters of the set")

    def switch_set(self, *, on: bool) -> None:
        """Make the chosen one active, or not."""
        self.act("status")
        name = "document.querySelector('#filterset-name').innerText.trim()"
        shown = f"return {ROWS}.find(row => row.textContent.trim() === {name}).classList.contains('disabled') !== arguments[0];"
        self.browser.wait_for_script(shown, "the set switched", on)

    def delete_set(self, name: str) -> None:
        """The chosen one, with the question that comes before."""
        self.act("delete")
        self.press(".ui-dialog button.delete")
        gone = f"return !{ROWS}.some(row => row.textContent.trim() === arguments[0]);"
        self.browser.wait_for_script(gone, f"{name} gone from the sets", name)

    def download_set(self, name: str) -> bytes:
        """The chosen one, as the browser saves it."""
        self.act("download")
        saved = self.browser.downloads / f"{name}.txt"
        wait_until(saved.is_file, f"{saved} downloaded", PATIENCE)
        return saved.read_bytes()

    def sets(self) -> dict[str, bool]:
        """The sets that are listed; whether they are shown as active."""
        rows = self.browser.run(
            f"return {ROWS}.map(row => [row.textContent.trim(), !row.classList.contains('disabled')]);"
        )
        return dict(rows)

    def write(self, script: str) -> None:
        """Edit the chosen set as a text, and save it."""
        self.act("edit")
        with self.browser.frame("#filter-box"):
            self.browser.wait_for(".CodeMirror")
            self.browser.run("document.querySelector('.CodeMirror').CodeMirror.setValue(arguments[0]);", script)
            self.press("button.submit")
