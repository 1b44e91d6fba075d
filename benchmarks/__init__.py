"""Speed relative to other packages, interleaved in one process: `python -m benchmarks`."""
