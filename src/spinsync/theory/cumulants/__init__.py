"""Second-order cumulants of a finite number of spins."""
