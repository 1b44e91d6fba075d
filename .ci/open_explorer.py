"""Open the explorer of an installed spinsync in Chromium: python open_explorer.py SPINSYNC, the installed command.

The page must say what the ensemble does, the sphere must move, and neither the browser nor the server may complain.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time

from playwright.sync_api import sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def opened(address: str) -> list[str]:
    """The complaints of the browser; an AssertionError or a timeout of Playwright where the page does not work."""
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, chromium_sandbox=False)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.on("console", lambda message: message.type in ("error", "warning") and complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address)
        page.get_by_text(re.compile(r"^Synchronized\.")).first.wait_for(timeout=60_000)
        sphere = page.locator("canvas").first
        before = sphere.screenshot()
        time.sleep(0.5)
        assert sphere.screenshot() != before, "the sphere does not move"
        browser.close()
    return complaints


def main(command: str) -> int:
    server = subprocess.Popen([command, "explore", "--no-browser"], stderr=subprocess.PIPE, text=True)
    try:
        assert server.stderr is not None
        said = server.stderr.readline()
        address = re.search(r"http://\S+", said)
        assert address, said
        complaints = opened(address.group())
    finally:
        server.terminate()
        said = server.communicate(timeout=20)[1]
    assert "Traceback" not in said, said
    print(f"the explorer of {command} opens" if not complaints else "\n".join(complaints))
    return min(len(complaints), 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
