"""Problems solved by sampling: random trajectories whose mean is the state."""
