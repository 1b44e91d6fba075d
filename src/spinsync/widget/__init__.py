"""Live pictures for notebooks and browsers: a result packed into arrays, and one ES module that draws them."""
