"""What a motion comes to: one way to follow it, point by point or many points side by side."""
