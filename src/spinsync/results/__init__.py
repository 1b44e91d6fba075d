"""Results: xarray Datasets, their variables, and the record from which they can be computed again."""
