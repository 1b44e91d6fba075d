"""The questions: the only place where model, theory and numerics meet."""
