"""The live Bloch sphere for notebooks and browsers: Python packs a result into arrays, one ES module draws them."""
