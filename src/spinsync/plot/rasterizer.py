"""Anti-aliased line segments and discs in an image: the moving parts of a movie."""

from __future__ import annotations

from spinsync.base.compiled import compiled

#: x, y of start and end, half widths at start and end, in pixels from the upper left corner; red, green, blue; opacity
SEGMENT_COLUMNS = 10


@compiled()
def pixel_overlap(at, low, high):  # type: ignore[no-untyped-def]
    """Length of the part of the pixel centred at `at` between `low` and `high`."""
    return max(0.0, min(at + 0.5, high) - max(at - 0.5, low))


@compiled()
def coverage(x, y, ux, uy, length, start, end):  # type: ignore[no-untyped-def]
    """Covered share of the pixel at (x, y) from the start of a segment along the unit vector (ux, uy)."""
    if length == 0:
        return min(1.0, max(0.0, start + 0.5 - (x * x + y * y) ** 0.5))
    along = x * ux + y * uy
    half = start + (end - start) * min(1.0, max(0.0, along / length))
    return pixel_overlap(along, 0.0, length) * pixel_overlap(x * uy - y * ux, -half, half)


@compiled()
def draw_segments(image, segments):  # type: ignore[no-untyped-def]
    """Blend segments of shape (segment, SEGMENT_COLUMNS), in this order, into an image of bytes (row, column, 3).

    A segment of length 0 is a disc; one with half width 0 at its end is an arrow head.
    """
    rows, columns = image.shape[0], image.shape[1]
    for k in range(segments.shape[0]):
        x, y, start, end, opacity = segments[k, 0], segments[k, 1], segments[k, 4], segments[k, 5], segments[k, 9]
        dx, dy, margin = segments[k, 2] - x, segments[k, 3] - y, max(start, end) + 1.0
        length = (dx * dx + dy * dy) ** 0.5
        ux, uy = (dx / length, dy / length) if length > 0 else (0.0, 0.0)
        left, right = max(0, int(x + min(0, dx) - margin)), min(columns, int(x + max(0, dx) + margin) + 1)
        top, bottom = max(0, int(y + min(0, dy) - margin)), min(rows, int(y + max(0, dy) + margin) + 1)
        for row in range(top, bottom):
            for column in range(left, right):
                alpha = opacity * coverage(column + 0.5 - x, row + 0.5 - y, ux, uy, length, start, end)
                if alpha > 0:
                    for c in range(3):
                        old = image[row, column, c]
                        image[row, column, c] = int(old + alpha * (segments[k, 6 + c] - old) + 0.5)
