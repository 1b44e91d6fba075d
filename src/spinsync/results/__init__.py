"""Results: xarray Datasets, their variables and where they come from."""
