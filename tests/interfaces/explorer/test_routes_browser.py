"""The form for the token in Chromium, which sends origins, cookies and redirections as browsers do."""

import pytest

from browser import chromium, errors_of
from stub_server import TOKEN, running

pytestmark = pytest.mark.browser


def test_the_form_opens_the_page():
    with running() as explorer, chromium() as browser:
        context = browser.new_context()
        page = context.new_page()
        errors = errors_of(page)
        front = f"http://127.0.0.1:{explorer.port}"
        page.goto(f"{front}/?page=two&V=3.2")
        assert page.url == f"{front}/login?page=two&V=3.2"
        page.fill("input", "wrong")
        page.click("button")
        assert page.locator("[role=alert]").inner_text() == "This is not the token of this explorer."
        assert page.url == f"{front}/login?page=two&V=3.2"
        page.fill("input", TOKEN)
        page.click("button")
        page.wait_for_url(f"{front}/?page=two&V=3.2")
        assert page.locator("#catalogue").count() == 1
        assert context.cookies()[0]["httpOnly"]
        assert [
            text for text in errors if "Failed to load resource" not in text
        ] == []  # the wrong token, and the stub has no icon


def test_the_address_with_the_token_opens_the_page_and_loses_it():
    with running() as explorer, chromium() as browser:
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{explorer.port}/?access_token={TOKEN}&page=story")
        assert page.url == f"http://127.0.0.1:{explorer.port}/?page=story"
        assert page.evaluate("document.cookie") == ""


def test_pages_of_other_ports_reach_nothing():
    """To them the browser sends the cookie, as it is one host."""
    with running() as explorer, running() as other, chromium() as browser:
        page = browser.new_context().new_page()
        for server in (explorer, other):
            page.goto(f"http://127.0.0.1:{server.port}/?access_token={TOKEN}")
        target = f"127.0.0.1:{explorer.port}"
        page.route(f"http://127.0.0.1:{other.port}/evil", lambda route: route.fulfill(content_type="text/html", body="<p>evil"))
        page.goto(f"http://127.0.0.1:{other.port}/evil")
        tries = f"""async () => {{
          const tried = [];
          for (const options of [{{}}, {{ mode: "no-cors", credentials: "include" }}, {{ credentials: "include" }}])
            tried.push(await fetch("http://{target}/picture/one/map.png", options).then(() => "answered", () => "refused"));
          const image = new Image();
          tried.push(await new Promise((done) => {{
            image.onload = () => done("answered");
            image.onerror = () => done("refused");
            image.src = "http://{target}/assets/icon.svg";
          }}));
          tried.push(await new Promise((done) => {{
            const socket = new WebSocket("ws://{target}/live");
            socket.onopen = () => done("answered");
            socket.onerror = () => done("refused");
          }}));
          return tried;
        }}"""
        assert page.evaluate(tries) == ["refused"] * 5
