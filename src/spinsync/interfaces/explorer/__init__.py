"""The explorer: the physics live in the browser, for one ensemble, two groups, few spins, and as a story in six steps."""
