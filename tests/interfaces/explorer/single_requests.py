"""Single requests to a running explorer, without a browser."""

import http.client


def ask(explorer, path, method="GET", body=None, *, inside=True, **headers):
    """The answer, read whole."""
    connection = http.client.HTTPConnection("127.0.0.1", explorer.port, timeout=20)
    cookie = {"Cookie": explorer.cookie} if inside is True else {"Cookie": f"spinsync-{explorer.port}=wrong"} if inside else {}
    try:
        heads = cookie | {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, heads, encode_chunked="Transfer_Encoding" in headers)
        answer = connection.getresponse()
        answer.text = answer.read().decode("utf-8", "replace")
        return answer
    finally:
        connection.close()
