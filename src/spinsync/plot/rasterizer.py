"""Anti-aliased strokes and discs on a page of pixels: what changes from frame to frame of a movie."""

from __future__ import annotations

from spinsync.base.compiled import compiled

#: x, y of start and end, half of the width at both: pixels from the upper left corner; red, green, blue; opacity
COLUMNS = 10


@compiled()
def overlap(at, low, high):  # type: ignore[no-untyped-def]
    """How much of the pixel around `at` lies between `low` and `high`."""
    return max(0.0, min(at + 0.5, high) - max(at - 0.5, low))


@compiled()
def cover(x, y, ux, uy, length, start, end):  # type: ignore[no-untyped-def]
    """Share of the pixel at (x, y) from the start that is covered by a stroke along the unit vector (ux, uy)."""
    if length == 0:
        return min(1.0, max(0.0, start + 0.5 - (x * x + y * y) ** 0.5))
    along = x * ux + y * uy
    half = start + (end - start) * min(1.0, max(0.0, along / length))
    return overlap(along, 0.0, length) * overlap(x * uy - y * ux, -half, half)


@compiled()
def paint(page, strokes):  # type: ignore[no-untyped-def]
    """Blend strokes of shape (stroke, COLUMNS) into a page of shape (row, column, 3) of bytes, one above the other.

    A stroke without length is a disc; one that ends without width is the head of an arrow.
    """
    rows, columns = page.shape[0], page.shape[1]
    for k in range(strokes.shape[0]):
        x, y, start, end, opacity = strokes[k, 0], strokes[k, 1], strokes[k, 4], strokes[k, 5], strokes[k, 9]
        dx, dy, reach = strokes[k, 2] - x, strokes[k, 3] - y, max(start, end) + 1.0
        length = (dx * dx + dy * dy) ** 0.5
        ux, uy = (dx / length, dy / length) if length > 0 else (0.0, 0.0)
        left, right = max(0, int(x + min(0, dx) - reach)), min(columns, int(x + max(0, dx) + reach) + 1)
        top, bottom = max(0, int(y + min(0, dy) - reach)), min(rows, int(y + max(0, dy) + reach) + 1)
        for row in range(top, bottom):
            for column in range(left, right):
                alpha = opacity * cover(column + 0.5 - x, row + 0.5 - y, ux, uy, length, start, end)
                if alpha > 0:
                    for c in range(3):
                        old = page[row, column, c]
                        page[row, column, c] = int(old + alpha * (strokes[k, 6 + c] - old) + 0.5)
