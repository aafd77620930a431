"""Questions in people's own words, answered list first: the relations, then a fact."""
