"""Second-order cumulants: pair correlations of any number of spins."""
