"""`spinsync paper`: the article's one-ensemble results, reproduced and checked."""
