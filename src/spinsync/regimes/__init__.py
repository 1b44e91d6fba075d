"""The regime of the long-time motion, found point by point or for many points in SIMD lanes."""
