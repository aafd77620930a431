"""Questions in people's own words, answered list first: the relations of the entity, then a fact."""
