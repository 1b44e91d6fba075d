"""Speed as ratios against peers, all in one process and interleaved: `python -m benchmarks`."""
