"""`spinsync paper`: the article's results, reproduced and checked."""
